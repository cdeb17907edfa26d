// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What happens to containers: a function from state and event to state and
// actions. No clock, no thread, no lock, no I/O and no callback is in here, so
// a test can copy it, fingerprint it and walk through every interleaving.
//
//   call, answer or timer ──▶ Handle() ──▶ commands, timers, results of calls
//
// Rules of order (design.md, contract 3–12): calls queue behind a launch,
// Destroy overtakes; a failed launch is followed by `destroy`; one `wait` per
// container at the program, shared by all callers; updates one at a time,
// newest wins; gone means that `destroy` succeeded, or failed and the program
// no longer lists the container.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/command_slots.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/decode.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

using CallId = uint64_t;   // Chosen by whoever sends the event; never reused.
using OpId = uint64_t;     // Chosen by Lifecycle; one command at the program.
using TimerId = uint64_t;  // Chosen by Lifecycle.

// --- Events: the only way in ---

struct RecoverCall {
  CallId call;
  std::vector<KnownContainer> known;  // Valid ids, each once.
};
// A call for one container. What a launch or an update carries stays with the
// sender, under the call's id, until the call returns.
struct ContainerCall {
  CallId call;
  Command command;  // kLaunch, kUpdate, kUsage, kWait or kDestroy.
  ContainerId container;
};
struct ContainersCall {
  CallId call;
};
struct CommandEnded {
  OpId op;
  CommandResult result;
};
struct TimerFired {
  TimerId timer;
};
// The end: every call returns CANCELLED, now and from now on.
struct Shutdown {};

using Event = std::variant<RecoverCall, ContainerCall, ContainersCall,
                           CommandEnded, TimerFired, Shutdown>;

// --- Actions: the only way out, to be carried out in order ---

// Is answered by one CommandEnded. Repeats of a command have the same `op`;
// its time goes on running from the first.
struct StartCommand {
  OpId op;
  Command command;
  ContainerId container;  // Empty if it is about no single one.
  CallId request;         // Whose request it carries: launch and update.
};
// Around all of a command's tries and the times between them: before the
// first StartCommand, and when there will be no other.
struct CommandQueued {
  OpId op;
};
struct CommandOver {
  OpId op;
};
// For a command that was started: CommandEnded is still due.
struct CancelCommand {
  OpId op;
};
struct StartTimer {
  TimerId timer;
  absl::Duration delay;
  bool jitter;  // A back-off: whoever sets the timer adds some, at random.
};
struct StopTimer {
  TimerId timer;
};
struct ReturnCall {
  using Value =
      std::variant<std::monostate, std::shared_ptr<const wire::Termination>,
                   std::optional<wire::ResourceStatistics>,
                   std::vector<ContainerId>, RecoverySummary>;
  CallId call;
  absl::Status status;
  Value value;  // What the call asks for, if `status` is OK.
};
struct Report {
  ContainerEvent event;
};
// The container is held from here on, until Forget; `sandbox` is what recovery
// was told of it (a launch's is known to the sender).
struct Adopt {
  ContainerId container;
  std::optional<Sandbox> sandbox;
};
struct Forget {
  ContainerId container;
};

using Action =
    std::variant<StartCommand, CommandQueued, CommandOver, CancelCommand,
                 StartTimer, StopTimer, ReturnCall, Report, Adopt, Forget>;
using Actions = std::vector<Action>;

class Lifecycle {
 public:
  explicit Lifecycle(LifecycleOptions options);

  // Events that name an unknown op or timer are stale and change nothing.
  Actions Handle(Event event);

 private:
  friend class LifecycleFingerprint;  // For tests: the whole state.

  enum class Phase { kFresh, kRecovering, kReady, kShutdown };

  // One command at the program, its repeats included.
  struct Op {
    // Why `containers` is run; all else is run for kCall.
    enum class Purpose : uint8_t { kCall, kGoneCheck, kRecovery };

    Command command;
    Purpose purpose = Purpose::kCall;
    int attempts = 1;
    bool may_be_done = false;  // By a try before this one.
    TimerId retry = 0;         // Set between two tries.
    ContainerId container;
    CallId request = 0;
    std::vector<CallId> callers;  // Of update, usage and containers.
  };

  struct Container {
    ContainerState state = ContainerState::kLaunching;
    bool asked_once = false;  // Not listed: one failed `wait` and it is lost.
    bool destroyed = false;   // `destroy` is done; other commands are ending.
    bool orphan = false;      // Recovery waits for it to be gone.
    bool troubled = false;    // kTrouble was reported.
    uint8_t waits_not_started = 0;  // In a row.
    int wait_attempts = 0;
    int destroy_attempts = 0;
    CallId launch_call = 0;
    OpId launch = 0, update = 0, usage = 0, wait = 0;  // 0: none.
    OpId destroy = 0;  // Or the `containers` that follows its failure.
    TimerId destroy_timer = 0, wait_timer = 0;
    TimerId unknown_timer = 0;  // Set: an earlier command may still be at work.
    uint64_t ended = 0;         // Key in ended_.
    std::vector<std::pair<Command, CallId>> queued;  // Behind the launch.
    std::vector<CallId> updates;  // Not sent yet; the last one counts.
    std::vector<CallId> waiters, destroyers;
    std::shared_ptr<const wire::Termination> termination;
    absl::Status cause;  // The first failure, which explains those after it.
    absl::Status destroy_error;  // Of the last `destroy`.
  };

