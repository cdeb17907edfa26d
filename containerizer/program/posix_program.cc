// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/posix_program.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/cgroup_hierarchies.h"
#include "external_containerizer/containerizer/program/cgroup_limits.h"
#include "external_containerizer/containerizer/program/container_cgroups.h"
#include "external_containerizer/containerizer/program/container_processes.h"
#include "external_containerizer/containerizer/program/container_records.h"
#include "external_containerizer/containerizer/program/container_report.h"
#include "external_containerizer/containerizer/program/container_store.h"
#include "external_containerizer/containerizer/program/launch_plan.h"
#include "external_containerizer/containerizer/program/process.h"
#include "external_containerizer/containerizer/program/process_watcher.h"
#include "external_containerizer/containerizer/program/sandbox.h"
#include "external_containerizer/containerizer/program/start_container.h"
#include "external_containerizer/containerizer/program/tree_usage.h"
#include "external_containerizer/transport/unique_fd.h"

namespace external_containerizer {

// The names of the parts.
using namespace posix_internal;  // NOLINT(build/namespaces)

namespace {

constexpr absl::Duration kMaxGrace = absl::Hours(24);

// For a supervisor to end after it has killed its container; then it is killed
// itself.
constexpr absl::Duration kSupervisorMargin = absl::Seconds(10);

// For processes in a container's cgroups to die of SIGKILL, and for the kernel
// to let go of the cgroups then.
constexpr absl::Duration kKillTime = absl::Seconds(5);
constexpr absl::Duration kRemoveTime = absl::Seconds(2);

constexpr double kMaxMebibytes = 1e12;

absl::StatusOr<std::shared_ptr<ContainerStore>> OpenStore(
    const Context& context) {
  const auto runtime = context.environment.find("XDG_RUNTIME_DIR");
  const std::string fallback =
      runtime != context.environment.end() && !runtime->second.empty()
          ? absl::StrCat(runtime->second, "/posix-containerizer")
          : absl::StrCat("/tmp/posix-containerizer-", geteuid());
  absl::StatusOr<ContainerStore> store =
      ContainerStore::Open(context.work_directory, fallback);
  if (!store.ok()) return store.status();
  return std::make_shared<ContainerStore>(*std::move(store));
}

absl::Status NeverLaunched() {
  return absl::FailedPreconditionError(
      "its launch did not come to an end; destroy it");
}

// What its cgroups are to enforce. Nothing and less are no limit.
CgroupLimits CgroupLimitsOf(const Limits& limits,
                            const PosixProgram::Options& options) {
  CgroupLimits result;
  if (limits.mem_mib.has_value() && *limits.mem_mib > 0) {
    result.memory_bytes = static_cast<uint64_t>(
        std::min(*limits.mem_mib, kMaxMebibytes) * (1 << 20));
  }
  if (limits.cpus.has_value() && *limits.cpus > 0) result.cpus = limits.cpus;
  result.quota = options.cpu_quota;
  result.pids = options.pids_max;
  return result;
}

// FAILED_PRECONDITION if a limit is asked for that will not be enforced.
absl::Status CheckEnforced(const CgroupLimits& limits, const CgroupPlan& plan) {
  const struct {
    const char* controller;
    const char* what;
    bool wanted;
  } all[] = {{"memory", "memory", limits.memory_bytes.has_value()},
             {"cpu", "cpus", limits.cpus.has_value()},
             {"pids", "processes", limits.pids.has_value()}};
  for (const auto& one : all) {
    const auto missing = plan.missing.find(one.controller);
    if (!one.wanted || missing == plan.missing.end()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "its limit of ", one.what,
        " cannot be enforced (--require_limits): ", missing->second));
  }
  return absl::OkStatus();
}

// The container's cgroups, with their limits. Whatever happens, those that
// there may be are written down in its file before.
absl::StatusOr<CgroupPlan> PrepareCgroups(
    int container, const CgroupLimits& limits, const std::string& directory,
    const PosixProgram::Options& options) {
  CgroupPlan plan =
      PlanCgroups(options.cgroups ? FindCgroupHierarchies()
                                  : std::vector<CgroupHierarchy>(),
                  options.cgroup_parent, NewCgroupName(directory),
                  options.pids_max.has_value());
  auto write_down = [container](const ContainerCgroups& cgroups) {
    return cgroups.empty() || AppendRecord(container, RecordLines(cgroups))
               ? absl::OkStatus()
               : absl::ResourceExhaustedError(absl::StrCat(
                     "cannot write down its cgroups: ", strerror(errno)));
  };
  const ContainerCgroups planned = plan.cgroups;
  if (absl::Status status = write_down(planned); !status.ok()) return status;
  MakeCgroups(plan);
  if (!(plan.cgroups == planned)) {
    ContainerCgroups made = planned;
    for (ContainerCgroup& cgroup : made) {
      cgroup.controllers.clear();
      for (const ContainerCgroup& one : plan.cgroups) {
        if (one.path == cgroup.path) cgroup.controllers = one.controllers;
      }
    }
    if (absl::Status status = write_down(made); !status.ok()) return status;
  }
  absl::Status status = SetCgroupLimits(plan.cgroups, limits);
  if (!status.ok()) return status;
  return plan;
}

// Ends what there is, if the supervisor does not (any more).
absl::Status EndContainer(const ContainerRecords& records) {
  if (records.launch.has_value()) {
    absl::Status killed = KillSurvivors(*records.launch);
    if (!killed.ok()) return killed;
  }
  absl::Status killed = KillCgroups(records.cgroups, kKillTime);
  if (!killed.ok()) return killed;
  return RemoveCgroups(records.cgroups, kRemoveTime);
}

absl::Status LaunchContainer(const wire::Launch& request,
                             const Context& context,
                             const PosixProgram::Options& options) {
  const std::string& id = request.container_id().value();
  StartRequest start;
  start.id = id;
  start.supervisor = options.supervisor;
  absl::StatusOr<TaskSpec> spec = MakeTaskSpec(request, context.environment);
  if (!spec.ok()) return spec.status();
  start.spec = *std::move(spec);
  start.spec.limits = options.rlimits;
  start.spec.no_new_privileges = options.no_new_privileges;
  const Limits limits = LimitsOf(request);
  const CgroupLimits cgroup_limits = CgroupLimitsOf(limits, options);

  const std::string path =
      request.has_directory() ? request.directory() : context.sandbox;
  const absl::StatusOr<UniqueFd> sandbox = OpenSandbox(path);
  if (!sandbox.ok()) return sandbox.status();
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return store.status();
  const absl::StatusOr<UniqueFd> container = (*store)->Create(id);
  if (!container.ok()) return container.status();

  auto run = [&]() -> absl::Status {
    const absl::StatusOr<UniqueFd> output =
        OpenForAppending(sandbox->get(), path, "stdout", start.spec.user);
    if (!output.ok()) return output.status();
    const absl::StatusOr<UniqueFd> errors =
        OpenForAppending(sandbox->get(), path, "stderr", start.spec.user);
    if (!errors.ok()) return errors.status();
    absl::Status written = (*store)->WriteLimits(id, limits);
    if (!written.ok()) return written;
    const absl::StatusOr<CgroupPlan> plan = PrepareCgroups(
        container->get(), cgroup_limits, context.work_directory, options);
    if (!plan.ok()) return plan.status();
    if (options.require_limits) {
      absl::Status enforced = CheckEnforced(cgroup_limits, *plan);
      if (!enforced.ok()) return enforced;
    }
    start.spec.cgroups = ProcsFiles(plan->cgroups);
    start.container = container->get();
    start.sandbox = sandbox->get();
    start.output = output->get();
    start.errors = errors->get();
    return StartContainer(start);
  };
  absl::Status status = run();
  if (status.ok()) return status;
  // Whatever does not work here is left to the destroy that follows.
  ContainerRecords records = ReadRecords(container->get());
  // It has ended, and been reaped.
  if (status.code() != absl::StatusCode::kInternal) records.launch.reset();
  if (EndContainer(records).ok()) (void)(*store)->Remove(id);
  return status;
}

absl::Status UpdateLimits(const wire::Update& request, const Context& context,
                          const PosixProgram::Options& options) {
  const std::string& id = request.container_id().value();
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return store.status();
  const absl::StatusOr<UniqueFd> lock = (*store)->Lock(id);
  if (!lock.ok()) return lock.status();
  const Limits limits = LimitsOf(request.resources());
  absl::Status written = (*store)->WriteLimits(id, limits);
  if (!written.ok()) return written;
  const ContainerRecords records = ReadRecords(lock->get());
  // Nothing is left to limit.
  if (records.end.has_value()) return absl::OkStatus();
  absl::Status set =
      SetCgroupLimits(records.cgroups, CgroupLimitsOf(limits, options));
  // The supervisor removes them when all has ended.
  return ReadRecords(lock->get()).end.has_value() ? absl::OkStatus() : set;
}

absl::StatusOr<std::optional<wire::ResourceStatistics>> ReadUsage(
    const wire::Usage& request, const Context& context) {
  const std::string& id = request.container_id().value();
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return store.status();
  const absl::StatusOr<UniqueFd> file = (*store)->OpenLaunched(id);
  if (!file.ok()) return file.status();
  ContainerRecords records = ReadRecords(file->get());
  if (!records.launch.has_value()) return NeverLaunched();

  wire::ResourceStatistics statistics;
  statistics.set_timestamp(
      absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()));
  CgroupUsage counted;
  std::optional<TreeUsage> running;
  if (!records.end.has_value() && records.launch->boot_id == ReadBootId()) {
    counted = ReadCgroupUsage(records.cgroups);
    // Where the cgroups know it all, nothing is to be gathered from /proc.
    if (counted.processes.value_or(0) == 0 ||
        !counted.user_microseconds.has_value() ||
        !counted.anonymous_bytes.has_value()) {
      running = UsageBelow(records.launch->supervisor);
    } else {
      running = TreeUsage();
    }
    // It may have ended meanwhile, and then there was nothing to be found.
    records = ReadRecords(file->get());
  }
  if (records.end.has_value()) {
    SetStatistics(*records.end, &statistics);
    return std::optional<wire::ResourceStatistics>(std::move(statistics));
  }
  if (running.has_value()) {
    SetStatistics(*running, &statistics);
  } else {
    const absl::StatusOr<std::vector<ProcessStat>> survivors =
        Survivors(*records.launch);
    if (!survivors.ok()) return survivors.status();
    if (survivors->empty()) return std::optional<wire::ResourceStatistics>();
    SetStatistics(UsageOf(*survivors), &statistics);
  }
  SetStatistics(counted, &statistics);
  const Limits limits = (*store)->ReadLimits(id);
  if (counted.cpus_limited && limits.cpus.value_or(0) > 0) {
    statistics.set_cpus_limit(*limits.cpus);
  }
  return std::optional<wire::ResourceStatistics>(std::move(statistics));
}

