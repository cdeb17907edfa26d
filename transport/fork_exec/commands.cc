// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/commands.h"

#include <sys/resource.h>

#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/reaper.h"

namespace external_containerizer {
namespace fork_exec_internal {
namespace {

// A program that is replaced on disk is "busy" for an instant.
constexpr int kMaxBusyTries = 20;
constexpr absl::Duration kBusyPause = absl::Milliseconds(50);

// The descriptors for everything but waits.
constexpr rlim_t kReservedDescriptors = 256;

}  // namespace

ForkExec::~ForkExec() {
  starters_.Stop();
  std::vector<InvocationId> starting;
  for (auto& [id, waiting] : waiting_) {
    if (waiting.started.has_value() && waiting.started->ok()) {
      starting.push_back(id);
    }
  }
  for (InvocationId id : starting) {
    Enter(id, **std::move(waiting_.at(id).started));
  }
  queued_.clear();
  for (auto& [id, waiting] : waiting_) {
    loop_->CancelTimer(waiting.timer);
  }
  std::vector<UniqueFd*> killed;
  for (auto& [id, running] : running_) {
    Unwatch(&running);
    Process& process = running.started.process;
    const bool to_end = EndsWithItsCaller(running.command) ||
                        running.ending != Ending::kByItself;
    if (!to_end || !process.pidfd.valid()) continue;
    // This replaces an earlier Kill() of the same session.
    killer_.Kill(process.pid, process.pidfd.get(), !ChildrenVanish(),
                 [](bool) {});
    killed.push_back(&process.pidfd);
  }
  killer_.KillNow();
  // Their slots stay in the journal, for the next transport.
  for (UniqueFd* pidfd : killed) ReapLater(*loop_, std::move(*pidfd));
}

InvocationId ForkExec::Invoke(Invocation invocation, Done done) {
  const InvocationId id = next_id_++;
  WaitingCommand waiting;
  waiting.invocation = std::move(invocation);
  waiting.done = std::move(done);
  const auto it = waiting_.emplace(id, std::move(waiting)).first;
  if (it->second.invocation.input.size() > kMaxInputBytes) {
    FailSoon(id, absl::InvalidArgumentError(absl::StrCat(
                     "a record of ", it->second.invocation.input.size(),
                     " bytes is too large; the limit is ", kMaxInputBytes)));
  } else if (!begun_) {
    queued_.push_back(id);
  } else {
    Start(id);
  }
  return id;
}

void ForkExec::Start(InvocationId id) {
  WaitingCommand& waiting = waiting_.at(id);
  if (waiting.timer != 0) return;  // It was cancelled while it was queued.
  const Command command = waiting.invocation.command;
  if (command != Command::kWait) ++in_flight_;
  // Agents send many usage commands at once, and nothing is lost if one is
  // destroyed before it starts. A single command starts faster without a
  // thread.
  if (in_flight_ <= 1 || command != Command::kUsage) {
    OnStarted(id, starter_.Start(&waiting.invocation));
    return;
  }
  waiting.starting = true;
  starters_.Run([this, id, waiting = &waiting] {
    waiting->started = starter_.Start(&waiting->invocation);
    loop_->Post(alive_.Guard([this, id] {
      WaitingCommand& started = waiting_.at(id);
      started.starting = false;
      OnStarted(id, *std::exchange(started.started, std::nullopt));
    }));
  });
}

void ForkExec::OnStarted(InvocationId id,
                         absl::StatusOr<StartedCommand> started) {
  WaitingCommand& waiting = waiting_.at(id);
  const Command command = waiting.invocation.command;
  if (!started.ok()) {
    if (command != Command::kWait) --in_flight_;
    if (waiting.cancelled) {
      FailSoon(id, absl::CancelledError("it was cancelled"));
    } else if (absl::IsUnavailable(started.status()) &&
               ++waiting.busy_tries < kMaxBusyTries) {
      waiting.timer = loop_->RunAfter(kBusyPause, [this, id] {
        waiting_.at(id).timer = 0;
        Start(id);
      });
    } else {
      FailSoon(id, started.status());
    }
    return;
  }
  const absl::Duration timeout = waiting.invocation.timeout;
  const bool cancelled = waiting.cancelled;
  const pid_t pid = started->process.pid;
  std::optional<Journal::Slot> slot;
  if (command == Command::kLaunch || command == Command::kWait) {
    // The command runs also if the journal cannot be written.
    slot = journal_->Add(pid);
  }
  if (options_.on_started) {
    options_.on_started(command, started->sandbox, pid);
  }
  RunningCommand& running = Enter(id, *std::move(started));
  running.slot = slot;
  Watch(id, &running, timeout);
  if (cancelled) End(id, &running, Ending::kCancelled);
}

ForkExec::RunningCommand& ForkExec::Enter(InvocationId id,
                                          StartedCommand started) {
  const auto waiting = waiting_.find(id);
  RunningCommand& running =
      running_
          .emplace(std::piecewise_construct, std::forward_as_tuple(id),
                   std::forward_as_tuple(waiting->second.invocation.command,
                                         std::move(waiting->second.done),
                                         std::move(started),
                                         options_.max_output_bytes))
          .first->second;
  waiting_.erase(waiting);
  return running;
}

void ForkExec::FailSoon(InvocationId id, absl::Status status) {
  WaitingCommand& waiting = waiting_.at(id);
  loop_->CancelTimer(waiting.timer);
  Answer answer;
  answer.outcome = Outcome::kNotStarted;
  answer.status = absl::Status(
      status.code(), absl::StrCat(CommandName(waiting.invocation.command),
                                  " by \"", absl::CHexEscape(options_.program),
                                  "\" was not started: ", status.message()));
  waiting.timer = loop_->RunAfter(
      absl::ZeroDuration(), [this, id, answer = std::move(answer)]() mutable {
        Done done = std::move(waiting_.at(id).done);
        waiting_.erase(id);
        std::move(done)(std::move(answer));
      });
}

size_t ForkExec::MaxWaits() const {
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  const rlim_t each = ChildrenVanish() ? 3 : 2;
  return limit.rlim_cur <= kReservedDescriptors + each
             ? 1
             : static_cast<size_t>((limit.rlim_cur - kReservedDescriptors) /
                                   each);
}

}  // namespace fork_exec_internal
}  // namespace external_containerizer
