// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"
#include "external_containerizer/containerizer/posix/cgroup_limits.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/container_processes.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/container_store.h"
#include "external_containerizer/containerizer/posix/launch_plan.h"
#include "external_containerizer/containerizer/posix/records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/posix/start_container.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/sandbox_files.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr double kMaxMebibytes = 1e12;

// Opens the directory of the sandbox, which must not be a link. sandbox_files.h
// opens the files in it.
absl::StatusOr<UniqueFd> OpenDirectory(const std::string& path) {
  if (path.empty() || path[0] != '/' || path.find('\0') != path.npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the sandbox must be an absolute path without a NUL, not \"",
        absl::CHexEscape(path), "\" (Launch.directory)"));
  }
  UniqueFd fd(
      open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot open the sandbox ", path, ": ", strerror(errno)));
  }
  return fd;
}

// Returns the limits for the cgroups. 0 and less mean no limit.
CgroupLimits CgroupLimitsOf(const Limits& limits, const PosixOptions& options) {
  CgroupLimits result;
  if (limits.mem_mib() > 0) {
    result.memory_bytes = static_cast<uint64_t>(
        std::min(limits.mem_mib(), kMaxMebibytes) * (1 << 20));
  }
  if (limits.cpus() > 0) result.cpus = limits.cpus();
  result.quota = options.cpu_quota;
  result.pids = options.pids_max;
  return result;
}

// FAILED_PRECONDITION if a limit cannot be enforced because its controller is
// missing. `reasons` says why, by the name of the controller.
absl::Status CheckEnforced(const CgroupLimits& limits,
                           const std::map<std::string, std::string>& reasons) {
  const struct {
    const char* controller;
    const char* what;
    bool wanted;
  } all[] = {{"memory", "memory", limits.memory_bytes.has_value()},
             {"cpu", "cpus", limits.cpus.has_value()},
             {"pids", "processes", limits.pids.has_value()}};
  for (const auto& one : all) {
    const auto missing = reasons.find(one.controller);
    if (!one.wanted || missing == reasons.end()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "its limit of ", one.what,
        " cannot be enforced (--require_limits): ", missing->second));
  }
  return absl::OkStatus();
}

// Returns why a running container has no limits, by the name of the controller.
std::map<std::string, std::string> MissingIn(const ContainerCgroups& cgroups) {
  std::map<std::string, std::string> missing;
  for (const char* controller : {"memory", "cpu", "pids"}) {
    if (CgroupWith(cgroups, controller) != nullptr) continue;
    missing[controller] =
        "it was launched without a cgroup for that; launch it anew where "
        "`posix doctor` finds one";
  }
  return missing;
}

// FAILED_PRECONDITION if the memory limit could not be lowered as far as asked
// for, because more is in use.
absl::Status CheckMemory(const CgroupLimits& limits,
                         const ContainerCgroups& cgroups) {
  if (!limits.memory_bytes.has_value()) return absl::OkStatus();
  const uint64_t wanted = std::max(*limits.memory_bytes, kMinMemoryBytes);
  const wire::ResourceStatistics usage = ReadCgroupUsage(cgroups);
  if (usage.has_mem_limit_bytes() && usage.mem_limit_bytes() <= wanted) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("its limit of memory cannot be lowered to ", wanted >> 20,
                   " MiB (--require_limits): ", usage.mem_total_bytes() >> 20,
                   " MiB are in use"));
}

absl::Status WriteDown(int container, const ContainerCgroups& cgroups,
                       ContainerRecord& record) {
  *record.mutable_plan()->mutable_cgroups() = {cgroups.begin(), cgroups.end()};
  if (AppendRecord(container, record)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "cannot write down what is to be made of it: ", strerror(errno)));
}

// Makes the container's cgroups and sets their limits. The plan is written down
// before, so that a crash does not lose a cgroup.
absl::StatusOr<CgroupPlan> PrepareCgroups(int container, ContainerRecord record,
                                          const CgroupLimits& limits,
                                          const std::string& directory,
                                          const PosixOptions& options) {
  CgroupPlan plan =
      PlanCgroups(options.cgroups ? FindCgroupHierarchies()
                                  : std::vector<CgroupHierarchy>(),
                  options.cgroup_parent, NewCgroupName(directory),
                  options.pids_max.has_value());
  if (!options.cgroups) {
    for (auto& missing : plan.missing) missing.second = "--cgroups=no";
  }
  absl::Status written = WriteDown(container, plan.cgroups, record);
  if (!written.ok()) return written;
  if (!MakeCgroups(plan)) {
    written = WriteDown(container, plan.cgroups, record);
    if (!written.ok()) return written;
  }
  absl::Status status = SetCgroupLimits(plan.cgroups, limits);
  if (!status.ok()) return status;
  return plan;
}

}  // namespace