// The container's supervisor is gone, or is no use. `lock` is held.
absl::Status RemoveContainer(ContainerStore& store, const std::string& id,
                             ContainerRecords records) {
  if (records.end.has_value() && records.end->complete) records.launch.reset();
  if (records.launch.has_value()) {
    const ProcessId& supervisor = records.launch->supervisor;
    absl::StatusOr<UniqueFd> found = FindProcess(*records.launch, supervisor);
    if (!found.ok()) return found.status();
    if (found->valid()) SignalProcess(supervisor, SIGKILL);
  }
  if (absl::Status ended = EndContainer(records); !ended.ok()) return ended;
  return store.Remove(id);
}

absl::Status RecoverContainers(const Context& context) {
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return store.status();
  const absl::StatusOr<std::vector<std::string>> ids = (*store)->List();
  if (!ids.ok()) return ids.status();
  for (const std::string& id : *ids) {
    // What somebody is launching now is locked.
    absl::StatusOr<std::optional<UniqueFd>> lock = (*store)->TryLock(id);
    if (!lock.ok() || !lock->has_value()) continue;
    const ContainerRecords records = ReadRecords((*lock)->get());
    if (records.launch.has_value()) {
      // A supervisor that was killed at its very end.
      if (records.end.has_value() && records.end->complete) {
        (void)RemoveCgroups(records.cgroups, absl::ZeroDuration());
      }
      continue;
    }
    // A launch that was killed before it had started anything.
    absl::Status removed = RemoveContainer(**store, id, records);
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

}  // namespace

class PosixProgram::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {
    options_.grace =
        std::clamp(options_.grace, absl::ZeroDuration(), kMaxGrace);
  }

  const Options& options() const { return options_; }

  void Wait(const wire::Wait& request, const Context& context,
            Reply<wire::Termination> reply) {
    absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
    if (!store.ok()) return std::move(reply)(store.status());
    absl::StatusOr<UniqueFd> file =
        (*store)->OpenLaunched(request.container_id().value());
    if (!file.ok()) return std::move(reply)(file.status());
    const ContainerRecords records = ReadRecords(file->get());
    if (!records.launch.has_value()) return std::move(reply)(NeverLaunched());
    auto waiting = std::make_shared<Waiting>(
        Waiting{*std::move(file), *records.launch, context.cancellation,
                std::move(reply)});
    WaitFor(waiting, waiting->launch.supervisor,
            [this, waiting] { WaitForTask(waiting); });
  }

  void Destroy(const std::string& id, const Context& context,
               Reply<void> reply) {
    absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
    if (!store.ok()) return std::move(reply)(store.status());
    absl::StatusOr<UniqueFd> lock = (*store)->Lock(id);
    if (absl::IsNotFound(lock.status())) {
      return std::move(reply)(absl::OkStatus());
    }
    if (!lock.ok()) return std::move(reply)(lock.status());
    const ContainerRecords records = ReadRecords(lock->get());
    absl::StatusOr<UniqueFd> supervisor = UniqueFd();
    if (records.launch.has_value()) {
      supervisor = FindProcess(*records.launch, records.launch->supervisor);
    }
    if (!supervisor.ok()) return std::move(reply)(supervisor.status());
    if (!supervisor->valid()) {
      return std::move(reply)(RemoveContainer(**store, id, records));
    }
    // Others may destroy it, too, meanwhile.
    lock->Reset();
    TellToTerminate(*supervisor, options_.grace);
    watcher_.Watch(
        *std::move(supervisor), options_.grace + kSupervisorMargin,
        [store = *std::move(store), id, token = records.launch->token,
         reply = std::move(reply)](absl::Status ended) mutable {
          if (absl::IsResourceExhausted(ended)) {
            return std::move(reply)(std::move(ended));
          }
          std::move(reply)(FinishDestroy(*store, id, token));
        });
  }

 private:
  struct Waiting {
    UniqueFd file;
    LaunchRecord launch;
    Cancellation cancellation;
    Reply<wire::Termination> reply;
  };

  static absl::Status FinishDestroy(ContainerStore& store,
                                    const std::string& id,
                                    const std::string& token) {
    absl::StatusOr<UniqueFd> lock = store.Lock(id);
    if (absl::IsNotFound(lock.status())) return absl::OkStatus();
    if (!lock.ok()) return lock.status();
    const ContainerRecords records = ReadRecords(lock->get());
    // Destroyed by somebody else, and launched anew.
    if (!records.launch.has_value() || records.launch->token != token) {
      return absl::OkStatus();
    }
    return RemoveContainer(store, id, records);
  }

  // Calls `next` when the process has ended; answers itself what goes wrong.
  void WaitFor(const std::shared_ptr<Waiting>& waiting, const ProcessId& id,
               absl::AnyInvocable<void() &&> next) {
    absl::StatusOr<UniqueFd> process = FindProcess(waiting->launch, id);
    if (!process.ok()) return std::move(waiting->reply)(process.status());
    if (!process->valid()) return std::move(next)();
    const ProcessWatcher::WatchId watch = watcher_.Watch(
        *std::move(process), absl::InfiniteDuration(),
        [waiting, next = std::move(next)](absl::Status ended) mutable {
          if (!ended.ok()) return std::move(waiting->reply)(std::move(ended));
          std::move(next)();
        });
    waiting->cancellation.OnCancelled(
        [this, watch] { watcher_.Cancel(watch); });
  }

  // The supervisor has ended.
  void WaitForTask(const std::shared_ptr<Waiting>& waiting) {
    const ContainerRecords records = ReadRecords(waiting->file.get());
    if (records.end.has_value()) {
      return std::move(waiting->reply)(TerminationOf(*records.end));
    }
    // Killed: the task may run on without it.
    WaitFor(waiting, waiting->launch.task, [waiting] {
      std::move(waiting->reply)(UnseenTermination(
          waiting->launch,
          ReadMemoryEvents(ReadRecords(waiting->file.get()).cgroups)));
    });
  }

  Options options_;
  ProcessWatcher watcher_;
};

