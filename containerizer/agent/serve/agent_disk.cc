// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/agent_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/sandbox_layout.h"
#include "external_containerizer/state/text_files.h"

namespace external_containerizer {
namespace {

// With so many, a slow fsync() for one container holds up few others.
constexpr size_t kThreads = 8;
// A task of another user must be able to reach its sandbox.
constexpr mode_t kParentMode = 0755;
// The address of a framework without a scheduler.
constexpr char kNoPid[] = "@0.0.0.0:0";

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0'
             ? name
             : "localhost";
}

}  // namespace

absl::StatusOr<std::unique_ptr<AgentDisk>> AgentDisk::Create(
    std::string work_dir, std::unique_ptr<state::Writer> writer) {
  UniqueFd directory(
      open(work_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return FileError("open", work_dir, errno);
  return std::unique_ptr<AgentDisk>(new AgentDisk(
      std::move(work_dir), std::move(directory), std::move(writer)));
}

AgentDisk::AgentDisk(std::string work_dir, UniqueFd directory,
                     std::unique_ptr<state::Writer> writer)
    : work_dir_(std::move(work_dir)),
      directory_(std::move(directory)),
      writer_(std::move(writer)) {
  for (size_t i = 0; i < kThreads; ++i) threads_.emplace_back("disk", 1);
}

void AgentDisk::Run(const std::string& executor, Work work, Done done) {
  threads_[absl::HashOf(executor) % threads_.size()].Run(
      [work = std::move(work), done = std::move(done)]() mutable {
        std::move(done)(std::move(work)());
      });
}

absl::Status AgentDisk::RecordSelf(const std::string& agent,
                                   const std::string& framework,
                                   bool agent_is_known) {
  if (!agent_is_known) {
    wire::SlaveInfo info;
    info.set_hostname(HostName());
    info.mutable_id()->set_value(agent);
    info.set_checkpoint(true);
    absl::Status recorded = writer_->RecordAgent(info);
    if (!recorded.ok()) return recorded;
  }
  wire::FrameworkInfo info;
  info.set_user(absl::StrCat(geteuid()));
  info.set_name("agent launch");
  info.mutable_id()->set_value(framework);
  info.set_checkpoint(true);
  return writer_->RecordFramework(agent, info, kNoPid);
}

absl::Status AgentDisk::RecordBoot() {
  const absl::StatusOr<std::string> boot = state::CurrentBootId();
  return boot.ok() ? writer_->RecordBootId(*boot) : boot.status();
}

absl::Status AgentDisk::RecordLaunch(const state::RunId& run,
                                     LaunchRequest& request) {
  request.sandbox.owner = SandboxOwner(request.user.value_or(""));
  // Forget() would remove files that are no container's.
  struct stat info;
  const std::string files = state::ExecutorPath(run);
  if (fstatat(directory_.get(), files.c_str(), &info, AT_SYMLINK_NOFOLLOW) ==
      0) {
    return absl::AlreadyExistsError(absl::StrCat(
        "there are files already that are no container's: ", work_dir_, "/",
        absl::CHexEscape(files)));
  }
  absl::Status recorded = writer_->RecordLaunch(run, request.executor);
  if (!recorded.ok()) return recorded;
  absl::StatusOr<NewSandbox> made =
      MakeSandbox(work_dir_, directory_.get(), run, request.sandbox.owner);
  if (made.ok()) request.sandbox = std::move(made->sandbox);
  return made.status();
}

absl::Time AgentDisk::WhenCompleted(const state::RunId& run) const {
  const std::string path = absl::StrCat(state::MetaPath(state::RunPath(run)),
                                        "/", state::kSentinelFile);
  struct stat info;
  return fstatat(directory_.get(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) ==
                 0
             ? absl::TimeFromTimespec(info.st_mtim)
             : absl::InfinitePast();
}

absl::Status AgentDisk::Forget(const state::RunId& run) {
  const std::string executor = state::ExecutorPath(run);
  const size_t slash = executor.rfind('/');
  const absl::StatusOr<UniqueFd> executors = MakeDirectories(
      directory_.get(), executor.substr(0, slash), kParentMode, work_dir_);
  if (!executors.ok()) return executors.status();
  absl::Status removed =
      RemoveTree(executors->get(), executor.substr(slash + 1));
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  return writer_->ForgetExecutor(run);
}

}  // namespace external_containerizer
