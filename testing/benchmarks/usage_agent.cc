// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/usage_agent.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/transport/fork_exec/fork_exec.h"

namespace external_containerizer {
namespace {

constexpr char kSandboxes[] = "sandboxes";

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
}

LaunchRequest RequestFor(const std::string& directory, const ContainerId& id) {
  LaunchRequest request;
  request.id = id;
  request.executor.mutable_executor_id()->set_value(id);
  request.executor.mutable_framework_id()->set_value("benchmark");
  // The command, for a program that executes it. It ends by itself if nobody
  // destroys it.
  request.executor.mutable_command()->set_value("exec sleep 600");
  request.sandbox = {directory, absl::StrCat(kSandboxes, "/", id),
                     std::nullopt};
  return request;
}

// A number of calls of Usage() on one thread, the containerizer's.
class Calls {
 public:
  using UsageOr = absl::StatusOr<std::optional<wire::ResourceStatistics>>;

  Calls(Containerizer& containerizer, int calls)
      : containerizer_(containerizer), to_start_(calls), to_end_(calls) {}

  // The first call is made on another thread, and is the only one of these
  // whose callback can come while others are made: hence `at_once` in all.
  void Start(int at_once) {
    to_start_ -= at_once;
    for (int i = 0; i < at_once; ++i) Call(UsageAgent::IdOf(i));
  }

  absl::Status Wait() {
    done_.WaitForNotification();
    return status_;
  }

 private:
  void Call(const ContainerId& id) {
    containerizer_.Usage(id, [this, id](UsageOr usage) { Ended(id, usage); });
  }

  void Ended(const ContainerId& id, const UsageOr& usage) {
    status_.Update(usage.status());
    if (usage.ok() && !usage->has_value()) {
      status_.Update(absl::InternalError("usage answered nothing"));
    }
    if (to_start_ > 0) {
      --to_start_;
      Call(id);
    }
    if (--to_end_ == 0) done_.Notify();
  }

  Containerizer& containerizer_;
  int to_start_;
  int to_end_;
  absl::Status status_;
  absl::Notification done_;
};

}  // namespace

ContainerId UsageAgent::IdOf(int number) { return absl::StrCat("c", number); }

absl::StatusOr<std::unique_ptr<UsageAgent>> UsageAgent::Start(
    const std::string& program, const std::string& directory, int containers) {
  absl::Status status = MakeDirectory(directory);
  if (!status.ok()) return status;
  auto waiting = std::make_shared<absl::BlockingCounter>(containers);
  ForkExecOptions fork_exec;
  fork_exec.program = program;
  fork_exec.work_directory = directory;
  fork_exec.on_started = [waiting](Command command,
                                   const std::optional<Sandbox>&, pid_t) {
    if (command == Command::kWait) waiting->DecrementCount();
  };
  auto agent = Start(ForkExecTransport(std::move(fork_exec)), directory);
  if (!agent.ok()) return agent.status();
  status = (*agent)->Launch(0, containers);
  if (!status.ok()) return status;
  waiting->Wait();
  return agent;
}

absl::StatusOr<std::unique_ptr<UsageAgent>> UsageAgent::Start(
    TransportFactory transport, const std::string& directory) {
  absl::Status status = MakeDirectory(absl::StrCat(directory, "/", kSandboxes));
  if (!status.ok()) return status;
  Options options;
  options.environment.work_directory = directory;
  auto containerizer = Containerizer::Create(options, std::move(transport));
  if (!containerizer.ok()) return containerizer.status();
  auto summary = BlockingContainerizer(**containerizer).Recover({});
  if (!summary.ok()) return summary.status();
  return std::unique_ptr<UsageAgent>(
      new UsageAgent(*std::move(containerizer), directory));
}

absl::Status UsageAgent::Launch(int begin, int end) {
  absl::Status status;
  for (int i = begin; i < end; ++i) {
    status.Update(
        MakeDirectory(absl::StrCat(directory_, "/", kSandboxes, "/", IdOf(i))));
  }
  if (!status.ok()) return status;
  absl::BlockingCounter launched(end - begin);
  for (int i = begin; i < end; ++i) {
    containerizer_->Launch(RequestFor(directory_, IdOf(i)),
                           [&](absl::Status launch) {
                             status.Update(launch);
                             launched.DecrementCount();
                           });
  }
  launched.Wait();
  return status;
}

absl::Status UsageAgent::Destroy(int begin, int end) {
  absl::Status status;
  for (int i = begin; i < end; ++i) {
    status.Update(
        BlockingContainerizer(*containerizer_).Destroy(IdOf(i)).status());
  }
  return status;
}

absl::StatusOr<absl::Duration> UsageAgent::TimePerCall(int calls, int at_once) {
  Calls block(*containerizer_, calls);
  const absl::Time start = absl::Now();
  block.Start(at_once);
  const absl::Status status = block.Wait();
  if (!status.ok()) return status;
  return (absl::Now() - start) / calls;
}

}  // namespace external_containerizer
