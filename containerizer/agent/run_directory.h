// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The directory of one `agent run`: <work_dir>/run/<random>, of mode 0700, and
// locked (flock) for as long as the run lives, however it ends. It is the work
// directory that the program sees, so that no run sees another's containers.
// What a killed run left behind is known by its lock: it is free.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_DIRECTORY_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_DIRECTORY_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {

class RunDirectory {
 public:
  // Makes and locks a directory. `work_dir` is absolute, and is made if need
  // be. Where the superuser makes it, other users may have their runs beside.
  // PERMISSION_DENIED if another user than root could tamper with it.
  static absl::StatusOr<RunDirectory> Create(const std::string& work_dir);

  // Locks at most `most` of this user's directories that nobody has locked.
  // Never waits for a lock.
  static std::vector<RunDirectory> ClaimLeftovers(const std::string& work_dir,
                                                  size_t most);

  const std::string& path() const { return path_; }  // Absolute.
  const std::string& name() const { return name_; }  // The last component.
  int fd() const { return directory_.get(); }

  // The only container of the run. Its ids follow from the directory's name.
  state::RunId run() const;

  // Writes down the operator's command line of the program, which whoever
  // cleans up must know. To be called before the launch. The record survives
  // the end of this process, but not that of the machine: no container does.
  absl::Status WriteProgram(const std::string& command_line) const;

  // Reads what WriteProgram() wrote. nullopt: the run launched nothing.
  // DATA_LOSS if the file is not as WriteProgram() leaves it.
  absl::StatusOr<std::optional<std::string>> ReadProgram() const;

  // Makes a leftover of it, also for a child of this process that shares the
  // lock for the moment between its fork and its exec.
  void Abandon();

  // Removes it with all that is in it, and gives up the lock.
  absl::Status Remove() &&;

 private:
  RunDirectory(UniqueFd parent, UniqueFd directory, std::string path,
               std::string name);

  static absl::StatusOr<UniqueFd> Lock(int parent, const std::string& name);

  UniqueFd parent_;
  UniqueFd directory_;  // Holds the lock.
  std::string path_;
  std::string name_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_DIRECTORY_H_
