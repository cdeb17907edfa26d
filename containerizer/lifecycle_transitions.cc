// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The part of Lifecycle that takes a container from state to state.

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

constexpr absl::Duration kMaxBackoff = absl::Seconds(30);

}  // namespace

void Lifecycle::SetState(const ContainerId& id, Container& container,
                         ContainerState state, absl::string_view why,
                         const absl::Status& status) {
  container.state = state;
  ContainerEvent event;
  event.kind = ContainerEvent::Kind::kStateChanged;
  event.container = id;
  event.state = state;
  event.detail = std::string(why);
  event.status = status;
  out_.push_back(Report{std::move(event)});
}

void Lifecycle::EnterEnded(const ContainerId& id, Container& container) {
  ReturnAll(container.updates, HasEnded(id));
  SetState(id, container, ContainerState::kEnded,
           container.termination->message());
  container.ended = next_id_++;
  ended_.emplace(container.ended, id);
  if (ended_.size() <= options_.max_ended) return;
  const ContainerId oldest = ended_.begin()->second;
  BeginDestroy(oldest, containers_.at(oldest),
               absl::StrCat("more than ", options_.max_ended,
                            " containers have ended and nobody destroyed "
                            "them; this is the oldest"));
}

void Lifecycle::BeginDestroy(const ContainerId& id, Container& container,
                             absl::string_view why) {
  ReturnAll(container.updates, BeingDestroyed(id));
  AbortUnlessRunning(container.update);
  AbortUnlessRunning(container.usage);
  ended_.erase(std::exchange(container.ended, 0));
  SetState(id, container, ContainerState::kDestroying, why, container.cause);
  TryDestroy(id, container);
}

void Lifecycle::TryDestroy(const ContainerId& id, Container& container) {
  ++container.destroy_attempts;
  container.destroy = Submit(Command::kDestroy, id);
}

// The container's commands must end before it is gone. Its id may come again,
// and none of them must reach the next container of that id.
void Lifecycle::FinishDestroy(const ContainerId& id, Container& container) {
  container.destroyed = true;
  Stop(container.wait_timer);
  if (slots_.Withdraw(container.wait)) Take(std::exchange(container.wait, 0));
  for (const OpId op : {container.update, container.usage}) {
    if (op != 0) out_.push_back(CancelCommand{op});
  }
  if (container.wait != 0) {
    container.destroy_timer =
        SetTimer(Timer::Kind::kWaitGrace, options_.wait_grace, id);
  }
  BecomeGoneIfOver(id, container);
}

// The container is still held: as running if `wait` still watches it, and as
// ended if not, so that Wait answers and Destroy can be called again.
void Lifecycle::DestroyFailed(const ContainerId& id, Container& container) {
  const absl::Status error = absl::Status(
      container.destroy_error.code(),
      absl::StrCat(
          Name(id), " could not be destroyed in ", container.destroy_attempts,
          " tries and is still held; call Destroy again when the cause is "
          "mended. The last try: ",
          container.destroy_error.message(),
          container.cause.ok() ? "" : ". What went before: ",
          container.cause.message()));
  container.destroy_attempts = 0;
  ReturnAll(container.destroyers, error);
  OrphanDone(container, id, /*destroyed=*/false);
  const bool watched = container.wait != 0 || container.wait_timer != 0;
  if (container.termination == nullptr && watched) {
    SetState(id, container, ContainerState::kRunning, "destroy failed", error);
    return;
  }
  if (container.termination == nullptr) {
    container.termination = MadeUp(error.message());
    ReturnTermination(container.waiters, container);
  }
  // It is not in ended_: two containers that cannot be destroyed would make
  // room for each other for ever.
  SetState(id, container, ContainerState::kEnded, "destroy failed", error);
}

void Lifecycle::BecomeGoneIfOver(const ContainerId& id, Container& container) {
  if (!container.destroyed || container.wait != 0 || container.update != 0 ||
      container.usage != 0) {
    return;
  }
  if (container.termination == nullptr) {
    container.termination = MadeUp(
        container.cause.ok() ? "it was destroyed" : container.cause.message());
  }
  BecomeGone(id);
}

