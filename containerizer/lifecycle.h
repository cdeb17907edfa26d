// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What happens to containers: a function from a state and an event to a state
// and actions. It has no clock, thread, lock, I/O or callback, so a test can
// copy it, compare it, and walk through every order of events
// (testing/simulation).
//
//   call, answer or timer ──▶ Handle() ──▶ commands, timers, results of calls
//
// The rules of order:
//
//   Calls queue behind a launch, but Destroy overtakes it.
//   A launch that failed is followed by `destroy`.
//   All callers of Wait() share one `wait` at the program.
//   Updates of a container are sent one at a time, and the newest wins.
//   A container is gone when `destroy` has succeeded, or when it has failed and
//   the program does not list the container any more.
//
// Its one user is Containerizer, which gives it a clock and a transport:
//
//   Lifecycle lifecycle(options);
//   for (Action& action : lifecycle.Handle(RecoverCall{1, known})) {
//     std::visit([](auto&& what) { Do(std::move(what)); }, std::move(action));
//   }
//
// Thread-compatible. Calls are to be valid: request.h checks what callers say.

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

// The sender of the event chooses it, and never uses it again.
using CallId = uint64_t;
// Lifecycle chooses these. An op is one command at the program.
using OpId = uint64_t;
using TimerId = uint64_t;

// --- Events: the only way in ---

// Must come first. After it has failed it may come again.
struct RecoverCall {
  CallId call;
  std::vector<KnownContainer> known;  // Valid ids, each once.
};
// Every other call. What a launch or an update carries stays with the sender,
// under the call's id, until the call returns.
struct ContainerCall {
  CallId call;
  Command command;        // Not kRecover.
  ContainerId container;  // Empty for kContainers.
};
// The answer to a StartCommand, exactly one for each.
struct CommandEnded {
  OpId op;
  CommandResult result;
};
// The delay of a StartTimer is over.
struct TimerFired {
  TimerId timer;
};
// The end: every call returns CANCELLED, now and from now on.
struct Shutdown {};

using Event = std::variant<RecoverCall, ContainerCall, CommandEnded, TimerFired,
                           Shutdown>;

// --- Actions: the only way out, to be carried out in order ---

