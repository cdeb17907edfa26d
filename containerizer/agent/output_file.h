// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Follows a file in a sandbox while a task appends to it.
//
//   OutputFile file(sandbox_fd, "stdout");
//   absl::StatusOr<std::string> bytes = file.Read(64 << 10);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_OUTPUT_FILE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_OUTPUT_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/files.h"

namespace external_containerizer {

class OutputFile {
 public:
  // The caller keeps the descriptor `directory` open. `name` has no slash.
  OutputFile(int directory, std::string name);

  // Returns the next bytes, at most `most`; none if there is nothing new, or no
  // file yet. Blocks only as long as the disk does. A file that was truncated
  // or replaced is read from its beginning. FAILED_PRECONDITION if the file is
  // a link, has a second name, or is no regular file: a task must not get a
  // file shown that it may not read itself.
  absl::StatusOr<std::string> Read(size_t most);

  // Returns how many bytes of the file have not been read.
  size_t Unread() const;

 private:
  absl::Status Open();
  bool WasReplaced() const;

  const int directory_;
  const std::string name_;
  UniqueFd file_;
  off_t offset_ = 0;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_OUTPUT_FILE_H_
