// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/event_log.h"

#include <algorithm>
#include <utility>

#include "external_containerizer/containerizer/agent/json.h"
#include "external_containerizer/containerizer/agent/report.h"

namespace external_containerizer {
namespace {

using agent::v1::Event;
using agent::v1::EventsReply;
using agent::v1::EventsRequest;

// The size of one event's text: an error quotes a program's stderr.
constexpr size_t kMostText = 4 << 10;

bool IsWanted(const EventsRequest& request, const Event& event) {
  return event.number() > request.after() &&
         (!request.has_container() ||
          event.container() == request.container() ||
          event.container_id() == request.container());
}

}  // namespace

EventLog::EventLog(EventLoop& loop, Options options)
    : loop_(loop), options_(options) {}

void EventLog::Close() {
  closed_ = true;
  for (Waiter& waiting : std::exchange(waiting_, {})) {
    loop_.CancelTimer(waiting.timer);
    std::move(waiting.done)(Find(waiting.request));
  }
}

void EventLog::Add(ContainerEvent event, const ContainerId& id,
                   absl::Time now) {
  if (event.detail.size() > kMostText) event.detail.resize(kMostText);
  if (event.status.message().size() > kMostText) {
    event.status = absl::Status(event.status.code(),
                                event.status.message().substr(0, kMostText));
  }
  Event added;
  added.set_number(++last_);
  added.set_unix_nanos(absl::ToUnixNanos(now));
  JsonObject json = EventJson(event);
  if (!event.container.empty()) {
    added.set_container(event.container);
    added.set_container_id(id);
    json.Text("id", id);
  }
  added.set_kind(std::string(EventName(event.kind)));
  added.set_text(EventText(event));
  added.set_json(json.ToString());
  bytes_ += added.ByteSizeLong();
  events_.push_back(std::move(added));
  while (events_.size() > options_.max_events || bytes_ > options_.max_bytes) {
    bytes_ -= events_.front().ByteSizeLong();
    events_.pop_front();
  }

  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (!IsWanted(it->request, events_.back())) {
      ++it;
      continue;
    }
    // `done` may call Next(), which changes the list.
    Waiter waiting = std::move(*it);
    it = waiting_.erase(it);
    loop_.CancelTimer(waiting.timer);
    std::move(waiting.done)(Find(waiting.request));
  }
}

EventsReply EventLog::Find(const EventsRequest& request) const {
  EventsReply reply;
  reply.set_last(last_);
  // A client with a larger number has seen the events of an earlier agent.
  if (events_.empty() || request.after() >= last_) return reply;
  const uint64_t first = events_.front().number();
  const uint64_t from = std::max(request.after() + 1, first);
  if (from > request.after() + 1) {
    reply.set_missed(from - request.after() - 1);
  }
  size_t bytes = 0;
  for (size_t i = static_cast<size_t>(from - first); i < events_.size(); ++i) {
    if (!IsWanted(request, events_[i])) continue;
    *reply.add_events() = events_[i];
    bytes += events_[i].ByteSizeLong();
    if (static_cast<size_t>(reply.events_size()) == options_.max_reply_events ||
        bytes > options_.max_reply_bytes) {
      reply.set_last(events_[i].number());
      break;
    }
  }
  return reply;
}

void EventLog::Next(const EventsRequest& request, Done done) {
  EventsReply reply = Find(request);
  // Each agent numbers its events from 1: the client must begin again.
  const bool stale = request.after() > last_;
  if (reply.events_size() > 0 || stale || closed_ || request.dont_wait()) {
    std::move(done)(std::move(reply));
    return;
  }
  waiting_.push_back({request, std::move(done), 0});
  const auto waiting = std::prev(waiting_.end());
  waiting->timer = loop_.RunAfter(options_.patience, [this, waiting] {
    Waiter ended = std::move(*waiting);
    waiting_.erase(waiting);
    std::move(ended.done)(Find(ended.request));
  });
}

}  // namespace external_containerizer
