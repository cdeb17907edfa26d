// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/simulation/contract.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

using State = KnownContainer::State;

// Destroy() gets through where other calls are refused.
constexpr size_t kDestroyHeadroom = 16;

bool Lists(const std::vector<ContainerId>& containers, int name) {
  return std::find(containers.begin(), containers.end(), NameOf(name)) !=
         containers.end();
}

}  // namespace

// --- Rules of calls ---

// Every call ends exactly once.
void Contract::Saw(const ReturnCall& done) {
  const auto it =
      std::find_if(calls_.begin(), calls_.end(),
                   [&](const Call& call) { return call.id == done.call; });
  if (it == calls_.end()) {
    return Break("every call ends exactly once",
                 absl::StrCat("call ", done.call, " has ended before"));
  }
  const Call call = *it;
  calls_.erase(it);
  if (call.name < 0) return;
  Life& life = Of(call.name);
  // A launch that is given up before it begins leaves nothing.
  if (call.command == Command::kLaunch && absl::IsAborted(done.status) &&
      life.held && !life.launch_begun) {
    life.proof = true;
  }
  // A call's result belongs to the container for which it was made.
  if (call.life != 0 && call.life != life.number) {
    return Break(
        "a result reaches its own container only",
        absl::StrCat(CommandName(call.command), " of ", NameOf(call.name),
                     " ends when the name is another's"));
  }
  if (call.command == Command::kWait || call.command == Command::kDestroy) {
    if (done.status.ok()) CheckTermination(call, done);
    return;
  }
  if (call.command == Command::kLaunch) return;
  // Update and Usage succeed when the program's command has, and not before.
  // An update covers the updates that were asked for before it.
  const bool is_done =
      ended_ && ended_->result.status.ok() &&
      ended_->op.command == call.command && ended_->op.name == call.name &&
      ended_->op.life == call.life &&
      (call.command == Command::kUsage || ended_->op.request >= call.id);
  if (is_done != done.status.ok()) {
    Break("a call succeeds when the program has done it, and only then",
          absl::StrCat(CommandName(call.command), " of ", NameOf(call.name)));
  }
}

// Every caller learns the end that the program told. If the program never told
// it, the callers learn that, but only when no answer can come any more.
void Contract::CheckTermination(const Call& call, const ReturnCall& done) {
  using Shared = std::shared_ptr<const wire::Termination>;
  const auto* termination = std::get_if<Shared>(&done.value);
  if (termination == nullptr || *termination == nullptr) {
    return Break("Wait and Destroy return a Termination", NameOf(call.name));
  }
  const Life& life = Of(call.name);
  if ((*termination)->has_status()) {
    if ((*termination)->status() != life.number % 2) {
      Break("a result reaches its own container only",
            absl::StrCat("the Termination of an earlier ", NameOf(call.name)));
    }
  } else if (life.told) {
    Break("no exit is lost", absl::StrCat(NameOf(call.name),
                                          " said how it ended, and the caller "
                                          "gets a made-up Termination"));
  } else if (!life.proof && life.waits_failed == 0 && !life.destroy_failed) {
    Break("no Termination is made up while the program may give the true one",
          NameOf(call.name));
  }
  // A destroyed container is gone: its name is free, nothing works on it.
  if (call.command == Command::kDestroy && !life.proof) {
    Break("Destroy succeeds when nothing is left", NameOf(call.name));
  }
}

// --- Rules of commands ---

void Contract::Saw(const CommandQueued& queued) {
  ops_.push_back(Op{queued.op});
}

void Contract::Saw(const CommandOver& over) {
  const Op* const op = Find(over.op);
  if (op == nullptr || op->running) {
    return Break("a command is over once, after its last try",
                 absl::StrCat("op ", over.op));
  }
  ops_.erase(ops_.begin() + (op - ops_.data()));
}

