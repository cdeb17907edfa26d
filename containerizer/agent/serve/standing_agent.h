// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// An agent that holds containers and can be killed at any time: the next one
// takes its containers back. next_step.h says what is written down in which
// order.
//
// Everything happens on the thread of one loop. Other threads write to the
// disk, and a Containerizer speaks to the program on a thread of its own.
//
//   absl::StatusOr<std::unique_ptr<StandingAgent>> agent =
//       StandingAgent::Create(loop, options, state, std::move(writer));
//   (*agent)->Recover([](absl::StatusOr<RecoverySummary> summary) { … });
//   (*agent)->Launch(spec, [](absl::StatusOr<Identity> launched) { … });

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_STANDING_AGENT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_STANDING_AGENT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/request.h"
#include "external_containerizer/containerizer/agent/serve/agent_disk.h"
#include "external_containerizer/containerizer/agent/serve/held_container.h"
#include "external_containerizer/containerizer/agent/serve/next_step.h"
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
  // Absolute. No other agent may use it (work_directory.h).
  std::string work_dir;
  Options containerizer;
  // Makes the transport, which must call its argument for each process that it
  // starts.
  using OnStarted =
      std::function<void(Command, const std::optional<Sandbox>&, pid_t)>;
  std::function<TransportFactory(OnStarted)> transport;
  // Called on the loop for every event. The event has the container's name; the
  // second argument is its id.
  std::function<void(const ContainerEvent&, const ContainerId&)> on_event;

  // Launch() fails beyond the first number. Beyond the second number the
  // container that ended first is forgotten.
  size_t max_containers = 100'000;
  size_t max_exited = 1'000;
  // The pause before an exit that could not be recorded is recorded again.
  absl::Duration write_retry = absl::Seconds(10);
};

class StandingAgent {
 public:
  using Options = StandingAgentOptions;

  struct LaunchSpec {
    std::string name;  // Empty: the agent makes one up.
    TaskCommand command;
    Resources resources;
  };

  struct ContainerInfo {
    std::string name;
    ContainerId id;
    std::string state;                 // launching, running, exited, destroying
    std::vector<std::string> command;  // ShortCommand()
    std::string sandbox;
    std::optional<wire::Termination> end;
    std::string problem;  // A failure that lasts, or is retried; may be empty.
  };

  // `state` is the work_dir as ReadAgentState() read it. Executors whose runs
  // it could not read are left alone. Records the agent, so it blocks for as
  // long as the disk does. Starts the transport.
  static absl::StatusOr<std::unique_ptr<StandingAgent>> Create(
      EventLoop& loop, Options options, state::AgentState state,
      std::unique_ptr<state::Writer> writer);

  StandingAgent(const StandingAgent&) = delete;
  StandingAgent& operator=(const StandingAgent&) = delete;
  // Ends all calls with CANCELLED, and leaves the containers alone.
  ~StandingAgent();

  // Must be called once, before all other methods. Other calls may follow at
  // once; they wait for the recovery. After an error this must be destroyed.
  void Recover(Done<RecoverySummary> done);

  // Each `done` is called once, on the loop, with a status as containerizer.h
  // has it. `which` is a container's name or its id.

  // OK when the container runs and the next agent would find it. The id is new
  // for each launch. ALREADY_EXISTS for a name that is held. An error has an
  // ExitCodeOf(), 127 or 126, if the program says that the command is not there
  // or cannot be executed. It has none if the program itself may be missing,
  // that is, if the destroy after the launch failed as well.
  void Launch(LaunchSpec spec, Done<Identity> done);
  // Calls `done` when the container has ended and that is recorded. May be
  // called again until Destroy(). Returns a number for CancelWait(), or 0 if
  // `done` was called inside this call.
  uint64_t Wait(const std::string& which, Done<wire::Termination> done);
  // Ends that call of Wait() with CANCELLED. No effect if it has ended.
  void CancelWait(const std::string& which, uint64_t wait);
  // Changes the container's limits. Calls take effect in their order. Calls
  // that come while an update is under way are sent together, and end alike.
  // NOT_FOUND if a limit is to be removed that the container does not have.
  void Update(const std::string& which, ResourceChange change, DoneStatus done);
  void Usage(const std::string& which,
             Done<std::optional<wire::ResourceStatistics>> done);
  // Ends the container if it runs, removes its sandbox, and forgets it.
  void Destroy(const std::string& which, Done<wire::Termination> done);

  // Returns the first `most` containers whose names are larger than `after`.
  std::vector<ContainerInfo> List(const std::string& after, size_t most) const;
  absl::StatusOr<ContainerInfo> Find(const std::string& which) const;
  size_t held() const { return held_.size(); }

