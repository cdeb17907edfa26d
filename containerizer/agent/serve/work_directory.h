// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The work_dir of a standing agent, which has it to itself.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_WORK_DIRECTORY_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_WORK_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/files.h"

namespace external_containerizer {

class WorkDirectory {
 public:
  // `path` is absolute; it is made if it is missing, with a `transport`
  // directory in it (0700). Locked (flock) for as long as this lives, however
  // it ends. ALREADY_EXISTS if another agent has it, PERMISSION_DENIED if
  // another user than root could tamper with it.
  static absl::StatusOr<WorkDirectory> Take(const std::string& path);

  const std::string& path() const { return path_; }
  // Where the transport keeps files of its own.
  std::string TransportPath() const { return path_ + "/transport"; }

 private:
  WorkDirectory(std::string path, UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_WORK_DIRECTORY_H_