PosixProgram::PosixProgram() : PosixProgram(Options()) {}

PosixProgram::PosixProgram(Options options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

PosixProgram::~PosixProgram() = default;

void PosixProgram::Launch(const wire::Launch& request, const Context& context,
                          Reply<void> reply) {
  std::move(reply)(LaunchContainer(request, context, impl_->options()));
}

void PosixProgram::Update(const wire::Update& request, const Context& context,
                          Reply<void> reply) {
  std::move(reply)(UpdateLimits(request, context, impl_->options()));
}

void PosixProgram::Usage(const wire::Usage& request, const Context& context,
                         Reply<std::optional<wire::ResourceStatistics>> reply) {
  std::move(reply)(ReadUsage(request, context));
}

void PosixProgram::Wait(const wire::Wait& request, const Context& context,
                        Reply<wire::Termination> reply) {
  impl_->Wait(request, context, std::move(reply));
}

void PosixProgram::Destroy(const wire::Destroy& request, const Context& context,
                           Reply<void> reply) {
  impl_->Destroy(request.container_id().value(), context, std::move(reply));
}

void PosixProgram::Containers(const Context& context,
                              Reply<wire::Containers> reply) {
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return std::move(reply)(store.status());
  const absl::StatusOr<std::vector<std::string>> ids = (*store)->List();
  if (!ids.ok()) return std::move(reply)(ids.status());
  wire::Containers containers;
  for (const std::string& id : *ids) {
    containers.add_containers()->set_value(id);
  }
  std::move(reply)(std::move(containers));
}

void PosixProgram::Recover(const Context& context, Reply<void> reply) {
  std::move(reply)(RecoverContainers(context));
}

}  // namespace external_containerizer
