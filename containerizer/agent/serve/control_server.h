// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What clients can ask of a standing agent, at its socket.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_SERVER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_SERVER_H_

#include <memory>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/serve/event_log.h"
#include "external_containerizer/containerizer/agent/serve/standing_agent.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/server.h"

namespace external_containerizer {

// How long List() waits for what its containers use; those of which nothing
// has come are listed without.
inline constexpr absl::Duration kListUsageTime = absl::Seconds(5);

// Answers the methods of control.h. All three must outlive the server's
// handlers, which end with it.
void AddControlHandlers(ttrpc::Server& server, EventLoop& loop,
                        StandingAgent& agent, EventLog& events);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_SERVER_H_
