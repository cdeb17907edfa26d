// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/sandbox_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/sandbox_files.h"

namespace external_containerizer {
namespace {

constexpr mode_t kSandboxMode = 0750;
// A task of another user must be able to reach its sandbox.
constexpr mode_t kParentMode = 0755;

// Replaces the link in one step: a reader finds the old one or the new one.
absl::Status SetLatest(int runs, const std::string& shown,
                       const std::string& target) {
  const std::string temporary =
      absl::StrCat(".", state::kLatestLink, ".", RandomName());
  if (symlinkat(target.c_str(), runs, temporary.c_str()) != 0) {
    return FileError("make a link in", shown, errno);
  }
  if (renameat(runs, temporary.c_str(), runs, state::kLatestLink) != 0) {
    const int reason = errno;
    unlinkat(runs, temporary.c_str(), 0);
    return FileError("make the link",
                     absl::StrCat(shown, "/", state::kLatestLink), reason);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NewSandbox> MakeSandbox(const std::string& work_directory,
                                       int work_directory_fd,
                                       const state::RunId& run,
                                       std::optional<Sandbox::Owner> owner) {
  absl::Status valid = state::Validate(run);
  if (!valid.ok()) return valid;
  const std::string runs_path = state::RunsPath(run);
  const absl::StatusOr<UniqueFd> runs = MakeDirectories(
      work_directory_fd, runs_path, kParentMode, work_directory);
  if (!runs.ok()) return runs.status();

  NewSandbox made;
  made.sandbox.root = work_directory;
  made.sandbox.path = state::RunPath(run);
  if (mkdirat(runs->get(), run.container.c_str(), kSandboxMode) != 0) {
    if (errno == EEXIST) {
      return absl::AlreadyExistsError(absl::StrCat(
          "there is a sandbox already: ", made.sandbox.FullPath()));
    }
    return FileError("make the sandbox", made.sandbox.FullPath(), errno);
  }
  made.directory =
      UniqueFd(openat(runs->get(), run.container.c_str(),
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!made.directory.valid()) {
    return FileError("open the sandbox", made.sandbox.FullPath(), errno);
  }
  if (owner.has_value() &&
      fchown(made.directory.get(), owner->uid, owner->gid) != 0) {
    return FileError("give away the sandbox", made.sandbox.FullPath(), errno);
  }
  made.sandbox.owner = owner;
  made.sandbox.identity = SandboxIdentity(made.directory.get());
  absl::Status latest =
      SetLatest(runs->get(), absl::StrCat(work_directory, "/", runs_path),
                made.sandbox.FullPath());
  if (!latest.ok()) return latest;
  return made;
}

}  // namespace external_containerizer