void Contract::Saw(const StartCommand& start) {
  Op* const op = Find(start.op);
  if (op == nullptr || op->running) {
    return Break(
        "a command runs once at a time",
        absl::StrCat(CommandName(start.command), " ", start.container));
  }
  const int name = IndexOf(start.container);
  const std::string what =
      absl::StrCat(CommandName(start.command), " ", start.container);
  // Recovery comes first: `recover`, then `containers`, then all else.
  if (!reconciled_ &&
      !(start.command == Command::kRecover ||
        (start.command == Command::kContainers && name < 0 && recover_done_))) {
    Break("nothing is begun before recovery has reconciled", what);
  }
  if (name >= 0) {
    Life& life = Of(name);
    // A command and its repeats are about one container.
    if (!life.held || (op->starts > 0 && op->life != life.number)) {
      Break("a command is about its own container only", what);
    }
    // One launch, and then never another for the same container.
    if (start.command == Command::kLaunch && life.launch_begun) {
      Break("launch is never repeated", what);
    }
    // No other command about a name runs while its container is launched, and a
    // launch does not begin while one may run.
    for (const Op& other : ops_) {
      if (!other.running || other.name != name) continue;
      if (other.command == Command::kLaunch ||
          start.command == Command::kLaunch) {
        Break("while launch runs nothing else runs about that name",
              absl::StrCat(what, " beside ", CommandName(other.command)));
      }
      // One wait, one update, one of each at a time.
      if (other.command == start.command) {
        Break("one command of a kind at a time for a container", what);
      }
    }
    if (start.command == Command::kLaunch && life.haunted) {
      Break("a name is not used again while a command may be at work", what);
    }
    // Only launch comes before launch is over.
    if (start.command != Command::kLaunch && !life.launch_over) {
      Break("nothing but launch before launch is over", what);
    }
    // No command follows a destroy that succeeded.
    if (life.proof) Break("no command follows a destroy that succeeded", what);
    // A container that is being destroyed is only destroyed and waited for.
    if (life.state == ContainerState::kDestroying &&
        (start.command == Command::kUpdate ||
         start.command == Command::kUsage)) {
      Break("no update and no usage begins during a destroy", what);
    }
    // The record that a launch or an update sends is kept until its call ends.
    if (start.command == Command::kLaunch ||
        start.command == Command::kUpdate) {
      if (!IsOpen(start.request)) {
        Break("a command that is sent has a caller", what);
      }
    }
    // Newest wins: what is sent is the last that was asked for.
    if (start.command == Command::kUpdate && op->starts == 0) {
      for (const Call& call : calls_) {
        if (call.command == Command::kUpdate && call.name == name &&
            call.id > start.request) {
          Break("the newest of several updates is sent", what);
        }
      }
    }
    if (start.command == Command::kLaunch) life.launch_begun = true;
    op->life = life.number;
  }
  op->running = true;
  op->command = start.command;
  op->name = name;
  op->request = start.request;
  ++op->starts;
  // No command is tried without end.
  if (op->starts > options_.max_attempts) {
    Break("a command is tried a bounded number of times", what);
  }
  // So many at once, and no more.
  size_t waits = 0, others = 0;
  for (const Op& running : ops_) {
    if (running.running) ++(running.command == Command::kWait ? waits : others);
  }
  if (waits > options_.max_waits || others > options_.max_commands + 2) {
    Break("so many commands at once and no more", what);
  }
}

// A command that runs is cancelled once, and for a reason: a launch when
// Destroy() has waited for its grace, and other commands when their container
// is destroyed, `wait` only after its grace.
void Contract::Saw(const CancelCommand& cancel) {
  Op* const op = Find(cancel.op);
  if (op == nullptr || !op->running || op->cancelled) {
    return Break("a command is cancelled once, while it runs",
                 absl::StrCat("op ", cancel.op));
  }
  op->cancelled = true;
  const std::string what =
      absl::StrCat(CommandName(op->command), " ", NameOf(op->name));
  if (op->name < 0) return Break("no list is cancelled", what);
  const Life& life = Of(op->name);
  switch (op->command) {
    case Command::kLaunch:
      if (fired_ != options_.launch_grace) {
        Break("a launch has its grace before it is cancelled", what);
      }
      return;
    case Command::kWait:
      if (!life.proof || fired_ != options_.wait_grace) {
        Break("wait has its grace after destroy before it is cancelled", what);
      }
      return;
    default:
      if (!life.proof)
        Break("a command is left to end until destroy has succeeded", what);
      return;
  }
}