void Lifecycle::BecomeGone(const ContainerId& id) {
  const auto it = containers_.find(id);
  Container& container = it->second;
  Stop(container.destroy_timer);
  ReturnTermination(container.waiters, container);
  ReturnTermination(container.destroyers, container);
  SetState(id, container, ContainerState::kGone,
           container.termination->message());
  out_.push_back(Forget{id});
  UnlistedAnswered(id, /*lost=*/false);
  OrphanDone(container, id, /*destroyed=*/true);
  if (container.unknown_timer == 0) containers_.erase(it);
}

void Lifecycle::On(TimerFired event) {
  const auto it = timers_.find(event.timer);
  if (it == timers_.end()) return;
  const Timer timer = std::move(it->second);
  timers_.erase(it);
  const auto found = containers_.find(timer.container);
  Container* const container =
      found == containers_.end() ? nullptr : &found->second;
  switch (timer.kind) {
    case Timer::Kind::kOpRetry:
      ops_.at(timer.op).retry = 0;
      slots_.Enqueue(timer.op, ops_.at(timer.op).command);
      return;
    case Timer::Kind::kUnlistedGrace:
      for (const ContainerId& id : std::exchange(unlisted_, {})) {
        summary_.recovered.push_back(id);
      }
      FinishRecovery();
      return;
    case Timer::Kind::kLaunchGrace:
      container->destroy_timer = 0;
      out_.push_back(CancelCommand{container->launch});
      return;
    case Timer::Kind::kWaitGrace:
      container->destroy_timer = 0;
      container->cause.Update(
          absl::CancelledError("it was destroyed, and `wait` did not return"));
      out_.push_back(CancelCommand{container->wait});
      return;
    case Timer::Kind::kDestroyRetry:
      container->destroy_timer = 0;
      TryDestroy(timer.container, *container);
      return;
    case Timer::Kind::kWaitRetry:
      container->wait_timer = 0;
      StartWait(timer.container, *container);
      return;
    case Timer::Kind::kWaitStable:
      container->wait_timer = 0;
      container->wait_attempts = 0;
      container->waits_not_started = 0;
      WaitWorks(timer.container, *container);
      return;
    case Timer::Kind::kUnknownGrace:
      container->unknown_timer = 0;
      if (container->state == ContainerState::kGone) {
        containers_.erase(timer.container);
      }
      return;
  }
}

TimerId Lifecycle::SetTimer(Timer::Kind kind, absl::Duration delay,
                            const ContainerId& container, OpId op) {
  const TimerId id = next_id_++;
  timers_.emplace(id, Timer{kind, container, op});
  const bool jitter = kind == Timer::Kind::kOpRetry ||
                      kind == Timer::Kind::kWaitRetry ||
                      kind == Timer::Kind::kDestroyRetry;
  out_.push_back(StartTimer{id, delay, jitter});
  return id;
}

void Lifecycle::Stop(TimerId& timer) {
  if (timers_.erase(timer) > 0) out_.push_back(StopTimer{timer});
  timer = 0;
}

absl::Duration Lifecycle::Backoff(int attempts) const {
  absl::Duration delay = options_.retry_delay;
  for (int i = 1; i < attempts && delay < kMaxBackoff; ++i) delay *= 2;
  return std::min(delay, kMaxBackoff);
}

void Lifecycle::Notice(const ContainerId& container, Command command,
                       std::string detail, const absl::Status& status,
                       ContainerEvent::Kind kind) {
  ContainerEvent event;
  event.kind = kind;
  event.container = container;
  event.command = command;
  event.detail = std::move(detail);
  event.status = status;
  out_.push_back(Report{std::move(event)});
}

void Lifecycle::Trouble(const ContainerId& id, Container& container,
                        Command command, const absl::Status& status) {
  const bool first = !std::exchange(container.troubled, true);
  Notice(
      id, command, "will be tried again", status,
      first ? ContainerEvent::Kind::kTrouble : ContainerEvent::Kind::kNotice);
}

void Lifecycle::WaitWorks(const ContainerId& id, Container& container) {
  container.cause = absl::OkStatus();
  if (!std::exchange(container.troubled, false)) return;
  Notice(id, Command::kWait, "works again", absl::OkStatus(),
         ContainerEvent::Kind::kTrouble);
}

}  // namespace external_containerizer
