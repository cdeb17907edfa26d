// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/helper_link.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/ttrpc/method.h"

namespace external_containerizer {

HelperLink::HelperLink(EventLoop& loop, HelperConnection connection,
                       const UnixSocketOptions& options,
                       std::function<void(const std::string& why)> lost)
    : loop_(loop),
      helper_(std::move(connection)),
      probe_interval_(options.probe_interval),
      probe_timeout_(options.probe_timeout),
      lost_(std::move(lost)) {
  helper_.client->WhenClosed(Guarded([this](absl::Status why) {
    Lost(absl::StrCat("the connection to ", helper_.name,
                      " was lost: ", helper::Printable(why.message())));
  }));
}

HelperLink::~HelperLink() { loop_.CancelTimer(timer_); }

bool HelperLink::Usable() const {
  return client() != nullptr && client()->status().ok() && !shuts_down_ &&
         !client()->exhausted();
}

bool HelperLink::Closed() const {
  return client() == nullptr || !client()->status().ok();
}

void HelperLink::TellWhyLost(
    absl::AnyInvocable<void(const std::string&) &&> tell) {
  asked_.push_back(std::move(tell));
  if (asked_.size() > 1) return;
  const std::string closed(client() == nullptr ? ""
                                               : client()->status().message());
  helper_.tell_why_lost(Guarded([this, closed](const std::string& why) {
    // Any of these may destroy us.
    const std::string text =
        closed.empty() ? why : absl::StrCat(why, " (", closed, ")");
    for (auto& each : std::exchange(asked_, {})) std::move(each)(text);
  }));
}

void HelperLink::Probe() {
  if (timer_ != 0 || asking_) return;
  timer_ = loop_.RunAfter(probe_interval_, [this] {
    timer_ = 0;
    Ask();
  });
}

void HelperLink::Ask() {
  if (client() == nullptr || client()->outstanding() == 0) return;
  if (std::exchange(heard_before_, heard_) != heard_) return Probe();
  asking_ = true;
  // Its time is not the call's: see below.
  ping_ = ttrpc::Call(
      *client(), helper::kPing, helper::v1::PingRequest(), {},
      Guarded([this](ttrpc::CallResult<helper::v1::PingReply> result) {
        if (result.outcome != ttrpc::Outcome::kAnswered || !asking_) return;
        Heard();
        loop_.CancelTimer(std::exchange(timer_, 0));
        Judge();
      }));
  // In two halves: if it was this process that stood still, it reads what has
  // come meanwhile before it judges.
  timer_ = loop_.RunAfter(probe_timeout_ / 2, [this] {
    timer_ = loop_.RunAfter(probe_timeout_ / 2, [this] {
      timer_ = 0;
      Judge();
    });
  });
}

void HelperLink::Judge() {
  asking_ = false;
  if (heard_ != heard_before_) {
    client()->Cancel(ping_);  // Unless it was answered.
    return Probe();
  }
  Lost(absl::StrCat(helper_.name, " hangs: it has not answered for ",
                    absl::FormatDuration(probe_interval_ + probe_timeout_),
                    "; ", helper::WhatToDoAboutAHung(helper_.pid)));
}

void HelperLink::Lost(const std::string& why) {
  loop_.CancelTimer(std::exchange(timer_, 0));
  asking_ = false;
  lost_(why);
  // Ends all that is under way.
  helper_.client.reset();
}

}  // namespace external_containerizer
