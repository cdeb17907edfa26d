// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The part of Lifecycle that runs commands and learns how they ended.

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

// The back-off has reached its longest long before that.
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
  if (!container.cause.ok()) {
    container.wait_timer =
        SetTimer(Timer::Kind::kWaitStable, options_.wait_stable, id);
  }
}

void Lifecycle::On(CommandEnded event) {
  const auto it = ops_.find(event.op);
  if (it == ops_.end() || !slots_.IsRunning(event.op)) return;
  slots_.Release(event.op);
  CommandResult& result = event.result;
  // No op about a container outlives its entry.
  Container* const container = it->second.container.empty()
                                   ? nullptr
                                   : &containers_.at(it->second.container);
  if (container != nullptr && result.outcome == Outcome::kUnknown &&
      !HasResult(it->second.command)) {
    Stop(container->unknown_timer);
    container->unknown_timer =
        SetTimer(Timer::Kind::kUnknownGrace, options_.unknown_grace,
                 it->second.container);
  }
  if (RetryLater(event.op, it->second, container, result)) return;
  Op op = Take(event.op);
  if (container != nullptr && container->destroyed &&
      absl::IsCancelled(result.status)) {
    result.status = BeingDestroyed(op.container);
  }
  switch (op.command) {
    case Command::kLaunch:
      LaunchEnded(op.container, result);
      return;
    case Command::kWait:
      WaitEnded(op.container, result);
      return;
    case Command::kDestroy:
      DestroyEnded(op.container, result);
      return;
    case Command::kUpdate:
      container->update = 0;
      ReturnAll(op.callers,
                result.status.ok() || !op.may_be_done
                    ? result.status
                    : absl::Status(result.status.code(),
                                   absl::StrCat(result.status.message(),
                                                "; a try before it may have "
                                                "been done")));
      if (!container->updates.empty()) {
        StartUpdate(op.container, *container,
                    std::exchange(container->updates, {}));
      }
      BecomeGoneIfOver(op.container, *container);
      return;
    case Command::kUsage:
      container->usage = 0;
      ReturnAll(op.callers, result.status, result.usage);
      BecomeGoneIfOver(op.container, *container);
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
        ReturnAll(op.callers, result.status, result.containers);
      } else if (op.purpose == Op::Purpose::kGoneCheck) {
        GoneCheckEnded(op.container, result);
      } else if (!result.status.ok()) {
        RecoveryFailed(result.status);
      } else {
        ReconcileWith(result);
      }
      return;
  }
}

// Update, usage, containers and recover do no harm when they are repeated. So
// do `wait` and `destroy`, but they have rules of their own.
bool Lifecycle::RetryLater(OpId id, Op& op, const Container* container,
                           const CommandResult& result) {
  if (container != nullptr && container->state == ContainerState::kDestroying) {
    return false;
  }
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
  op.retry =
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
  container.cause = result.status;
  if (result.outcome == Outcome::kNotStarted) {
    container.termination = MadeUp(result.status.message());
    BecomeGone(id);
    return;
  }
  if (!destroying) {
    SetState(id, container, ContainerState::kDestroying,
             "launch failed; what it may have left is destroyed",
             result.status);
  }
  TryDestroy(id, container);
}

void Lifecycle::WaitEnded(const ContainerId& id, const CommandResult& result) {
  Container& container = containers_.at(id);
  container.wait = 0;
  Stop(container.wait_timer);
  if (container.destroyed) Stop(container.destroy_timer);
  const bool destroying = container.state == ContainerState::kDestroying;
  if (result.status.ok()) {
    WaitWorks(id, container);
    container.termination = result.termination;
    ReturnTermination(container.waiters, container);
    if (destroying) {
      BecomeGoneIfOver(id, container);
    } else {
      UnlistedAnswered(id, /*lost=*/false);
      EnterEnded(id, container);
    }
    return;
  }
  if (container.destroyed) {
    container.cause.Update(result.status);
    BecomeGoneIfOver(id, container);
    return;
  }
  const bool not_started = result.outcome == Outcome::kNotStarted;
  if (!destroying && unlisted_.contains(id) && !not_started &&
      !result.WorthAnotherTry()) {
    container.termination = MadeUp(absl::StrCat(
        "it is not listed any more, and ", result.status.message()));
    ReturnTermination(container.waiters, container);
    UnlistedAnswered(id, /*lost=*/true);
    EnterEnded(id, container);
    return;
  }
  container.cause.Update(result.status);
  if (not_started) {
    // The program is away, or cannot be executed now. That says nothing about
    // the container, so `wait` is repeated for as long as it takes.
    container.waits_not_started = static_cast<uint8_t>(
        std::min(container.waits_not_started + 1, kMostCounted));
    if (!destroying &&
        container.waits_not_started >= options_.max_waits_not_started) {
      ReturnAll(
          container.waiters,
          absl::Status(result.status.code(),
                       absl::StrCat(Name(id),
                                    " cannot be asked how it ends, and will be "
                                    "asked again; ",
                                    result.status.message())));
    }
  } else if (++container.wait_attempts < options_.max_wait_attempts) {
    container.waits_not_started = 0;
  } else if (destroying) {
    return;
  } else {
    UnlistedAnswered(id, /*lost=*/true);
    container.cause = absl::Status(
        container.cause.code(),
        absl::StrCat("the agent destroyed it, because its `wait` failed ",
                     container.wait_attempts,
                     " times; the first time: ", container.cause.message()));
    BeginDestroy(id, container, "its `wait` failed too often");
    return;
  }
  // Every `wait` fails once when a helper is replaced, so one failure is no
  // trouble.
  if (result.WorthAnotherTry() &&
      container.wait_attempts + container.waits_not_started == 1) {
    Notice(id, Command::kWait, "will be tried again", result.status);
  } else {
    Trouble(id, container, Command::kWait, result.status);
  }
  container.wait_timer =
      SetTimer(Timer::Kind::kWaitRetry,
               Backoff(not_started ? container.waits_not_started
                                   : container.wait_attempts),
               id);
}

void Lifecycle::DestroyEnded(const ContainerId& id,
                             const CommandResult& result) {
  Container& container = containers_.at(id);
  container.destroy = 0;
  if (result.status.ok()) {
    FinishDestroy(id, container);
    return;
  }
  container.destroy_error = result.status;
  if (result.outcome == Outcome::kNotStarted ||
      result.outcome == Outcome::kUnknown) {
    // The program's list proves nothing if the program was never told to
    // destroy: many programs list nothing at all.
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
  Trouble(id, container, Command::kDestroy, container.destroy_error);
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
           container.destroy_error);
    FinishDestroy(id, container);
  } else {
    DestroyAgain(id, container);
  }
}

void Lifecycle::AbortUnlessRunning(OpId id) {
  const auto it = ops_.find(id);
  if (it == ops_.end() || slots_.IsRunning(id)) return;
  slots_.Withdraw(id);
  Stop(it->second.retry);
  Op op = Take(id);
  Container& container = containers_.at(op.container);
  (op.command == Command::kUpdate ? container.update : container.usage) = 0;
  ReturnAll(op.callers, BeingDestroyed(op.container));
}

}  // namespace external_containerizer