// --- Rules of timers ---

void Contract::Saw(const StartTimer& timer) {
  timers_.push_back(Timer{timer.timer, timer.delay});
  if (timer.delay == options_.unknown_grace && ended_ && ended_->op.name >= 0) {
    Of(ended_->op.name).haunted_by = timer.timer;
  }
}

void Contract::Saw(const StopTimer& stop) {
  const auto it =
      std::find_if(timers_.begin(), timers_.end(),
                   [&](const Timer& timer) { return timer.id == stop.timer; });
  if (it == timers_.end()) {
    return Break("a timer is stopped while it is set",
                 absl::StrCat("timer ", stop.timer));
  }
  timers_.erase(it);
}

// --- Rules of containers ---

void Contract::Saw(const Report& report) {
  const ContainerEvent& event = report.event;
  if (event.kind == ContainerEvent::Kind::kTrouble) {
    Of(IndexOf(event.container)).troubled = !event.status.ok();
  }
  if (event.kind != ContainerEvent::Kind::kStateChanged) return;
  const int name = IndexOf(event.container);
  Life& life = Of(name);
  switch (event.state) {
    case ContainerState::kLaunching: {
      const int number = life.number + 1;
      const bool haunted = life.haunted;
      const TimerId by = life.haunted_by;
      life = Life();
      life.number = number;
      life.held = true;
      life.haunted = haunted;
      life.haunted_by = by;
      break;
    }
    case ContainerState::kRunning:
      // It runs after a launch that succeeded, at recovery, or if destroy
      // failed.
      if (!life.launch_over || life.launch_failed) {
        Break("a running container was launched", NameOf(name));
      }
      break;
    case ContainerState::kEnded:
      // A container has ended if the program says so. A `wait` that dies is not
      // enough, unless the container is not listed.
      if (!life.told && !life.destroy_failed &&
          !(life.unlisted && life.waits_failed > 0)) {
        Break("a wait that dies ends no container", NameOf(name));
      }
      life.stuck = !event.status.ok();
      break;
    case ContainerState::kDestroying:
      CheckWhyDestroyed(name, life);
      break;
    case ContainerState::kGone:
      if (!life.proof) {
        Break("a container is forgotten when it is gone", NameOf(name));
      }
      break;
  }
  life.state = event.state;
}

// Nothing is destroyed unasked, except for the rest of a failed launch,
// orphans, containers that cannot be watched any more, and the oldest of too
// many ended ones.
void Contract::CheckWhyDestroyed(int name, const Life& life) {
  const bool asked = HasCall(Command::kDestroy, name);
  size_t ended = 0;
  for (const Life& other : lives_) {
    ended +=
        other.held && other.state == ContainerState::kEnded && !other.stuck;
  }
  if (!asked && !life.launch_failed && !life.orphan &&
      life.waits_failed < options_.max_wait_attempts &&
      !(life.state == ContainerState::kEnded && ended > options_.max_ended)) {
    Break("nothing is destroyed without a reason", NameOf(name));
  }
}

void Contract::Saw(const Adopt& adopt) {
  Life& life = Of(IndexOf(adopt.container));
  if (life.held)
    Break("a held container is not adopted again", adopt.container);
  const int number = std::max(life.number, 1);
  life = Life();
  life.number = number;
  life.held = true;
  life.launch_begun = life.launch_over = true;
  for (const KnownContainer& known : known_) {
    if (known.id != adopt.container) continue;
    life.orphan = known.state != State::kRunning;
    life.unlisted = known.state == State::kRunning &&
                    !Lists(ended_->result.containers, IndexOf(known.id));
  }
}

// A container is forgotten when nothing is left of it: `destroy` succeeded, or
// it failed and the program does not list the container, or the launch never
// began. All commands and calls about it have ended by then.
void Contract::Saw(const Forget& forget) {
  const int name = IndexOf(forget.container);
  Life& life = Of(name);
  if (!life.held || !life.proof) {
    Break("a container is forgotten when it is gone", forget.container);
  }
  for (const Op& op : ops_) {
    if (op.name == name && (op.running || op.starts > 0)) {
      Break("nothing outlives its container",
            absl::StrCat(CommandName(op.command), " ", forget.container));
    }
  }
  for (const Call& call : calls_) {
    if (call.name == name && call.life == life.number) {
      Break("no call outlives its container",
            absl::StrCat(CommandName(call.command), " ", forget.container));
    }
  }
  life.held = false;
}

