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
  // Absolute; only this agent uses it.
  std::string work_dir;
  Options containerizer;
  // Its rules on users are known before it is asked.
  bool program_is_posix = false;
  // Makes the transport, which is to tell of the processes that it starts.
  using OnStarted =
      std::function<void(Command, const std::optional<Sandbox>&, pid_t)>;
  std::function<TransportFactory(OnStarted)> transport;
  // Called on the loop, with the container's id; its name is in the event.
  std::function<void(const ContainerEvent&, const ContainerId&)> on_event;

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
    std::string name;  // Empty: one is made up.
    TaskCommand command;
    Resources resources;
  };

  struct Listed {
    std::string name;
    ContainerId id;
    std::string state;                 // launching, running, exited, destroying
    std::vector<std::string> command;  // BoundedCommand()
    std::string sandbox;
    std::optional<wire::Termination> end;
    std::string problem;  // Needs an operator, or fails for now; else empty.
  };

  // `state` is what ReadAgentState() made of the work_dir. Executors whose runs
  // it could not read are left alone. Writes down who this agent is, and so may
  // take as long as the disk does. Starts the program's transport.
  static absl::StatusOr<std::unique_ptr<StandingAgent>> Create(
      EventLoop& loop, Options options, state::AgentState state,
      std::unique_ptr<state::Writer> writer);

  StandingAgent(const StandingAgent&) = delete;
  StandingAgent& operator=(const StandingAgent&) = delete;
  // Ends what is outstanding with CANCELLED and leaves containers alone.
  ~StandingAgent();

  // Once, and before all else. Other calls may follow at once; they wait until
  // it is known what is there. After an error there is nothing left but to
  // destroy this.
  void Recover(Done<RecoverySummary> done);

  // Each `done` is called once, from the loop, with what containerizer.h says.
  // `which` is a container's name or its id; no name is another's id.

  // OK when it runs and will be found again by whoever comes after this agent.
  // ALREADY_EXISTS for a name that is held. The id is a new one each time.
  void Launch(LaunchSpec spec, Done<Identity> done);
  // When it has ended and that is recorded; as often as asked, until Destroy.
  // Returns a number for CancelWait(); 0 if `done` was called already.
  uint64_t Wait(const std::string& which, Done<wire::Termination> done);
  // Ends it with CANCELLED, if it has not ended.
  void CancelWait(const std::string& which, uint64_t wait);
  // `part` replaces what it names; all other limits stay. Updates of one
  // container hold in the order of the calls: those that come while one is
  // under way are sent together, and end alike.
  void Update(const std::string& which, Resources part, DoneStatus done);
  void Usage(const std::string& which,
             Done<std::optional<wire::ResourceStatistics>> done);
  // Ends it if it runs, removes its sandbox, and forgets it.
  void Destroy(const std::string& which, Done<wire::Termination> done);

  // The containers with a name after `after`, in order, at most `most`.
  std::vector<Listed> List(const std::string& after, size_t most) const;
  absl::StatusOr<Listed> Find(const std::string& which) const;
  size_t held() const { return held_.size(); }

  // Starts nothing any more, and calls `done` when what is under way is over,
  // or `patience` is. Containers stay. Calls of Wait() end after `done`, with
  // UNAVAILABLE.
  void Stop(absl::Duration patience, absl::AnyInvocable<void() &&> done);

 private:
  using HeldPtr = std::shared_ptr<HeldContainer>;

  StandingAgent(EventLoop& loop, Options options,
                const state::AgentState& state, std::string agent_id,
                std::vector<std::string> set_aside,
                std::unique_ptr<AgentDisk> disk);
  absl::Status StartContainerizer();

  // `f` on the loop, from whatever thread it is called on, unless this is gone.
  template <typename T, typename F>
  auto OnLoop(F f) {
    return [&loop = loop_, alive = is_alive_,
            f = std::move(f)](T value) mutable {
      loop.Post([alive, f = std::move(f), value = std::move(value)]() mutable {
        if (alive.lock() != nullptr) f(std::move(value));
      });
    };
  }

  // `done` on the loop, also if this is gone by then.
  template <typename T>
  auto Pass(absl::AnyInvocable<void(T) &&> done) {
    return [&loop = loop_, done = std::move(done)](T value) mutable {
      loop.Post([done = std::move(done), value = std::move(value)]() mutable {
        std::move(done)(std::move(value));
      });
    };
  }

  // Takes the steps that can be taken now.
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

  void DestroyFailed(HeldContainer& held, const absl::Status& status);
  void HaveEnd(HeldContainer& held, wire::Termination end);
  void FailLaunch(HeldContainer& held, const absl::Status& status);
  void AnswerAll(HeldContainer& held, const absl::Status& status);
  void Erase(const HeldPtr& held);
  void HasExited(const HeldPtr& held);
  void KeepFewExited();
  void OnStarted(Command command, const std::optional<Sandbox>& sandbox,
                 pid_t pid);
  void HaveRecovered(absl::StatusOr<RecoverySummary> summary);
  HeldPtr Lookup(const std::string& which) const;
  std::string NameOf(const ContainerId& id) const;
  void Enter(HeldPtr held);
  // Sends all updates that wait, if none is under way.
  void SendUpdates(const HeldPtr& held);
  void RecordResources(const HeldPtr& held);
  void EndUpdates(const HeldPtr& held, const absl::Status& status);
  void Happened(ContainerEvent event);
  void Notice(const HeldContainer& held, const std::string& detail,
              const absl::Status& status = absl::OkStatus());
  // Writes on the disk's threads, in the order of the calls for a container,
  // and advances it when `written` has said what came of it.
  void Write(const HeldPtr& held, AgentDisk::Work work,
             absl::AnyInvocable<void(absl::Status)> written);
  void StopIfIdle();
  void Stopped();
  Listed ListedOf(const HeldContainer& held) const;

  EventLoop& loop_;
  const Options options_;
  const std::string agent_id_;
  const std::vector<std::string> set_aside_;  // Ids that are not to be used.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  // Any thread may copy it; only the loop's thread may ask it.
  const std::weak_ptr<char> is_alive_ = alive_;
  std::unique_ptr<AgentDisk> disk_;
  std::unique_ptr<Containerizer> containerizer_;
  std::vector<KnownContainer> known_;
  Done<RecoverySummary> recovered_;
  std::map<std::string, HeldPtr> held_;  // By their names.
  std::map<ContainerId, HeldPtr> by_id_;
  std::deque<std::string> exited_;  // Those that are done with, oldest first.
  // The last few that were forgotten, for events that come late.
  std::deque<Identity> forgotten_;
  uint64_t next_wait_ = 1;
  size_t under_way_ = 0;  // Writes, launches and destroys.
  bool stopping_ = false;
  absl::AnyInvocable<void() &&> stopped_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_STANDING_AGENT_H_