// Hand a command to the program. One CommandEnded answers it. A command that is
// repeated has the same `op`, and its time limit goes on from the first try.
struct StartCommand {
  OpId op;
  Command command;
  ContainerId container;  // Empty if it is about no single one.
  CallId request;         // Whose request it carries: launch and update.
};
// These two enclose all tries of a command and the times between them. The
// first comes before the first StartCommand, the second when no StartCommand
// will follow.
struct CommandQueued {
  OpId op;
};
struct CommandOver {
  OpId op;
};
// End a command that was started. Its CommandEnded is still due.
struct CancelCommand {
  OpId op;
};
// TimerFired is due after `delay`, unless StopTimer comes first.
struct StartTimer {
  TimerId timer;
  absl::Duration delay;
  bool jitter;  // The delay is a back-off: make it longer by a random part.
};
struct StopTimer {
  TimerId timer;
};
// A call is over. Each call returns exactly once.
struct ReturnCall {
  using Value =
      std::variant<std::monostate, std::shared_ptr<const wire::Termination>,
                   std::optional<wire::ResourceStatistics>,
                   std::vector<ContainerId>, RecoverySummary>;
  CallId call;
  absl::Status status;
  Value value;  // What the call asks for, if `status` is OK.
};
// Tell the operator.
struct Report {
  ContainerEvent event;
};
// A recovered container is held from now on. `sandbox` is the one that the
// agent remembered.
struct Adopt {
  ContainerId container;
  std::optional<Sandbox> sandbox;
};
// A container is no longer held. Its id may be used again.
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

  // The actions are to be carried out in their order. An event that names an
  // unknown op or timer is late and changes nothing.
  Actions Handle(Event event);

 private:
  friend class LifecycleFingerprint;  // For tests: the whole state.

  // Calls other than Recover() are refused, kept, accepted, refused.
  enum class Phase { kFresh, kRecovering, kReady, kShutdown };

  // One command at the program, with its repeats.
  struct Op {
    // Why `containers` is run; all else is run for kCall.
    enum class Purpose : uint8_t { kCall, kGoneCheck, kRecovery };

    Command command;
    Purpose purpose = Purpose::kCall;
    int attempts = 1;
    bool may_be_done = false;  // An earlier try may have done it.
    TimerId retry = 0;         // Set between two tries.
    ContainerId container;     // Empty for recover and for callers' lists.
    CallId request = 0;        // The call whose request is sent.
    // Calls that return with it, for update, usage and containers. A container
    // has the callers of launch, wait and destroy.
    std::vector<CallId> callers;
  };

  // A container that is held. One that is gone stays for as long as a command
  // of unknown outcome may still act on its id.
  struct Container {
    ContainerState state = ContainerState::kLaunching;
    bool destroyed = false;  // `destroy` is done; other commands are ending.
    bool orphan = false;     // Recovery waits until it is gone.
    bool troubled = false;   // kTrouble was reported.
    // Failures in a row. A `wait` that was not started counts apart, because it
    // says nothing about the container.
    uint8_t waits_not_started = 0;
    int wait_attempts = 0;
    int destroy_attempts = 0;
    CallId launch_call = 0;
    // The commands that are queued or run; 0 where there is none.
    OpId launch = 0, update = 0, usage = 0, wait = 0;
    OpId destroy = 0;  // Or the `containers` that follows its failure.
    // The grace of the launch, the back-off of `destroy`, or the grace of
    // `wait` after `destroy`: there is one at a time.
    TimerId destroy_timer = 0;
    TimerId wait_timer = 0;     // A back-off, or kWaitStable.
    TimerId unknown_timer = 0;  // Set while an earlier command may be at work.
    uint64_t ended = 0;         // The key in ended_.
    std::vector<std::pair<Command, CallId>> queued;  // Behind the launch.
    std::vector<CallId> updates;  // Not sent yet; the last one counts.
    std::vector<CallId> waiters, destroyers;
    std::shared_ptr<const wire::Termination> termination;
    absl::Status cause;  // The first failure, which explains later ones.
    absl::Status destroy_error;  // The error of the last `destroy`.
  };

  struct Timer {
    // Says what happens when the timer fires.
    enum class Kind {
      kOpRetry,        // `op` is tried again.
      kLaunchGrace,    // A launch that Destroy() waits for is cancelled.
      kWaitGrace,      // A `wait` that outlasts `destroy` is cancelled.
      kWaitRetry,      // `wait` is tried again.
      kWaitStable,     // A `wait` has run for long: its failures are forgotten.
      kDestroyRetry,   // `destroy` is tried again.
      kUnlistedGrace,  // Containers that are not listed count as running.
      kUnknownGrace,   // The container's id may be used again.
    };
    Kind kind;
    ContainerId container;
    OpId op = 0;
  };

  void On(RecoverCall event);
  void On(ContainerCall event);
  void On(CommandEnded event);
  void On(TimerFired event);
  void On(Shutdown event);

  // Calls.
  //
  // Accept() returns false if it has refused the call. A call with `headroom`
  // may exceed the bounds by so much.
  bool Accept(CallId call, const ContainerId& container, size_t headroom);
  // Does what the container's state asks for: queues the call behind a launch,
  // lets it join a command, begins a command, or returns it at once.
  void Dispatch(Command command, CallId call, const ContainerId& id);
  void Launch(CallId call, const ContainerId& id);
  void Destroy(CallId call, const ContainerId& id, Container& container);
  void JoinUsage(CallId call, const ContainerId& id, Container& container);
  void StartUpdate(const ContainerId& id, Container& container,
                   std::vector<CallId> callers);
  // A call that has returned already is left alone: Shutdown returns all.
  void Return(CallId call, absl::Status status,
              ReturnCall::Value value = std::monostate());
  void ReturnAll(std::vector<CallId>& calls, const absl::Status& status,
                 const ReturnCall::Value& value = std::monostate());
  void ReturnTermination(std::vector<CallId>& calls,
                         const Container& container);

  // Commands.
  //
  // Submit() queues a command, and Take() removes one that is over.
  // RetryLater() returns true if the command will be tried again.
  // AbortUnlessRunning() ends an update or a usage that is queued or waits for
  // its next try.
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
  // The `containers` that follows a `destroy` that failed.
  void GoneCheckEnded(const ContainerId& id, const CommandResult& result);
  // Tries once more after a back-off, or gives up.
  void DestroyAgain(const ContainerId& id, Container& container);
  void AbortUnlessRunning(OpId id);

  // Transitions. TryDestroy() may be repeated; FinishDestroy() follows its success,
  // BecomeGoneIfOver() waits for the container's other commands, and BecomeGone() forgets.
  void SetState(const ContainerId& id, Container& container,
                ContainerState state, absl::string_view why,
                const absl::Status& status = absl::OkStatus());
  // It has ended by itself. Too many of them cost the oldest.
  void EnterEnded(const ContainerId& id, Container& container);
  void BeginDestroy(const ContainerId& id, Container& container,
                    absl::string_view why);
  void TryDestroy(const ContainerId& id, Container& container);
  void FinishDestroy(const ContainerId& id, Container& container);
  // Gives up: the container is still held, and Destroy() may come again.
  void DestroyFailed(const ContainerId& id, Container& container);
  void BecomeGoneIfOver(const ContainerId& id, Container& container);
  void BecomeGone(const ContainerId& id);

  // Recovery. Enter() begins to hold a container. The call returns when no
  // orphan is left and every container that was not listed has been asked
  // (FinishRecovery); calls for containers do not wait for that.
  void ReconcileWith(const CommandResult& listed);
  void RecoveryFailed(const absl::Status& status);
  Container& Enter(const KnownContainer& known, ContainerState state);
  void StartOrphans();
  void OrphanDone(Container& container, const ContainerId& id, bool destroyed);
  void UnlistedAnswered(const ContainerId& id, bool lost);
  void FinishRecovery();

  // Timers and reports. Trouble() reports a failure that is tried again, and
  // WaitWorks() reports that it is over. Stop() sets the id to 0. Backoff() is
  // the time before the next try, when `attempts` have failed.
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
  uint64_t next_id_ = 1;  // Of ops, timers and keys in ended_.
  CommandSlots slots_;
  // Nodes, so that a container stays where it is while others come and go.
  absl::node_hash_map<ContainerId, Container> containers_;
  absl::node_hash_map<OpId, Op> ops_;
  absl::flat_hash_map<TimerId, Timer> timers_;
  absl::flat_hash_map<CallId, ContainerId> calls_;     // Not returned yet.
  absl::flat_hash_map<ContainerId, size_t> calls_of_;  // How many of them.
  // Containers that have ended, the oldest first, to keep at most max_ended.
  absl::btree_map<uint64_t, ContainerId> ended_;

  // Recovery.
  CallId recover_call_ = 0;
  std::vector<KnownContainer> known_;
  std::vector<ContainerCall> held_;  // Calls that came during recovery.
  // Known as running and not listed: one failed `wait`, and it is lost.
  absl::btree_set<ContainerId> unlisted_;
  std::vector<ContainerId> orphans_;  // Not begun; the last is the next.
  size_t orphans_begun_ = 0;          // And not gone yet.
  RecoverySummary summary_;

  Actions out_;  // Of the event that is being handled.
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_H_
