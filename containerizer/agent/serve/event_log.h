// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What has happened of late, for whoever asks for it, now or when there is
// more. Bounded; on one loop's thread.

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

struct EventLogOptions {
  size_t max_events = 10'000;
  size_t max_bytes = 16 << 20;  // Of all events.
  size_t max_reply_events = 1'000;
  size_t max_reply_bytes = 1 << 20;
  // How long Next() waits; then it answers that there is nothing.
  absl::Duration patience = absl::Seconds(30);
};

class EventLog {
 public:
  using Options = EventLogOptions;
  using Done = absl::AnyInvocable<void(agent::v1::EventsReply) &&>;

  explicit EventLog(EventLoop& loop, Options options = Options());
  ~EventLog() { Close(); }

  // `event` has the container's name, `id` is its id; both are empty if it is
  // about none. Long texts in it are cut.
  void Add(ContainerEvent event, const ContainerId& id, absl::Time now);

  // Answers whoever waits, and from now on at once.
  void Close();

  // Calls `done` once, maybe inside this call.
  void Next(const agent::v1::EventsRequest& request, Done done);

 private:
  struct Waiting {
    agent::v1::EventsRequest request;
    Done done;
    EventLoop::TimerId timer;
  };

  agent::v1::EventsReply Find(const agent::v1::EventsRequest& request) const;

  EventLoop& loop_;
  const Options options_;
  std::deque<agent::v1::Event> events_;  // Numbered without a gap.
  size_t bytes_ = 0;                     // Of these.
  uint64_t last_ = 0;                    // The number of the latest.
  std::list<Waiting> waiting_;
  bool closed_ = false;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_EVENT_LOG_H_