absl::Status LaunchContainer(const wire::Launch& request,
                             const Context& context,
                             const PosixOptions& options) {
  const std::string& id = request.container_id().value();
  StartRequest start;
  start.id = id;
  start.supervisor = options.supervisor;
  absl::StatusOr<TaskSpec> spec = MakeTaskSpec(request, context.environment);
  if (!spec.ok()) return spec.status();
  start.spec = *std::move(spec);
  for (const ResourceLimit& limit : options.rlimits) {
    *start.spec.add_limits() = limit;
  }
  start.spec.set_no_new_privileges(options.no_new_privileges);
  ContainerRecord record;
  LaunchPlan& launch_plan = *record.mutable_plan();
  launch_plan.set_version(kRecordVersion);
  launch_plan.set_boot_id(BootId());
  launch_plan.set_pid_namespace(PidNamespace());
  if (launch_plan.boot_id().empty()) {
    return absl::FailedPreconditionError(
        "there is no boot id, without which a process of an earlier boot "
        "cannot be told from one of this: make "
        "/proc/sys/kernel/random/boot_id readable");
  }
  std::optional<Sandbox::Owner> owner;
  if (start.spec.has_user()) {
    owner = {start.spec.user().uid(), start.spec.user().gid()};
  }
  const Limits limits = LimitsOf(request);
  const CgroupLimits cgroup_limits = CgroupLimitsOf(limits, options);

  const std::string path =
      request.has_directory() ? request.directory() : context.sandbox;
  absl::StatusOr<UniqueFd> sandbox = OpenDirectory(path);
  if (!sandbox.ok()) return sandbox.status();
  absl::StatusOr<std::shared_ptr<ContainerStore>> store =
      ContainerStore::Open(StorePlaceOf(context));
  if (!store.ok()) return store.status();
  const absl::StatusOr<UniqueFd> container = (*store)->Create(id);
  if (!container.ok()) return container.status();

  auto run = [&]() -> absl::Status {
    const std::string prefix = TokenPrefix(container->get());
    if (prefix.empty()) {
      return absl::ResourceExhaustedError("cannot look at its file");
    }
    launch_plan.set_token(absl::StrCat(prefix, RandomName(), RandomName()));
    start.spec.add_environment(
        absl::StrCat(kTokenVariable, "=", launch_plan.token()));
    absl::StatusOr<AppendedFile> output =
        OpenForAppending(sandbox->get(), "stdout", owner, path);
    if (!output.ok()) return output.status();
    absl::StatusOr<AppendedFile> errors =
        OpenForAppending(sandbox->get(), "stderr", owner, path);
    if (!errors.ok()) return errors.status();
    absl::Status written = (*store)->WriteLimits(id, limits);
    if (!written.ok()) return written;
    const absl::StatusOr<CgroupPlan> plan =
        PrepareCgroups(container->get(), std::move(record), cgroup_limits,
                       context.work_directory, options);
    if (!plan.ok()) return plan.status();
    if (options.require_limits) {
      absl::Status enforced = CheckEnforced(cgroup_limits, plan->missing);
      if (!enforced.ok()) return enforced;
    }
    for (const std::string& file : ProcsFiles(plan->cgroups)) {
      start.spec.add_cgroup_files(file);
    }
    start.container = container->get();
    start.sandbox = *std::move(sandbox);
    start.output = std::move(output->fd);
    start.errors = std::move(errors->fd);
    return StartContainer(std::move(start));
  };
  absl::Status status = run();
  if (status.ok()) return status;
  // If the container cannot be removed here, the agent's destroy does it.
  absl::StatusOr<ContainerRecords> records = ReadRecords(container->get());
  if (!records.ok()) return status;
  // The supervisor has ended and left no process, unless it died.
  if (status.code() != absl::StatusCode::kInternal) records->launch.reset();
  if (EndContainer(*records).ok()) (void)(*store)->Remove(id);
  return status;
}

absl::Status UpdateLimits(const wire::Update& request, const Context& context,
                          const PosixOptions& options) {
  const std::string& id = request.container_id().value();
  absl::StatusOr<std::shared_ptr<ContainerStore>> store =
      ContainerStore::Open(StorePlaceOf(context));
  if (!store.ok()) return store.status();
  const absl::StatusOr<UniqueFd> lock = (*store)->Lock(id);
  if (!lock.ok()) return lock.status();
  absl::StatusOr<ContainerRecords> records = ReadRecords(lock->get());
  if (!records.ok()) return records.status();
  // The container has ended: no process is left to limit.
  if (records->end.has_value()) return absl::OkStatus();
  const ContainerCgroups& cgroups = records->cgroups;
  const Limits limits = LimitsOf(request.resources());
  const CgroupLimits cgroup_limits = CgroupLimitsOf(limits, options);
  absl::Status set = options.require_limits
                         ? CheckEnforced(cgroup_limits, MissingIn(cgroups))
                         : absl::OkStatus();
  if (set.ok()) {
    set = SetCgroupLimits(cgroups, cgroup_limits);
    if (set.ok() && options.require_limits) {
      set = CheckMemory(cgroup_limits, cgroups);
    }
    if (set.ok()) set = (*store)->WriteLimits(id, limits);
    if (!set.ok()) {
      (void)SetCgroupLimits(cgroups,
                            CgroupLimitsOf((*store)->ReadLimits(id), options));
    }
  }
  if (set.ok()) return set;
  // An error is none if the supervisor has removed the cgroups meanwhile.
  records = ReadRecords(lock->get());
  return records.ok() && records->end.has_value() ? absl::OkStatus() : set;
}

}  // namespace posix_internal
}  // namespace external_containerizer