  // Starts nothing any more. Calls `done` when all writes, launches and
  // destroys that are under way have ended, or after `patience`. Containers go
  // on. Calls of Wait() end with UNAVAILABLE after `done`.
  void Stop(absl::Duration patience, absl::AnyInvocable<void() &&> done);

 private:
  using HeldPtr = std::shared_ptr<HeldContainer>;

  StandingAgent(EventLoop& loop, Options options,
                const state::AgentState& state, std::string agent_id,
                std::vector<std::string> set_aside,
                std::unique_ptr<AgentDisk> disk);
  absl::Status StartContainerizer();

  // Returns a function for any thread that calls `f` on the loop, unless this
  // is destroyed by then.
  template <typename T, typename F>
  auto OnLoop(F f) {
    return [&loop = loop_, alive = is_alive_,
            f = std::move(f)](T value) mutable {
      loop.Post([alive, f = std::move(f), value = std::move(value)]() mutable {
        if (alive.lock() != nullptr) f(std::move(value));
      });
    };
  }

  // The same for `done`, which is called also if this is destroyed by then.
  template <typename T>
  auto Pass(absl::AnyInvocable<void(T) &&> done) {
    return [&loop = loop_, done = std::move(done)](T value) mutable {
      loop.Post([done = std::move(done), value = std::move(value)]() mutable {
        std::move(done)(std::move(value));
      });
    };
  }

  // Takes the steps that NextStep() allows now.
  void Advance(const HeldPtr& held);
  void Take(const HeldPtr& held, AgentStep step);
  void RecordLaunch(const HeldPtr& held);
  void TellProgramToLaunch(const HeldPtr& held);
  void RecordLaunched(const HeldPtr& held);
  void AskHowItEnds(const HeldPtr& held);
  void RecordExit(const HeldPtr& held);
  void RecordUnwanted(const HeldPtr& held);
  void TellProgramToDestroy(const HeldPtr& held);
  void RecordCompleted(const HeldPtr& held);
  void Forget(const HeldPtr& held);

  void OnDestroyFailed(HeldContainer& held, const absl::Status& status);
  void SetEnd(HeldContainer& held, wire::Termination end);
  void FailLaunch(HeldContainer& held, const absl::Status& status);
  void AnswerAll(HeldContainer& held, const absl::Status& status);
  void Erase(const HeldPtr& held);
  void KeepFewExited();
  void OnStarted(Command command, const std::optional<Sandbox>& sandbox,
                 pid_t pid);
  void OnRecovered(absl::StatusOr<RecoverySummary> summary);
  HeldPtr Lookup(const std::string& which) const;
  std::string NameOf(const ContainerId& id) const;
  void Enter(HeldPtr held);
  // Sends all updates that wait, unless one is under way.
  void SendUpdates(const HeldPtr& held);
  void RecordResources(const HeldPtr& held);
  void EndUpdates(const HeldPtr& held, const absl::Status& status);
  void OnEvent(ContainerEvent event);
  void Notice(const HeldContainer& held, const std::string& detail,
              const absl::Status& status = absl::OkStatus());
  // Calls `work` on a disk thread, then `written` on the loop with its result,
  // and then advances the container.
  void Write(const HeldPtr& held, AgentDisk::Work work,
             absl::AnyInvocable<void(absl::Status)> written);
  void StopIfIdle();
  void FinishStop();
  ContainerInfo InfoOf(const HeldContainer& held) const;

  EventLoop& loop_;
  const Options options_;
  const std::string agent_id_;
  const std::vector<std::string> set_aside_;  // Names with damaged records.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  // Any thread may copy it; only the loop's thread may lock it.
  const std::weak_ptr<char> is_alive_ = alive_;
  std::unique_ptr<AgentDisk> disk_;
  std::unique_ptr<Containerizer> containerizer_;
  std::vector<KnownContainer> known_;
  Done<RecoverySummary> recovered_;
  std::map<std::string, HeldPtr> held_;  // By their names.
  std::map<ContainerId, HeldPtr> by_id_;
  std::deque<std::string> exited_;  // Names of the acknowledged, oldest first.
  // The last few that were forgotten, for events that come late.
  std::deque<Identity> forgotten_;
  uint64_t next_wait_ = 1;
  size_t under_way_ = 0;  // Writes, launches and destroys; Stop() waits for 0.
  bool stopping_ = false;
  absl::AnyInvocable<void() &&> stopped_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_STANDING_AGENT_H_
