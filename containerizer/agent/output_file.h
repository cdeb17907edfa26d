// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Follows a file in a sandbox to which a task appends.

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
  // `directory`, a descriptor, must outlive this. `name` is one component.
  OutputFile(int directory, std::string name);

  // The next bytes, at most `most`; none if there is nothing new now, or no
  // such file yet. Never blocks on anything but the disk. A file that was
  // truncated or replaced is read from its beginning. FAILED_PRECONDITION if
  // it is a link, has another name besides, or is no regular file: a task must
  // not make us show what it cannot read itself.
  absl::StatusOr<std::string> Read(size_t most);

  // How many bytes of the file that is being read are still to come.
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
