// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/event_log.h"

#include <algorithm>
#include <utility>

#include "external_containerizer/containerizer/agent/report.h"

namespace external_containerizer {
namespace {

using agent::v1::Event;
using agent::v1::EventsReply;
using agent::v1::EventsRequest;

bool IsWanted(const EventsRequest& request, const Event& event) {
  return event.number() > request.after() &&
         (!request.has_container() || event.container() == request.container());
}

}  // namespace

EventLog::EventLog(EventLoop& loop, Options options)
    : loop_(loop), options_(options) {}

void EventLog::Close() {
  closed_ = true;
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    loop_.CancelTimer(waiting.timer);
    std::move(waiting.done)(Find(waiting.request));
  }
}

void EventLog::Add(const ContainerEvent& event, absl::Time now) {
  Event added;
  added.set_number(++last_);
  added.set_unix_nanos(absl::ToUnixNanos(now));
  if (!event.container.empty()) added.set_container(event.container);
  added.set_kind(std::string(EventName(event.kind)));
  added.set_text(EventText(event));
  added.set_json(EventJson(event).ToString());
  events_.push_back(std::move(added));
  if (events_.size() > options_.max_events) events_.pop_front();

  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (!IsWanted(it->request, events_.back())) {
      ++it;
      continue;
    }
    // It may call Next().
    Waiting waiting = std::move(*it);
    it = waiting_.erase(it);
    loop_.CancelTimer(waiting.timer);
    std::move(waiting.done)(Find(waiting.request));
  }
}

EventsReply EventLog::Find(const EventsRequest& request) const {
  EventsReply reply;
  reply.set_last(last_);
  // A client that knows of more than there was knows another agent's events.
  if (events_.empty() || request.after() >= last_) return reply;
  const uint64_t first = events_.front().number();
  const uint64_t from = std::max(request.after() + 1, first);
  if (from > request.after() + 1) {
    reply.set_missed(from - request.after() - 1);
  }
  for (size_t i = static_cast<size_t>(from - first); i < events_.size(); ++i) {
    if (!IsWanted(request, events_[i])) continue;
    *reply.add_events() = events_[i];
    if (static_cast<size_t>(reply.events_size()) == options_.max_reply_events) {
      reply.set_last(events_[i].number());
      break;
    }
  }
  return reply;
}

void EventLog::Next(const EventsRequest& request, Done done) {
  EventsReply reply = Find(request);
  // The events of an agent before this one had numbers of their own.
  const bool stale = request.after() > last_;
  if (reply.events_size() > 0 || stale || closed_ || request.dont_wait()) {
    std::move(done)(std::move(reply));
    return;
  }
  waiting_.push_back({request, std::move(done), 0});
  const auto waiting = std::prev(waiting_.end());
  waiting->timer = loop_.RunAfter(options_.patience, [this, waiting] {
    Waiting ended = std::move(*waiting);
    waiting_.erase(waiting);
    std::move(ended.done)(Find(ended.request));
  });
}

}  // namespace external_containerizer
