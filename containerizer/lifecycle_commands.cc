// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The part of Lifecycle that runs commands and hears how they ended.

#include "external_containerizer/containerizer/lifecycle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/lifecycle_messages.h"

namespace external_containerizer {

using lifecycle_internal::BeingDestroyed;
using lifecycle_internal::HasEnded;
using lifecycle_internal::MadeUp;
using lifecycle_internal::Name;

namespace {

// Back-off has long reached its longest by then.
constexpr int kMostCounted = 20;

}  // namespace

OpId Lifecycle::Submit(Command command, const ContainerId& container,
                       Op::Purpose purpose, CallId request,
                       std::vector<CallId> callers) {
  const OpId id = next_id_++;
  Op& op = ops_[id];
  op.command = command;
  op.purpose = purpose;
  op.container = container;
  op.request = request;
  op.callers = std::move(callers);
  slots_.Enqueue(id, command);
  out_.push_back(CommandQueued{id});
  return id;
}

Lifecycle::Op Lifecycle::Take(OpId id) {
  Op op = std::move(ops_.at(id));
  ops_.erase(id);
  out_.push_back(CommandOver{id});
  return op;
}

void Lifecycle::StartWait(const ContainerId& id, Container& container) {
  container.wait = Submit(Command::kWait, id);
  if (container.wait_attempts > 0) {
    container.wait_timer =
        SetTimer(Timer::Kind::kWaitStable, options_.wait_stable, id);
  }
}

void Lifecycle::On(CommandEnded event) {
  const auto it = ops_.find(event.op);
  if (it == ops_.end() || !slots_.IsRunning(event.op)) return;
  slots_.Release(event.op);
  if (RetryLater(event.op, it->second, event.result)) return;
  Op op = Take(event.op);
  const CommandResult& result = event.result;
  switch (op.command) {
    case Command::kLaunch:
      LaunchEnded(op.container, result);
      return;
    case Command::kWait:
      WaitEnded(event.op, op.container, result);
      return;
    case Command::kDestroy:
      DestroyEnded(op.container, result);
      return;
    case Command::kUpdate:
      UpdateEnded(
          event.op, op.container, std::move(op.callers),
          result.status.ok() || !op.may_be_done
              ? result.status
              : absl::Status(result.status.code(),
                             absl::StrCat(result.status.message(),
                                          "; a try before it may have been "
                                          "done")));
      return;
    case Command::kUsage:
      if (const auto c = containers_.find(op.container);
          c != containers_.end() && c->second.usage == event.op) {
        c->second.usage = 0;
      }
      ReturnAll(op.callers, result.status, result.usage);
      return;
    case Command::kRecover:
      if (!result.status.ok()) {
        RecoveryFailed(result.status);
      } else {
        Submit(Command::kContainers, "", Op::Purpose::kRecovery);
      }
      return;
    case Command::kContainers:
      if (op.purpose == Op::Purpose::kCall) {
        ListEnded(std::move(op.callers), result);
      } else if (op.purpose == Op::Purpose::kGoneCheck) {
        GoneCheckEnded(op.container, result);
      } else if (!result.status.ok()) {
        RecoveryFailed(result.status);
      } else {
        Recovered(result);
      }
      return;
  }
}

// Update, usage, containers and recover do no harm when they are repeated.
// `wait` and `destroy` are, too, but have rules of their own.
bool Lifecycle::RetryLater(OpId id, Op& op, const CommandResult& result) {
  switch (op.command) {
    case Command::kLaunch:
    case Command::kWait:
    case Command::kDestroy:
      return false;
    default:
      break;
  }
  if (op.purpose == Op::Purpose::kGoneCheck || !result.WorthAnotherTry() ||
      op.attempts >= options_.max_attempts) {
    return false;
  }
  if (result.outcome == Outcome::kUnknown) op.may_be_done = true;
  Notice(op.container, op.command, "will be tried again", result.status);
  SetTimer(Timer::Kind::kOpRetry, Backoff(op.attempts++), op.container, id);
  return true;
}

void Lifecycle::LaunchEnded(const ContainerId& id,
                            const CommandResult& result) {
  Container& container = containers_.at(id);
  container.launch = 0;
  Stop(container.destroy_timer);
  const bool destroying = container.state == ContainerState::kDestroying;
  if (result.status.ok()) {
    if (destroying) {
      Return(container.launch_call, BeingDestroyed(id));
      StartWait(id, container);
      TryDestroy(id, container);
      return;
    }
    SetState(id, container, ContainerState::kRunning, "launch succeeded");
    Return(container.launch_call, absl::OkStatus());
    StartWait(id, container);
    for (const auto& [command, call] : std::exchange(container.queued, {})) {
      Dispatch(command, call, id);
    }
    return;
  }
  Return(container.launch_call,
         destroying ? absl::AbortedError(absl::StrCat(
                          Name(id), " was destroyed during its launch: ",
                          result.status.message()))
                    : result.status);
  for (const auto& [command, call] : std::exchange(container.queued, {})) {
    Return(call, result.status);
  }
  container.error = result.status;
  if (result.outcome == Outcome::kNotStarted) {
    container.termination = MadeUp(result.status.message());
    Gone(id);
    return;
  }
  if (!destroying) {
    SetState(id, container, ContainerState::kDestroying,
             "launch failed; what it may have left is destroyed",
             result.status);
  }
  TryDestroy(id, container);
}

void Lifecycle::WaitEnded(OpId op, const ContainerId& id,
                          const CommandResult& result) {
  const auto it = containers_.find(id);
  if (it == containers_.end() || it->second.wait != op) return;
  Container& container = it->second;
  container.wait = 0;
  Stop(container.wait_timer);
  if (result.status.ok()) {
    container.termination = result.termination;
    ReturnTermination(container.waiters, container);
    if (container.state == ContainerState::kRunning) {
      UnlistedAnswered(id, container, /*lost=*/false);
      Ended(id, container);
    } else if (container.destroyed) {
      Gone(id);
    }
    return;
  }
  if (container.destroyed) {
    container.termination = MadeUp(result.status.message());
    Gone(id);
    return;
  }
  const bool destroying = container.state == ContainerState::kDestroying;
  const bool denied =
      result.outcome != Outcome::kNotStarted && !result.WorthAnotherTry();
  if (!destroying && container.asked_once && denied) {
    container.termination = MadeUp(absl::StrCat(
        "it is not listed any more, and ", result.status.message()));
    ReturnTermination(container.waiters, container);
    UnlistedAnswered(id, container, /*lost=*/true);
    Ended(id, container);
  } else if (result.outcome == Outcome::kNotStarted) {
    // That says nothing about the container: the program is away, or cannot be
    // executed now. It is asked for as long as that takes.
    Notice(id, Command::kWait, "could not be asked; will be asked again",
           result.status);
    container.waits_not_started = static_cast<uint8_t>(
        std::min(container.waits_not_started + 1, kMostCounted));
    container.wait_timer = SetTimer(Timer::Kind::kWaitRetry,
                                    Backoff(container.waits_not_started), id);
  } else if (++container.wait_attempts < options_.max_wait_attempts) {
    container.waits_not_started = 0;
    Notice(id, Command::kWait, "will be asked again", result.status);
    container.wait_timer =
        SetTimer(Timer::Kind::kWaitRetry, Backoff(container.wait_attempts), id);
  } else if (!destroying) {
    UnlistedAnswered(id, container, /*lost=*/true);
    container.error = result.status;
    BeginDestroy(
        id, container,
        absl::StrCat("its `wait` failed ", container.wait_attempts, " times"));
  }
}

void Lifecycle::DestroyEnded(const ContainerId& id,
                             const CommandResult& result) {
  Container& container = containers_.at(id);
  container.destroy = 0;
  if (result.status.ok()) {
    Destroyed(id, container);
    return;
  }
  container.error = result.status;
  if (result.outcome == Outcome::kNotStarted ||
      result.outcome == Outcome::kUnknown) {
    // What the program lists proves nothing if it was never told: many list
    // nothing at all.
    DestroyAgain(id, container);
    return;
  }
  container.destroy = Submit(Command::kContainers, id, Op::Purpose::kGoneCheck);
}

void Lifecycle::DestroyAgain(const ContainerId& id, Container& container) {
  if (container.destroy_attempts >= options_.max_attempts) {
    DestroyFailed(id, container);
    return;
  }
  Notice(id, Command::kDestroy, "will be tried again", container.error);
  container.destroy_timer = SetTimer(Timer::Kind::kDestroyRetry,
                                     Backoff(container.destroy_attempts), id);
}

void Lifecycle::GoneCheckEnded(const ContainerId& id,
                               const CommandResult& result) {
  Container& container = containers_.at(id);
  container.destroy = 0;
  if (result.status.ok() &&
      std::find(result.containers.begin(), result.containers.end(), id) ==
          result.containers.end()) {
    Notice(id, Command::kDestroy,
           "failed, and the container is not listed any more: it is gone",
           container.error);
    Destroyed(id, container);
  } else {
    DestroyAgain(id, container);
  }
}

void Lifecycle::UpdateEnded(OpId op, const ContainerId& id,
                            std::vector<CallId> callers,
                            const absl::Status& status) {
  ReturnAll(callers, status);
  const auto it = containers_.find(id);
  if (it == containers_.end() || it->second.update != op) return;
  Container& container = it->second;
  container.update = 0;
  if (!container.updates.empty()) {
    StartUpdate(id, container, std::exchange(container.updates, {}));
  }
}

// For one that is neither running nor queued.
void Lifecycle::Abort(OpId id) {
  Op op = Take(id);
  if (const auto it = containers_.find(op.container); it != containers_.end()) {
    OpId& slot =
        op.command == Command::kUpdate ? it->second.update : it->second.usage;
    if (slot == id) slot = 0;
  }
  ReturnAll(op.callers, BeingDestroyed(op.container));
}

void Lifecycle::ListEnded(std::vector<CallId> callers,
                          const CommandResult& result) {
  ReturnAll(callers, result.status, result.containers);
  listing_ = 0;
  if (!next_listing_.empty()) {
    listing_ = Submit(Command::kContainers, "", Op::Purpose::kCall, 0,
                      std::exchange(next_listing_, {}));
  }
}

}  // namespace external_containerizer
