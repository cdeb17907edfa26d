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

namespace external_containerizer {

// What the next run must know to clean up.
struct RunRecord {
  std::string program;       // The operator's command line of the program.
  std::string container;     // Its id.
  std::string sandbox_path;  // Relative to the run's directory.
};

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

  // Durable as to a kill of this process, not of the machine: containers do
  // not outlive that.
  absl::Status WriteRecord(const RunRecord& record) const;

  // nullopt: the run was killed before it wrote one, so before it launched.
  absl::StatusOr<std::optional<RunRecord>> ReadRecord() const;

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
