// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/responder.h"

#include "external_containerizer/transport/ttrpc/session.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

absl::Status NotAnswered() {
  return absl::InternalError("ttrpc: the handler did not answer");
}

}  // namespace

Responder::~Responder() {
  if (call_ != nullptr) Finish(NotAnswered());
}

Responder& Responder::operator=(Responder&& other) {
  if (this == &other) return *this;
  if (call_ != nullptr) Finish(NotAnswered());
  call_ = std::move(other.call_);
  return *this;
}

void Responder::Finish(absl::StatusOr<std::string> reply) {
  if (call_ == nullptr) return;
  EventLoop* loop = call_->loop;
  if (loop->OnLoopThread()) {
    const std::shared_ptr<internal::ServerCall> call = std::move(call_);
    if (call->session != nullptr) {
      call->session->Finish(*call, std::move(reply));
    }
    return;
  }
  loop->Post([call = std::move(call_), reply = std::move(reply)]() mutable {
    if (call->session != nullptr) {
      call->session->Finish(*call, std::move(reply));
    }
  });
}

bool Responder::cancelled() const {
  return call_ != nullptr && call_->cancelled;
}

void Responder::WhenCancelled(
    absl::AnyInvocable<void(absl::Status) &&> cancelled) {
  if (call_ == nullptr) return;
  if (!call_->cancelled) {
    call_->on_cancelled = std::move(cancelled);
    return;
  }
  call_->loop->Post([cancelled = std::move(cancelled)]() mutable {
    std::move(cancelled)(absl::CancelledError("ttrpc: cancelled before"));
  });
}

}  // namespace ttrpc
}  // namespace external_containerizer
