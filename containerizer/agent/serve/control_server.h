// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Serves the methods of control.h with a StandingAgent.
//
//   ttrpc::Server server(loop);
//   AddControlHandlers(server, loop, agent, events);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_SERVER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_SERVER_H_

#include <memory>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/serve/event_log.h"
#include "external_containerizer/containerizer/agent/serve/standing_agent.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/server.h"

namespace external_containerizer {

// How long List waits for the usage of its containers. A container whose usage
// has not come by then is listed without it.
inline constexpr absl::Duration kListUsageTime = absl::Seconds(5);

// Adds a handler for each method of control.h. `loop`, `agent` and `events`
// must outlive `server`.
void AddControlHandlers(ttrpc::Server& server, EventLoop& loop,
                        StandingAgent& agent, EventLog& events);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_SERVER_H_
