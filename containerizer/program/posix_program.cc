// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/posix_program.h"

#include <signal.h>
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
#include "external_containerizer/containerizer/program/container_processes.h"
#include "external_containerizer/containerizer/program/container_records.h"
#include "external_containerizer/containerizer/program/container_store.h"
#include "external_containerizer/containerizer/program/launch_plan.h"
#include "external_containerizer/containerizer/program/process.h"
#include "external_containerizer/containerizer/program/process_watcher.h"
#include "external_containerizer/containerizer/program/sandbox.h"
#include "external_containerizer/containerizer/program/start_container.h"
#include "external_containerizer/containerizer/program/tree_usage.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/transport/unique_fd.h"

namespace external_containerizer {

// The names of the parts.
using namespace posix_internal;  // NOLINT(build/namespaces)

namespace {

constexpr absl::Duration kMaxGrace = absl::Hours(24);

// For a supervisor to end after it has killed its container; then it is killed
// itself.
constexpr absl::Duration kSupervisorMargin = absl::Seconds(10);

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

wire::Termination MakeTermination(const EndRecord& end) {
  wire::Termination termination = wire::MakeTermination(end.wait_status, "");
  const wire::Exit exit = wire::ExitOf(termination);
  termination.set_message(
      absl::StrCat(end.destroyed ? "destroyed: " : "", exit.ToString()));
  if (end.destroyed) {
    termination.set_state(wire::TASK_KILLED);
  } else if (exit == wire::Exit{wire::Exit::Kind::kExited, 0}) {
    termination.set_state(wire::TASK_FINISHED);
  } else {
    termination.set_state(wire::TASK_FAILED);
    termination.add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  }
  return termination;
}

// Nobody saw the end.
wire::Termination MakeTermination(const LaunchRecord& launch) {
  wire::Termination termination;
  termination.set_killed(false);
  termination.set_message(
      launch.boot_id == ReadBootId()
          ? "ended, but its supervisor was killed before it could record how"
          : "ended when the machine was rebooted");
  termination.set_state(wire::TASK_FAILED);
  termination.add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  return termination;
}

void Set(const TreeUsage& usage, wire::ResourceStatistics* statistics) {
  statistics->set_cpus_user_time_secs(usage.user_seconds);
  statistics->set_cpus_system_time_secs(usage.system_seconds);
  statistics->set_mem_rss_bytes(usage.rss_bytes);
  statistics->set_processes(usage.processes);
  statistics->set_threads(usage.threads);
}

// Of a container that has ended: all it used, and the most memory that a
// process of it had.
void Set(const EndRecord& end, wire::ResourceStatistics* statistics) {
  statistics->set_cpus_user_time_secs(
      static_cast<double>(end.user_microseconds) / 1e6);
  statistics->set_cpus_system_time_secs(
      static_cast<double>(end.system_microseconds) / 1e6);
  statistics->set_mem_rss_bytes(end.max_rss_bytes);
  statistics->set_processes(0);
  statistics->set_threads(0);
}

absl::Status LaunchContainer(const wire::Launch& request,
                             const Context& context,
                             const std::string& supervisor) {
  const std::string& id = request.container_id().value();
  if (absl::Status user = CheckUser(request); !user.ok()) return user;
  StartRequest start;
  start.id = id;
  start.supervisor = supervisor;
  absl::StatusOr<TaskSpec> spec = MakeTaskSpec(request, context.environment);
  if (!spec.ok()) return spec.status();
  start.spec = *std::move(spec);

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
        OpenForAppending(sandbox->get(), path, "stdout");
    if (!output.ok()) return output.status();
    const absl::StatusOr<UniqueFd> errors =
        OpenForAppending(sandbox->get(), path, "stderr");
    if (!errors.ok()) return errors.status();
    absl::Status limits = (*store)->WriteLimits(id, LimitsOf(request));
    if (!limits.ok()) return limits;
    start.container = container->get();
    start.sandbox = sandbox->get();
    start.output = output->get();
    start.errors = errors->get();
    return StartContainer(start);
  };
  absl::Status status = run();
  if (status.ok()) return status;
  // Whatever does not work here is left to the destroy that follows.
  if (status.code() == absl::StatusCode::kInternal) {
    const ContainerRecords records = ReadRecords(container->get());
    if (records.launch.has_value() && !KillSurvivors(*records.launch).ok()) {
      return status;
    }
  }
  (void)(*store)->Remove(id);
  return status;
}

absl::Status UpdateLimits(const wire::Update& request, const Context& context) {
  const std::string& id = request.container_id().value();
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return store.status();
  const absl::StatusOr<UniqueFd> lock = (*store)->Lock(id);
  if (!lock.ok()) return lock.status();
  return (*store)->WriteLimits(id, LimitsOf(request.resources()));
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
  const Limits limits = (*store)->ReadLimits(id);
  if (limits.cpus.has_value()) statistics.set_cpus_limit(*limits.cpus);
  if (limits.mem_mib.has_value() && *limits.mem_mib >= 0) {
    statistics.set_mem_limit_bytes(
        static_cast<uint64_t>(std::min(*limits.mem_mib, 1e12) * (1 << 20)));
  }
  std::optional<TreeUsage> running;
  if (!records.end.has_value() && records.launch->boot_id == ReadBootId()) {
    running = UsageBelow(records.launch->supervisor);
    // It may have ended during the walk, and then no process was below it.
    records = ReadRecords(file->get());
  }
  if (records.end.has_value()) {
    Set(*records.end, &statistics);
  } else if (running.has_value()) {
    Set(*running, &statistics);
  } else {
    const absl::StatusOr<std::vector<ProcessStat>> survivors =
        Survivors(*records.launch);
    if (!survivors.ok()) return survivors.status();
    if (survivors->empty()) return std::optional<wire::ResourceStatistics>();
    Set(UsageOf(*survivors), &statistics);
  }
  return std::optional<wire::ResourceStatistics>(std::move(statistics));
}

// The container's supervisor is gone, or is no use. `lock` is held.
absl::Status RemoveContainer(ContainerStore& store, const std::string& id,
                             const ContainerRecords& records) {
  if (records.launch.has_value() &&
      !(records.end.has_value() && records.end->complete)) {
    const ProcessId& supervisor = records.launch->supervisor;
    absl::StatusOr<UniqueFd> found = FindProcess(*records.launch, supervisor);
    if (!found.ok()) return found.status();
    if (found->valid()) SignalProcess(supervisor, SIGKILL);
    if (absl::Status killed = KillSurvivors(*records.launch); !killed.ok()) {
      return killed;
    }
  }
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
    if (ReadRecords((*lock)->get()).launch.has_value()) continue;
    // A launch that was killed before it had started anything.
    absl::Status removed = (*store)->Remove(id);
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

  const std::string& supervisor() const { return options_.supervisor; }

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
      return std::move(waiting->reply)(MakeTermination(*records.end));
    }
    // Killed: the task may run on without it.
    WaitFor(waiting, waiting->launch.task, [waiting] {
      std::move(waiting->reply)(MakeTermination(waiting->launch));
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
  std::move(reply)(LaunchContainer(request, context, impl_->supervisor()));
}

void PosixProgram::Update(const wire::Update& request, const Context& context,
                          Reply<void> reply) {
  std::move(reply)(UpdateLimits(request, context));
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
