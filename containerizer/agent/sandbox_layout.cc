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
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/transport/sandbox_files.h"

namespace external_containerizer {
namespace {

constexpr mode_t kSandboxMode = 0750;
// A task may run as a user who is to reach its sandbox.
constexpr mode_t kParentMode = 0755;
constexpr char kLatest[] = "latest";

absl::StatusOr<std::string> RunsPath(const SandboxIds& ids) {
  const std::pair<const char*, const std::string*> all[] = {
      {"agent id", &ids.agent},
      {"framework id", &ids.framework},
      {"executor id", &ids.executor},
      {"container id", &ids.container}};
  for (const auto& [kind, id] : all) {
    absl::Status valid = wire::ValidateId(kind, *id);
    if (!valid.ok()) return valid;
    if (*id == kLatest) {
      return absl::InvalidArgumentError(absl::StrCat(
          kind, " \"latest\" is the name of the link to the newest"));
    }
  }
  return absl::StrCat("slaves/", ids.agent, "/frameworks/", ids.framework,
                      "/executors/", ids.executor, "/runs");
}

// In one step: whoever reads it finds the old one or the new one.
absl::Status SetLatest(int runs, const std::string& shown,
                       const std::string& target) {
  const std::string temporary = absl::StrCat(".", kLatest, ".", RandomName());
  if (symlinkat(target.c_str(), runs, temporary.c_str()) != 0) {
    return FileError("make a link in", shown, errno);
  }
  if (renameat(runs, temporary.c_str(), runs, kLatest) != 0) {
    const int reason = errno;
    unlinkat(runs, temporary.c_str(), 0);
    return FileError("make the link", absl::StrCat(shown, "/", kLatest),
                     reason);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> SandboxPath(const SandboxIds& ids) {
  const absl::StatusOr<std::string> runs = RunsPath(ids);
  if (!runs.ok()) return runs.status();
  return absl::StrCat(*runs, "/", ids.container);
}

absl::StatusOr<MadeSandbox> MakeSandbox(const std::string& work_directory,
                                        int work_directory_fd,
                                        const SandboxIds& ids,
                                        std::optional<Sandbox::Owner> owner) {
  const absl::StatusOr<std::string> runs_path = RunsPath(ids);
  if (!runs_path.ok()) return runs_path.status();
  const std::string runs_shown = absl::StrCat(work_directory, "/", *runs_path);
  const absl::StatusOr<UniqueFd> runs = MakeDirectories(
      work_directory_fd, *runs_path, kParentMode, work_directory);
  if (!runs.ok()) return runs.status();

  MadeSandbox made;
  made.sandbox.root = work_directory;
  made.sandbox.path = absl::StrCat(*runs_path, "/", ids.container);
  if (mkdirat(runs->get(), ids.container.c_str(), kSandboxMode) != 0) {
    if (errno == EEXIST) {
      return absl::AlreadyExistsError(absl::StrCat(
          "there is a sandbox already: ", made.sandbox.FullPath()));
    }
    return FileError("make the sandbox", made.sandbox.FullPath(), errno);
  }
  made.directory =
      UniqueFd(openat(runs->get(), ids.container.c_str(),
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
      SetLatest(runs->get(), runs_shown, made.sandbox.FullPath());
  if (!latest.ok()) return latest;
  return made;
}

}  // namespace external_containerizer
