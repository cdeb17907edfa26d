// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "external_containerizer/containerizer/lifecycle.h"

namespace external_containerizer {
namespace {

template <typename Map>
std::vector<typename Map::key_type> SortedKeys(const Map& map) {
  std::vector<typename Map::key_type> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace

std::string Lifecycle::Fingerprint() const {
  std::string text = absl::StrCat(
      "phase=", static_cast<int>(phase_), " next=", next_id_,
      " slots=", slots_.Fingerprint(), " listing=", listing_, "+",
      absl::StrJoin(next_listing_, ","), " recover=", recover_call_,
      " known=", known_.size(), " held=", held_.size(),
      " unlisted=", absl::StrJoin(unlisted_, ","),
      " orphans=", absl::StrJoin(orphans_, ","), "/", orphans_begun_, "\n");
  for (const ContainerId& id : SortedKeys(containers_)) {
    const Container& c = containers_.at(id);
    absl::StrAppend(&text, id, ": ", ContainerStateName(c.state),
                    " flags=", c.asked_once, c.destroyed, c.orphan, c.troubled,
                    " attempts=", c.wait_attempts, ",", c.waits_not_started,
                    ",", c.destroy_attempts, " launch=", c.launch_call, "/",
                    c.launch);
    absl::StrAppend(&text, " update=", c.update, " usage=", c.usage,
                    " wait=", c.wait, " destroy=", c.destroy,
                    " timers=", c.destroy_timer, ",", c.wait_timer, ",",
                    c.unknown_timer, " ended=", c.ended, " queued=");
    for (const auto& [command, call] : c.queued) {
      absl::StrAppend(&text, CommandName(command), call, ",");
    }
    absl::StrAppend(&text, " updates=", absl::StrJoin(c.updates, ","),
                    " waiters=", absl::StrJoin(c.waiters, ","),
                    " destroyers=", absl::StrJoin(c.destroyers, ","),
                    " termination=",
                    c.termination ? c.termination->ShortDebugString() : "-",
                    " cause=", c.cause.ToString(),
                    " error=", c.destroy_error.ToString(), "\n");
  }
  for (const OpId id : SortedKeys(ops_)) {
    const Op& op = ops_.at(id);
    absl::StrAppend(&text, "op ", id, ": ", CommandName(op.command), " ",
                    static_cast<int>(op.purpose), " ", op.container, " ",
                    op.request, " [", absl::StrJoin(op.callers, ","), "] ",
                    op.attempts, op.may_be_done ? "? " : " ", op.retry, " ",
                    slots_.IsRunning(id), "\n");
  }
  for (const TimerId id : SortedKeys(timers_)) {
    const Timer& timer = timers_.at(id);
    absl::StrAppend(&text, "timer ", id, ": ", static_cast<int>(timer.kind),
                    " ", timer.container, " ", timer.op, "\n");
  }
  absl::StrAppend(&text, "calls=", absl::StrJoin(SortedKeys(calls_), ","));
  return text;
}

}  // namespace external_containerizer