  struct Timer {
    enum class Kind {
      kOpRetry,
      kLaunchGrace,
      kWaitGrace,
      kWaitRetry,
      kWaitStable,
      kDestroyRetry,
      kUnlistedGrace,
      kUnknownGrace,
    };
    Kind kind;
    ContainerId container;
    OpId op = 0;
  };

  void On(RecoverCall event);
  void On(ContainerCall event);
  void On(ContainersCall event);
  void On(CommandEnded event);
  void On(TimerFired event);
  void On(Shutdown event);

  // Calls. Accept() returns false after it refused the call.
  bool Accept(CallId call, const ContainerId& container, size_t headroom);
  void Dispatch(Command command, CallId call, const ContainerId& id);
  void Launch(CallId call, const ContainerId& id);
  void Destroy(CallId call, const ContainerId& id, Container& container);
  void List(CallId call);
  void JoinUsage(CallId call, const ContainerId& id, Container& container);
  void StartUpdate(const ContainerId& id, Container& container,
                   std::vector<CallId> callers);
  void Return(CallId call, absl::Status status,
              ReturnCall::Value value = std::monostate());
  void ReturnAll(std::vector<CallId>& calls, const absl::Status& status,
                 const ReturnCall::Value& value = std::monostate());
  void ReturnTermination(std::vector<CallId>& calls,
                         const Container& container);

  // Commands.
  OpId Submit(Command command, const ContainerId& container,
              Op::Purpose purpose = Op::Purpose::kCall, CallId request = 0,
              std::vector<CallId> callers = {});
  Op Take(OpId id);
  bool RetryLater(OpId id, Op& op, const Container* container,
                  const CommandResult& result);
  void StartWait(const ContainerId& id, Container& container);
  void LaunchEnded(const ContainerId& id, const CommandResult& result);
  void WaitEnded(const ContainerId& id, const CommandResult& result);
  void DestroyEnded(const ContainerId& id, const CommandResult& result);
  void GoneCheckEnded(const ContainerId& id, const CommandResult& result);
  void DestroyAgain(const ContainerId& id, Container& container);
  void AbortUnlessRunning(OpId id);
  void ListEnded(std::vector<CallId> callers, const CommandResult& result);

  // Transitions.
  void SetState(const ContainerId& id, Container& container,
                ContainerState state, absl::string_view why,
                const absl::Status& status = absl::OkStatus());
  void Ended(const ContainerId& id, Container& container);
  void BeginDestroy(const ContainerId& id, Container& container,
                    absl::string_view why);
  void TryDestroy(const ContainerId& id, Container& container);
  void Destroyed(const ContainerId& id, Container& container);
  void DestroyFailed(const ContainerId& id, Container& container);
  void GoneIfOver(const ContainerId& id, Container& container);
  void Gone(const ContainerId& id);

  // Recovery.
  void Recovered(const CommandResult& listed);
  void RecoveryFailed(const absl::Status& status);
  Container& Enter(const KnownContainer& known, ContainerState state);
  void StartOrphans();
  void OrphanDone(Container& container, const ContainerId& id, bool destroyed);
  void UnlistedAnswered(const ContainerId& id, Container& container, bool lost);
  void FinishRecovery();

  TimerId SetTimer(Timer::Kind kind, absl::Duration delay,
                   const ContainerId& container, OpId op = 0);
  void Stop(TimerId& timer);
  absl::Duration Backoff(int attempts) const;
  void Notice(const ContainerId& container, Command command, std::string detail,
              const absl::Status& status,
              ContainerEvent::Kind kind = ContainerEvent::Kind::kNotice);
  void Trouble(const ContainerId& id, Container& container, Command command,
               const absl::Status& status);
  void WaitWorks(const ContainerId& id, Container& container);

  LifecycleOptions options_;
  Phase phase_ = Phase::kFresh;
  uint64_t next_id_ = 1;
  CommandSlots slots_;
  // Nodes: a container stays where it is while others come and go.
  absl::node_hash_map<ContainerId, Container> containers_;
  absl::node_hash_map<OpId, Op> ops_;
  absl::flat_hash_map<TimerId, Timer> timers_;
  absl::flat_hash_map<CallId, ContainerId> calls_;  // Not returned yet.
  absl::flat_hash_map<ContainerId, size_t> calls_of_;
  absl::btree_map<uint64_t, ContainerId> ended_;  // Oldest first.
  OpId listing_ = 0;
  std::vector<CallId> next_listing_;

  CallId recover_call_ = 0;
  std::vector<KnownContainer> known_;
  std::vector<Event> held_;  // Calls that came during recovery.
  absl::btree_set<ContainerId> unlisted_;
  std::vector<ContainerId> orphans_;  // Not begun; the last is next.
  size_t orphans_begun_ = 0;
  RecoverySummary summary_;

  Actions out_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_H_
