// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The directory of one `agent run`: <work_dir>/run/<random>, of mode 0700. It
// is locked (flock) until its run ends, however it ends, so a directory that
// can be locked was left behind. It is the work directory that the program
// sees: no run sees another's containers.
//
//   absl::StatusOr<RunDirectory> directory = RunDirectory::Create(work_dir);
//   absl::Status written = directory->WriteProgram("posix");
//   // Launch, wait, destroy.
//   absl::Status removed = (*std::move(directory)).Remove();

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
  // Makes and locks a directory. `work_dir` is absolute; it is made if it is
  // missing. If the superuser makes it, other users may have their runs in it,
  // too. PERMISSION_DENIED if users other than root could tamper with it.
  static absl::StatusOr<RunDirectory> Create(const std::string& work_dir);

  // Locks up to `most` directories of this user that no run has locked. Never
  // waits for a lock.
  static std::vector<RunDirectory> ClaimLeftovers(const std::string& work_dir,
                                                  size_t most);

  const std::string& path() const { return path_; }  // Absolute.
  const std::string& name() const { return name_; }  // The last component.
  int fd() const { return directory_.get(); }

  // Returns the ids of the run's only container. They follow from name().
  state::RunId run() const;

  // Records the operator's command line of the program, which is needed to
  // clean up. Must be called before the launch. The record outlives this
  // process. It need not outlive the boot, since no container does.
  absl::Status WriteProgram(const std::string& command_line) const;

  // Returns what WriteProgram() recorded. nullopt if it was not called: the run
  // launched nothing. DATA_LOSS if the record is damaged.
  absl::StatusOr<std::optional<std::string>> ReadProgram() const;

  // Gives up the lock, so that the next run cleans up, also while a child of
  // this process shares the lock between its fork and its exec.
  void Abandon();

  // Removes the directory with all that is in it, and gives up the lock.
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
