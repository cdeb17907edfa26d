// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// An agent that is killed and comes back: it holds containers, and writes down
// what must not be forgotten, in the order that next_step.h says.
//
// Everything happens on the thread of one loop; the disk is written to on other
// threads, the program is spoken to by a Containerizer on its own.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_STANDING_AGENT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_STANDING_AGENT_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/request.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/state/agent_state.h"
#include "external_containerizer/state/writer.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct StandingAgentOptions {
  // Absolute; only this agent uses it.
  std::string work_dir;
  Options containerizer;
  // Makes the transport, which is to tell of the processes that it starts.
  using OnStarted =
      std::function<void(Command, const std::optional<Sandbox>&, pid_t)>;
  std::function<TransportFactory(OnStarted)> transport;
  // Called on the loop.
  std::function<void(const ContainerEvent&)> on_event;

  // All that are held, and of these the ones that have ended: beyond, the one
  // that ended first is forgotten.
  size_t max_containers = 100'000;
  size_t max_exited = 1'000;
  // Before an exit is written again that could not be.
  absl::Duration write_retry = absl::Seconds(10);
};

class StandingAgent {
 public:
  using Options = StandingAgentOptions;

  struct LaunchSpec {
    ContainerId id;  // Empty: one is made up.
    TaskCommand command;
    Resources resources;
    std::optional<std::string> user;
  };

  struct Listed {
    ContainerId id;
    std::string state;  // launching, running, exited, destroying
    std::string command;
    std::string sandbox;
    std::optional<wire::Termination> end;
    std::string problem;  // What needs an operator; else empty.
  };

  // `state` is what ReadAgentState() made of the work_dir. Writes down who
  // this agent is, and so may take as long as the disk does.
  static absl::StatusOr<std::unique_ptr<StandingAgent>> Create(
      EventLoop& loop, Options options, const state::AgentState& state,
      std::unique_ptr<state::Writer> writer);

  // Ends what is outstanding with CANCELLED and leaves containers alone.
  ~StandingAgent();

  // Once, and before all else: starts the program's transport and recovers.
  // Other calls may follow at once; they wait until it is known what is there.
  // After an error there is nothing left but to destroy this.
  void Recover(Done<RecoverySummary> done);

  // Each `done` is called once, from the loop, with what containerizer.h says.
  // OK when it runs and will be found again by whoever comes after this agent.
  void Launch(LaunchSpec spec, Done<ContainerId> done);
  // When it has ended and that is recorded; as often as asked, until Destroy.
  void Wait(const ContainerId& id, Done<wire::Termination> done);
  void Update(const ContainerId& id, Resources resources, DoneStatus done);
  void Usage(const ContainerId& id,
             Done<std::optional<wire::ResourceStatistics>> done);
  // Ends it if it runs, removes its sandbox, and forgets it.
  void Destroy(const ContainerId& id, Done<wire::Termination> done);

  // Those with an id after `after`, in order, at most `most`.
  std::vector<Listed> List(const ContainerId& after, size_t most) const;
  absl::StatusOr<Listed> Find(const ContainerId& id) const;
  size_t held() const;

  // Starts nothing any more, ends calls of Wait() with UNAVAILABLE, and calls
  // `done` when what is under way is over, or `patience` is. Containers stay.
  void Stop(absl::Duration patience, absl::AnyInvocable<void() &&> done);

 private:
  class Impl;
  explicit StandingAgent(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_STANDING_AGENT_H_
