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

void Lifecycle::Ended(const ContainerId& id, Container& container) {
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
  for (const OpId op : {container.update, container.usage}) {
    if (slots_.Withdraw(op)) Abort(op);
  }
  ended_.erase(std::exchange(container.ended, 0));
  SetState(id, container, ContainerState::kDestroying, why, container.error);
  TryDestroy(id, container);
}

void Lifecycle::TryDestroy(const ContainerId& id, Container& container) {
  ++container.destroy_attempts;
  container.destroy = Submit(Command::kDestroy, id);
}

void Lifecycle::Destroyed(const ContainerId& id, Container& container) {
  container.destroyed = true;
  if (container.termination == nullptr && slots_.IsRunning(container.wait)) {
    container.destroy_timer =
        SetTimer(Timer::Kind::kWaitGrace, options_.wait_grace, id);
    return;
  }
  if (container.termination == nullptr) {
    container.termination = MadeUp(
        container.error.ok() ? "it was destroyed" : container.error.message());
  }
  Gone(id);
}

// The container is held on: as running if `wait` still watches it, else as
// ended, so that Wait answers and Destroy can be called again.
void Lifecycle::DestroyFailed(const ContainerId& id, Container& container) {
  const absl::Status error = absl::Status(
      container.error.code(),
      absl::StrCat(Name(id), " could not be destroyed in ",
                   container.destroy_attempts,
                   " tries and is still held; call Destroy again when the "
                   "cause is mended. The last try: ",
                   container.error.message()));
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
  Ended(id, container);
}

void Lifecycle::Gone(const ContainerId& id) {
  const auto it = containers_.find(id);
  Container container = std::move(it->second);
  containers_.erase(it);
  Stop(container.destroy_timer);
  Stop(container.wait_timer);
  if (slots_.Withdraw(container.wait)) {
    Take(container.wait);
  } else if (slots_.IsRunning(container.wait)) {
    out_.push_back(CancelCommand{container.wait});
  }
  ReturnTermination(container.waiters, container);
  ReturnTermination(container.destroyers, container);
  SetState(id, container, ContainerState::kGone,
           container.termination->message());
  out_.push_back(Forget{id});
  UnlistedAnswered(id, container, /*lost=*/false);
  OrphanDone(container, id, /*destroyed=*/true);
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
      if (timer.container.empty() ||
          (container != nullptr &&
           container->state != ContainerState::kDestroying)) {
        slots_.Enqueue(timer.op, ops_.at(timer.op).command);
      } else {
        Abort(timer.op);
      }
      return;
    case Timer::Kind::kUnlistedGrace:
      for (const ContainerId& id : std::exchange(unlisted_, {})) {
        containers_.at(id).asked_once = false;
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
      container->termination =
          MadeUp("it was destroyed, and `wait` did not return");
      Gone(timer.container);
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
                       std::string detail, const absl::Status& status) {
  ContainerEvent event;
  event.kind = ContainerEvent::Kind::kNotice;
  event.container = container;
  event.command = command;
  event.detail = std::move(detail);
  event.status = status;
  out_.push_back(Report{std::move(event)});
}

}  // namespace external_containerizer
