// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/program.h"

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace external_containerizer {

struct Cancellation::State {
  std::mutex mutex;
  bool cancelled = false;
  std::vector<absl::AnyInvocable<void() &&>> callbacks;
};

Cancellation::Cancellation() : state_(std::make_shared<State>()) {}

bool Cancellation::IsCancelled() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->cancelled;
}

void Cancellation::OnCancelled(absl::AnyInvocable<void() &&> callback) const {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (!state_->cancelled) {
      state_->callbacks.push_back(std::move(callback));
      return;
    }
  }
  std::move(callback)();
}

void Cancellation::Cancel() const {
  std::vector<absl::AnyInvocable<void() &&>> callbacks;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->cancelled = true;
    callbacks.swap(state_->callbacks);
  }
  for (auto& callback : callbacks) std::move(callback)();
}

void Program::Update(const wire::Update&, const Context&, Reply<void> reply) {
  std::move(reply)(absl::OkStatus());
}

void Program::Usage(const wire::Usage&, const Context&,
                    Reply<std::optional<wire::ResourceStatistics>> reply) {
  std::move(reply)(std::optional<wire::ResourceStatistics>());
}

void Program::Containers(const Context&, Reply<wire::Containers> reply) {
  std::move(reply)(wire::Containers());
}

void Program::Recover(const Context&, Reply<void> reply) {
  std::move(reply)(absl::OkStatus());
}

}  // namespace external_containerizer
