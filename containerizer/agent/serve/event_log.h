// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The latest events of a standing agent, for clients that ask for them now or
// wait for more. ShortEnd. To be used on the loop's thread only.
//
//   EventLog log(loop);
//   log.Add(event, id, absl::Now());
//   log.Next(request, [](agent::v1::EventsReply reply) { … });

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_EVENT_LOG_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/serve/control.pb.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/transport/event_loop.h"

namespace external_containerizer {

// Beyond the first two limits the oldest events are dropped; beyond the next
// two the rest is left for the next reply.
struct EventLogOptions {
  size_t max_events = 10'000;
  size_t max_bytes = 16 << 20;  // Of all events.
  size_t max_reply_events = 1'000;
  size_t max_reply_bytes = 1 << 20;
  // Next() waits so long for an event; then its reply is empty.
  absl::Duration patience = absl::Seconds(30);
};

class EventLog {
 public:
  using Options = EventLogOptions;
  using Done = absl::AnyInvocable<void(agent::v1::EventsReply) &&>;

  explicit EventLog(EventLoop& loop, Options options = Options());
  ~EventLog() { Close(); }

  // Adds `event`, in which the container is called by its name; `id` is its id.
  // Both are empty for an event about no container. Long texts are cut. May
  // call callbacks of Next().
  void Add(ContainerEvent event, const ContainerId& id, absl::Time now);

  // Answers all calls that wait. Later calls are answered at once.
  void Close();

  // Calls `done` once, maybe inside this call: with the events after
  // `request.after()`, or when there is one.
  void Next(const agent::v1::EventsRequest& request, Done done);

 private:
  struct Waiter {
    agent::v1::EventsRequest request;
    Done done;
    EventLoop::TimerId timer;
  };

  agent::v1::EventsReply Find(const agent::v1::EventsRequest& request) const;

  EventLoop& loop_;
  const Options options_;
  std::deque<agent::v1::Event> events_;  // Numbered without a gap.
  size_t bytes_ = 0;                     // The size of `events_`.
  uint64_t last_ = 0;                    // The latest number.
  std::list<Waiter> waiting_;
  bool closed_ = false;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_EVENT_LOG_H_