// --- Before and after an event ---

void Contract::Before(const Event& event) {
  ended_.reset();
  called_.reset();
  fired_ = absl::ZeroDuration();
  fired_timer_ = 0;
  reconciling_ = false;
  for (int name = 0; name < kMostNames; ++name) {
    const auto i = static_cast<size_t>(name);
    was_[i] = lives_[i].held ? lives_[i].state : ContainerState::kGone;
    had_calls_[i] =
        std::any_of(calls_.begin(), calls_.end(),
                    [&](const Call& call) { return call.name == name; });
  }
  if (const auto* recover = std::get_if<RecoverCall>(&event)) {
    called_ = Call{recover->call, Command::kRecover, -1, 0};
    known_ = recover->known;
  } else if (const auto* call = std::get_if<ContainerCall>(&event)) {
    const bool about_one = call->command != Command::kContainers;
    const int name = about_one ? IndexOf(call->container) : -1;
    const bool held = about_one && reconciled_ && Of(name).held;
    called_ =
        Call{call->call, call->command, name, held ? Of(name).number : 0};
  } else if (const auto* fired = std::get_if<TimerFired>(&event)) {
    const auto it = std::find_if(
        timers_.begin(), timers_.end(),
        [&](const Timer& timer) { return timer.id == fired->timer; });
    fired_ = it->delay;
    fired_timer_ = it->id;
    timers_.erase(it);
    for (Life& life : lives_) {
      if (life.haunted && life.haunted_by == fired_timer_) {
        life.haunted = false;
        life.haunted_by = 0;
      }
    }
  } else if (std::holds_alternative<Shutdown>(event)) {
    shut_ = true;
    // The transport is about to be destroyed.
    ops_.clear();
    timers_.clear();
  }
  if (called_) calls_.push_back(*called_);
  const auto* over = std::get_if<CommandEnded>(&event);
  if (over == nullptr) return;
  Op* const op = Find(over->op);
  op->running = false;
  ended_ = Ended{*op, over->result};
  const CommandResult& result = over->result;
  const bool ok = result.status.ok();
  if (op->name < 0) {
    if (op->command == Command::kRecover) recover_done_ = ok;
    if (op->command == Command::kContainers && !reconciled_ && ok) {
      reconciled_ = reconciling_ = true;
    }
    return;
  }
  Life& life = Of(op->name);
  const bool not_started = result.outcome == Outcome::kNotStarted;
  if (result.outcome == Outcome::kUnknown && !HasResult(op->command)) {
    life.haunted = true;
    life.haunted_by = 0;
  }
  switch (op->command) {
    case Command::kLaunch:
      life.launch_over = true;
      life.launch_failed = !ok;
      life.proof = not_started;
      break;
    case Command::kWait:
      if (ok) {
        life.told = true;
      } else if (!not_started &&
                 life.waits_failed < options_.max_wait_attempts) {
        ++life.waits_failed;
      }
      break;
    case Command::kDestroy:
      if (ok) {
        life.proof = true;
      } else {
        life.destroy_failed = true;
        life.denied = !not_started && result.outcome != Outcome::kUnknown;
      }
      break;
    case Command::kContainers:
      if (ok && life.denied && !Lists(result.containers, op->name)) {
        life.proof = true;
      }
      break;
    default:
      break;
  }
}

void Contract::After(const Actions& actions) {
  for (const Action& action : actions) {
    std::visit([this](const auto& what) { Saw(what); }, action);
  }
  CheckEnd();
}

