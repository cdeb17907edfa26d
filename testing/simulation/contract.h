// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The promises of Lifecycle to callers and programs, for every order of events.
//
// A Contract watches a Lifecycle from outside. It sees every event that goes in
// and every action that comes out, and names the first rule that is broken. It
// does not know how Lifecycle works. Each rule is one function in contract.cc,
// with its words above it.
//
//   contract.Before(event);
//   const Actions actions = lifecycle.Handle(event);
//   contract.After(actions);
//   if (!contract.broken().empty()) …

#ifndef EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_CONTRACT_H_
#define EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_CONTRACT_H_

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/lifecycle.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// Containers are called "a", "b" and "c"; -1 is none of them.
constexpr int kMostNames = 3;
inline int IndexOf(const ContainerId& id) {
  return id.empty() ? -1 : id[0] - 'a';
}
inline ContainerId NameOf(int index) {
  return index < 0 ? "" : std::string(1, static_cast<char>('a' + index));
}

// A renaming of the containers: `from[i]` takes the place of i.
using Renaming = std::array<int, kMostNames>;

class Contract {
 public:
  // The container that has a name now, or that had it last.
  struct Life {
    int number = 0;  // How many bore the name, with this one.
    bool held = false;
    ContainerState state = ContainerState::kGone;
    bool launch_begun = false;
    bool launch_over = false;
    bool launch_failed = false;
    bool orphan = false;    // Known to recovery, and not as running.
    bool unlisted = false;  // Known as running, and not listed.
    bool told = false;      // `wait` said how it ended.
    int waits_failed = 0;   // Counted up to the limit.
    bool troubled = false;  // That was reported.
    bool destroy_failed = false;
    bool denied = false;     // By the last `destroy`: a list may now settle it.
    bool stuck = false;      // Its last `destroy` failed for good.
    bool proof = false;      // That nothing is left of it at the program.
    TimerId haunted_by = 0;  // A command may be at work until this fires.
    bool haunted = false;
  };
  struct Call {
    CallId id;
    Command command;  // kRecover: Recover(); kContainers: Containers().
    int name;
    int life;  // Which of the containers of that name; 0: not known yet.
  };
  // A command that was queued and is not over.
  struct Op {
    OpId id;
    bool running = false;
    bool cancelled = false;
    Command command = Command::kRecover;
    int name = -1;
    int life = 0;
    CallId request = 0;
    int starts = 0;
  };
  struct Timer {
    TimerId id;
    absl::Duration delay;
  };

  explicit Contract(const LifecycleOptions& options) : options_(options) {}

  void Before(const Event& event);
  void After(const Actions& actions);
  // The agent dies. The next event is a new Lifecycle's.
  void Crashed();

  // Empty as long as the contract is kept.
  const std::string& broken() const { return broken_; }
  void Break(absl::string_view rule, absl::string_view how);

  // Open calls, commands and timers, each by increasing id.
  const std::vector<Call>& calls() const { return calls_; }
  const std::vector<Op>& ops() const { return ops_; }
  const std::vector<Timer>& timers() const { return timers_; }
  const Life& life(int name) const { return lives_[static_cast<size_t>(name)]; }
  bool reconciled() const { return reconciled_; }
  bool recovering() const;

  // The containers that an agent finds in its files after a crash.
  std::vector<KnownContainer> Remembered() const;

  // Together with the Lifecycle's text: equal texts have equal futures.
  void AppendFingerprint(const Renaming& from, std::string* text) const;

 private:
  // The command that has just ended, if that is the event.
  struct Ended {
    Op op;
    CommandResult result;
  };

  void Saw(const StartCommand& start);
  void Saw(const CommandQueued& queued);
  void Saw(const CommandOver& over);
  void Saw(const CancelCommand& cancel);
  void Saw(const StartTimer& timer);
  void Saw(const StopTimer& timer);
  void Saw(const ReturnCall& done);
  void Saw(const Report& report);
  void Saw(const Adopt& adopt);
  void Saw(const Forget& forget);

  void CheckTermination(const Call& call, const ReturnCall& done);
  void CheckWhyDestroyed(int name, const Life& life);
  void CheckReconciled();
  void CheckEnd();

  Life& Of(int name) { return lives_[static_cast<size_t>(name)]; }
  Op* Find(OpId id);
  bool IsOpen(CallId id) const;
  bool HasCall(Command command, int name) const;

  LifecycleOptions options_;
  std::array<Life, kMostNames> lives_;
  std::vector<Call> calls_;
  std::vector<Op> ops_;
  std::vector<Timer> timers_;
  bool recover_done_ = false;
  bool reconciled_ = false;
  bool shut_ = false;
  std::vector<KnownContainer> known_;
  std::string broken_;

  // About the event that is being handled.
  std::optional<Ended> ended_;
  std::optional<Call> called_;
  absl::Duration fired_ = absl::ZeroDuration();
  TimerId fired_timer_ = 0;
  bool reconciling_ = false;
  std::array<ContainerState, kMostNames> was_ = {};  // kGone: not held.
  std::array<bool, kMostNames> had_calls_ = {};
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_CONTRACT_H_
