// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The part of Lifecycle that runs once: recover, containers, reconcile, and the
// end of the orphans.

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/lifecycle.h"
#include "external_containerizer/containerizer/reconcile.h"
#include "external_containerizer/containerizer/wire/validate.h"

namespace external_containerizer {

void Lifecycle::On(RecoverCall event) {
  absl::Status refusal;
  if (phase_ == Phase::kShutdown) {
    refusal = absl::CancelledError("the containerizer is shutting down");
  } else if (phase_ != Phase::kFresh) {
    refusal = absl::FailedPreconditionError(
        "Recover was called before; once it has succeeded it is done");
  }
  if (!refusal.ok()) {
    out_.push_back(ReturnCall{event.call, refusal, std::monostate()});
    return;
  }
  phase_ = Phase::kRecovering;
  recover_call_ = event.call;
  calls_.emplace(event.call, "");
  known_ = std::move(event.known);
  summary_ = RecoverySummary();
  Submit(Command::kRecover, "", Op::Purpose::kRecovery);
}

void Lifecycle::RecoveryFailed(const absl::Status& status) {
  phase_ = Phase::kFresh;
  known_.clear();
  Return(std::exchange(recover_call_, 0), status);
  const absl::Status error = absl::FailedPreconditionError(
      absl::StrCat("recovery failed: ", status.message(),
                   "; call Recover again when the cause is mended"));
  for (const ContainerCall& call : std::exchange(held_, {})) {
    Return(call.call, error);
  }
}

Lifecycle::Container& Lifecycle::Enter(const KnownContainer& known,
                                       ContainerState state) {
  Container& container = containers_[known.id];
  out_.push_back(Adopt{known.id, known.sandbox});
  SetState(known.id, container, state, "recovered");
  return container;
}

void Lifecycle::ReconcileWith(const CommandResult& result) {
  std::vector<ContainerId> listed;
  for (const ContainerId& id : result.containers) {
    if (absl::Status valid = wire::ValidateId("container id", id);
        !valid.ok()) {
      Notice("", Command::kContainers, "lists what is no id, which is ignored",
             valid);
      continue;
    }
    listed.push_back(id);
  }
  Reconciliation decided =
      Reconcile(std::exchange(known_, {}), listed, options_.orphans);
  for (const KnownContainer& known : decided.adopt) {
    StartWait(known.id, Enter(known, ContainerState::kRunning));
    summary_.recovered.push_back(known.id);
  }
  for (const KnownContainer& known : decided.ask) {
    unlisted_.insert(known.id);
    StartWait(known.id, Enter(known, ContainerState::kRunning));
  }
  for (const ContainerId& id : decided.hold) {
    StartWait(id, Enter(KnownContainer{id, {}, std::nullopt},
                        ContainerState::kRunning));
    summary_.surviving.push_back(id);
  }
  for (const ContainerId& id : decided.leave) summary_.surviving.push_back(id);
  for (const KnownContainer& known : decided.destroy) {
    Enter(known, ContainerState::kDestroying).orphan = true;
    orphans_.push_back(known.id);
  }
  std::reverse(orphans_.begin(), orphans_.end());
  if (!unlisted_.empty()) {
    SetTimer(Timer::Kind::kUnlistedGrace, options_.unlisted_grace, "");
  }
  phase_ = Phase::kReady;
  StartOrphans();
  for (const ContainerCall& call : std::exchange(held_, {})) {
    Dispatch(call.command, call.call, call.container);
  }
  FinishRecovery();
}

void Lifecycle::StartOrphans() {
  while (!orphans_.empty() && orphans_begun_ < options_.max_orphans_at_once) {
    const ContainerId id = std::move(orphans_.back());
    orphans_.pop_back();
    ++orphans_begun_;
    Container& container = containers_.at(id);
    StartWait(id, container);
    TryDestroy(id, container);
  }
}

void Lifecycle::OrphanDone(Container& container, const ContainerId& id,
                           bool destroyed) {
  if (!std::exchange(container.orphan, false)) return;
  --orphans_begun_;
  (destroyed ? summary_.destroyed : summary_.surviving).push_back(id);
  StartOrphans();
  FinishRecovery();
}

void Lifecycle::UnlistedAnswered(const ContainerId& id, bool lost) {
  if (unlisted_.erase(id) == 0) return;
  (lost ? summary_.lost : summary_.recovered).push_back(id);
  FinishRecovery();
}

void Lifecycle::FinishRecovery() {
  if (recover_call_ == 0 || phase_ != Phase::kReady || !unlisted_.empty() ||
      !orphans_.empty() || orphans_begun_ > 0) {
    return;
  }
  for (auto* ids : {&summary_.recovered, &summary_.lost, &summary_.destroyed,
                    &summary_.surviving}) {
    std::sort(ids->begin(), ids->end());
  }
  Return(std::exchange(recover_call_, 0), absl::OkStatus(),
         std::exchange(summary_, RecoverySummary()));
}

}  // namespace external_containerizer