void Contract::CheckEnd() {
  if (shut_) {
    if (!calls_.empty()) {
      Break("when all ends every call ends",
            CommandName(calls_.front().command));
    }
    return;
  }
  // From now on a call is for the container that has the name now.
  for (Call& call : calls_) {
    if (call.name < 0 || call.life != 0 || !reconciled_) continue;
    if (!Of(call.name).held) {
      Break("a call for an unknown container ends at once",
            absl::StrCat(CommandName(call.command), " ", NameOf(call.name)));
    }
    call.life = Of(call.name).number;
  }
  if (called_ && called_->command == Command::kLaunch && reconciled_) {
    const int name = called_->name;
    const size_t held = static_cast<size_t>(
        std::count_if(lives_.begin(), lives_.end(),
                      [](const Life& life) { return life.held; }));
    size_t calls = 0;
    for (const Call& call : calls_) calls += call.name == name;
    // A free name can be used, within the bounds.
    if (was_[static_cast<size_t>(name)] == ContainerState::kGone &&
        !Of(name).haunted && !IsOpen(called_->id) &&
        held < options_.max_containers &&
        calls < options_.max_calls_per_container) {
      Break("a name that is free can be used", NameOf(name));
    }
  }
  // One destroy and one list get through, whatever else hangs.
  if (called_ && reconciled_ && IsOpen(called_->id)) {
    const bool destroys = called_->command == Command::kDestroy;
    const ContainerState was = destroys
                                   ? was_[static_cast<size_t>(called_->name)]
                                   : ContainerState::kGone;
    const bool begins = was == ContainerState::kRunning ||
                        was == ContainerState::kEnded ||
                        called_->command == Command::kContainers;
    if (begins && std::none_of(ops_.begin(), ops_.end(), [&](const Op& op) {
          return op.running && op.command == called_->command;
        })) {
      Break("a destroy and a list get through", CommandName(called_->command));
    }
  }
  for (int name = 0; name < kMostNames; ++name) {
    size_t calls = 0;
    for (const Call& call : calls_) calls += call.name == name;
    if (calls > options_.max_calls_per_container + kDestroyHeadroom) {
      Break("so many calls for one container and no more", NameOf(name));
    }
  }
  size_t ended = 0;
  for (const Life& life : lives_) {
    ended += life.held && life.state == ContainerState::kEnded && !life.stuck;
  }
  if (ended > options_.max_ended) {
    Break("so many ended containers are kept and no more", absl::StrCat(ended));
  }
  if (reconciling_) CheckReconciled();
  if (!ended_ || ended_->op.name < 0) return;
  const Op& op = ended_->op;
  const CommandResult& result = ended_->result;
  const Life& life = Of(op.name);
  // A success of the program is told at once, as a success.
  if (result.status.ok() &&
      (op.command == Command::kUpdate || op.command == Command::kUsage)) {
    for (const Call& call : calls_) {
      if (call.command == op.command && call.name == op.name &&
          (op.command == Command::kUsage || call.id <= op.request)) {
        Break("a success of the program is told at once",
              absl::StrCat(CommandName(op.command), " ", NameOf(op.name)));
      }
    }
  }
  // Callers that queue behind a launch hear of its failure.
  if (op.command == Command::kLaunch && !result.status.ok()) {
    for (const Call& call : calls_) {
      if (call.name == op.name && call.life == op.life &&
          call.command != Command::kDestroy &&
          !HasCall(Command::kDestroy, op.name)) {
        Break("callers behind a launch hear of its failure",
              absl::StrCat(CommandName(call.command), " ", NameOf(op.name)));
      }
    }
  }
  // Callers of Wait learn the end as soon as the program tells it.
  if (op.command == Command::kWait && result.status.ok() &&
      HasCall(Command::kWait, op.name)) {
    Break("callers of Wait learn the end at once", NameOf(op.name));
  }
  // A `wait` that fails is reported at once.
  if (op.command == Command::kWait && !result.status.ok() &&
      result.outcome != Outcome::kNotStarted && !result.WorthAnotherTry() &&
      life.waits_failed == 1 && life.state == ContainerState::kRunning &&
      !life.troubled) {
    Break("a wait that fails is said at once", NameOf(op.name));
  }
}

