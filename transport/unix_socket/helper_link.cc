// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/helper_link.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/ttrpc/method.h"

namespace external_containerizer {
namespace {

// A process closes its connections a little before it can be reaped.
constexpr absl::Duration kEndTime = absl::Milliseconds(50);

}  // namespace

HelperLink::HelperLink(
    EventLoop& loop, HelperConnection connection,
    const UnixSocketOptions& options,
    std::function<void(const HelperLink*, const std::string&)> lost)
    : loop_(loop),
      helper_(std::move(connection)),
      probe_interval_(options.probe_interval),
      probe_timeout_(options.probe_timeout),
      lost_(std::move(lost)) {
  helper_.client->WhenClosed([this](absl::Status why) { OnClosed(why); });
}

HelperLink::~HelperLink() { loop_.CancelTimer(timer_); }

bool HelperLink::Usable() const {
  return client() != nullptr && client()->status().ok() && !shuts_down_ &&
         !client()->exhausted();
}

bool HelperLink::Closed() const {
  return client() == nullptr || !client()->status().ok();
}

void HelperLink::OnClosed(const absl::Status& why) {
  loop_.CancelTimer(timer_);
  const bool may_be_ending = helper_.process != nullptr &&
                             helper_.process->running() &&
                             helper_.process->pid() == helper_.pid;
  timer_ = loop_.RunAfter(
      may_be_ending ? kEndTime : absl::ZeroDuration(),
      [this, text = std::string(why.message())] {
        timer_ = 0;
        const std::string became =
            helper_.process != nullptr
                ? helper_.process->WhatBecameOf(helper_.pid)
                : "the helper ended or closed the connection; look at its own "
                  "stderr";
        // A copy, and last: the callback may destroy this object.
        const auto lost = lost_;
        lost(this, absl::StrCat(became, " (", text, ")"));
      });
}

void HelperLink::Probe() {
  if (timer_ != 0 || asking_ || Closed()) return;
  heard_ = false;
  timer_ = loop_.RunAfter(probe_interval_, [this] {
    timer_ = 0;
    Ask();
  });
}

void HelperLink::Ask() {
  if (client()->outstanding() == 0) return;
  if (heard_) return Probe();
  asking_ = true;
  ttrpc::Call(
      *client(), helper::kPing, helper::v1::PingRequest(), {probe_timeout_, {}},
      alive_.Guard([this](ttrpc::CallResult<helper::v1::PingReply> result) {
        asking_ = false;
        if (heard_ || result.outcome == ttrpc::Outcome::kAnswered) {
          return Probe();
        }
        if (absl::IsDeadlineExceeded(result.reply.status())) GiveUp();
      }));
}

void HelperLink::GiveUp() {
  const std::string why =
      absl::StrCat(helper_.name, " hangs: it has not answered for ",
                   absl::FormatDuration(probe_interval_ + probe_timeout_), "; ",
                   helper::WhatToDoAboutAHung(helper_.pid));
  // Ends all calls.
  helper_.client.reset();
  loop_.Post(alive_.Guard([this, why, lost = lost_] { lost(this, why); }));
}

}  // namespace external_containerizer