// Recovery holds containers that ran, listed or not. It destroys launches that
// were not acknowledged, and containers that are over and still listed. It
// leaves unknown containers alone.
void Contract::CheckReconciled() {
  for (int name = 0; name < kMostNames; ++name) {
    if (had_calls_[static_cast<size_t>(name)]) continue;
    const Life& life = Of(name);
    const bool listed = Lists(ended_->result.containers, name);
    std::optional<State> state;
    for (const KnownContainer& known : known_) {
      if (IndexOf(known.id) == name) state = known.state;
    }
    ContainerState expected = ContainerState::kGone;
    if (state == State::kRunning) {
      expected = ContainerState::kRunning;
    } else if (state == State::kUnacknowledged ||
               (state == State::kCompleted && listed)) {
      expected = ContainerState::kDestroying;
    }
    const ContainerState is = life.held ? life.state : ContainerState::kGone;
    if (is != expected) {
      Break("recovery decides as the table says",
            absl::StrCat(NameOf(name), " is ", ContainerStateName(is),
                         " and should be ", ContainerStateName(expected)));
    }
  }
}

void Contract::Crashed() {
  calls_.clear();
  ops_.clear();
  timers_.clear();
  recover_done_ = reconciled_ = false;
  for (Life& life : lives_) {
    life.held = life.haunted = false;
    life.haunted_by = 0;
  }
}

std::vector<KnownContainer> Contract::Remembered() const {
  std::vector<KnownContainer> known;
  for (int name = 0; name < kMostNames; ++name) {
    const Life& life = lives_[static_cast<size_t>(name)];
    if (!life.held) continue;
    State state = State::kRunning;
    if (HasCall(Command::kLaunch, name) || life.launch_failed) {
      state = State::kUnacknowledged;
    } else if (life.told) {
      state = State::kCompleted;
    }
    known.push_back({NameOf(name), state, std::nullopt});
  }
  return known;
}

// --- ---

bool Contract::recovering() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const Call& call) {
    return call.command == Command::kRecover;
  });
}

void Contract::Break(absl::string_view rule, absl::string_view how) {
  if (broken_.empty()) broken_ = absl::StrCat(rule, ": ", how);
}

Contract::Op* Contract::Find(OpId id) {
  const auto it = std::find_if(ops_.begin(), ops_.end(),
                               [&](const Op& op) { return op.id == id; });
  return it == ops_.end() ? nullptr : &*it;
}

bool Contract::IsOpen(CallId id) const {
  return std::any_of(calls_.begin(), calls_.end(),
                     [&](const Call& call) { return call.id == id; });
}

bool Contract::HasCall(Command command, int name) const {
  return std::any_of(calls_.begin(), calls_.end(), [&](const Call& call) {
    return call.command == command && call.name == name;
  });
}

void Contract::AppendFingerprint(const Renaming& from,
                                 std::string* text) const {
  Renaming to = {};
  for (int i = 0; i < kMostNames; ++i) {
    to[static_cast<size_t>(from[static_cast<size_t>(i)])] = i;
  }
  const auto put = [&](int value) {
    text->push_back(static_cast<char>(value));
  };
  put(recover_done_ | reconciled_ << 1);
  for (const int name : from) {
    const Life& life = lives_[static_cast<size_t>(name)];
    put(life.held | life.launch_begun << 1 | life.launch_over << 2 |
        life.launch_failed << 3 | life.orphan << 4 | life.unlisted << 5 |
        life.told << 6);
    put(life.destroy_failed | life.denied << 1 | life.proof << 2 |
        life.haunted << 3 | (life.number % 2) << 4 | life.stuck << 6 |
        life.troubled << 5);
    put(life.waits_failed);
    put(static_cast<int>(life.state));
  }
  for (const Call& call : calls_) {
    put(static_cast<int>(call.command));
    if (call.name >= 0) {
      put(to[static_cast<size_t>(call.name)]);
      put(call.life == lives_[static_cast<size_t>(call.name)].number);
    }
  }
  put(99);
  for (const Op& op : ops_) {
    put(op.running | op.cancelled << 1 | op.starts << 2);
    if (op.starts > 0 && op.name >= 0) {
      put(to[static_cast<size_t>(op.name)]);
      put(op.life == lives_[static_cast<size_t>(op.name)].number);
    }
  }
}

}  // namespace external_containerizer
