// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/lifecycle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

constexpr absl::Duration kMaxBackoff = absl::Seconds(30);
// Destroy() is to get through where others flood.
constexpr size_t kDestroyHeadroom = 16;

std::string Name(const ContainerId& id) {
  return absl::StrCat("container \"", absl::CHexEscape(id), "\"");
}

absl::Status Prefixed(absl::string_view prefix, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(prefix, status.message()));
}

absl::Status BeingDestroyed(const ContainerId& id) {
  return absl::AbortedError(absl::StrCat(
      Name(id), " is being destroyed; wait for Destroy to return"));
}

absl::Status HasEnded(const ContainerId& id) {
  return absl::FailedPreconditionError(
      absl::StrCat(Name(id), " has ended; Destroy it to acknowledge that"));
}

// What callers get where the program never said how the container ended.
std::shared_ptr<const wire::Termination> MadeUp(absl::string_view why) {
  auto termination = std::make_shared<wire::Termination>();
  termination->set_killed(false);
  termination->set_message(
      absl::StrCat("the program did not say how it ended: ", why));
  termination->set_state(wire::TASK_LOST);
  termination->add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  return termination;
}

}  // namespace

Lifecycle::Lifecycle(LifecycleOptions options)
    : options_(options), slots_(options.max_commands, options.max_waits) {}

Actions Lifecycle::Handle(Event event) {
  std::visit([this](auto&& what) { On(std::move(what)); }, std::move(event));
  while (const std::optional<OpId> id = slots_.Next()) {
    const Op& op = ops_.at(*id);
    out_.push_back(StartCommand{*id, op.command, op.container, op.request});
  }
  return std::exchange(out_, {});
}

// --- Calls ---

bool Lifecycle::Accept(CallId call, const ContainerId& container,
                       size_t headroom) {
  absl::Status refusal;
  if (phase_ == Phase::kShutdown) {
    refusal = absl::CancelledError("the containerizer is shutting down");
  } else if (phase_ == Phase::kFresh) {
    refusal = absl::FailedPreconditionError(
        "nothing has been recovered: call Recover first");
  } else if (calls_.size() >= options_.max_calls + headroom) {
    refusal = absl::ResourceExhaustedError(
        absl::StrCat(options_.max_calls,
                     " calls are outstanding, which is the limit in all; try "
                     "again when some have returned"));
  } else if (!container.empty()) {
    size_t& calls = calls_of_[container];
    if (calls >= options_.max_calls_per_container + headroom) {
      refusal = absl::ResourceExhaustedError(absl::StrCat(
          Name(container), " has ", options_.max_calls_per_container,
          " calls outstanding, which is the limit for one; try again when "
          "some have returned"));
    } else {
      ++calls;
    }
  }
  if (!refusal.ok()) {
    out_.push_back(ReturnCall{call, std::move(refusal), std::monostate()});
    return false;
  }
  calls_.emplace(call, container);
  return true;
}

void Lifecycle::Return(CallId call, absl::Status status,
                       ReturnCall::Value value) {
  const auto it = calls_.find(call);
  if (it == calls_.end()) return;
  if (const auto count = calls_of_.find(it->second); count != calls_of_.end()) {
    if (--count->second == 0) calls_of_.erase(count);
  }
  calls_.erase(it);
  out_.push_back(ReturnCall{call, std::move(status), std::move(value)});
}

void Lifecycle::ReturnAll(std::vector<CallId>& calls,
                          const absl::Status& status,
                          const ReturnCall::Value& value) {
  for (const CallId call : std::exchange(calls, {})) {
    Return(call, status, value);
  }
}

void Lifecycle::ReturnTermination(std::vector<CallId>& calls,
                                  const Container& container) {
  ReturnAll(calls, absl::OkStatus(), container.termination);
}

void Lifecycle::On(ContainerCall event) {
  const size_t headroom =
      event.command == Command::kDestroy ? kDestroyHeadroom : 0;
  if (!Accept(event.call, event.container, headroom)) return;
  if (phase_ == Phase::kRecovering) {
    held_.push_back(std::move(event));
    return;
  }
  Dispatch(event.command, event.call, event.container);
}

void Lifecycle::On(ContainersCall event) {
  if (!Accept(event.call, "", 0)) return;
  if (phase_ == Phase::kRecovering) {
    held_.push_back(event);
    return;
  }
  List(event.call);
}

void Lifecycle::Dispatch(Command command, CallId call, const ContainerId& id) {
  if (command == Command::kLaunch) {
    Launch(call, id);
    return;
  }
  const auto it = containers_.find(id);
  if (it == containers_.end()) {
    Return(call,
           absl::NotFoundError(absl::StrCat(Name(id), " is not known here")));
    return;
  }
  Container& container = it->second;
  if (command == Command::kDestroy) {
    Destroy(call, id, container);
    return;
  }
  switch (container.state) {
    case ContainerState::kLaunching:
      container.queued.emplace_back(command, call);
      return;
    case ContainerState::kRunning:
      if (command == Command::kWait) {
        container.waiters.push_back(call);
      } else if (command == Command::kUsage) {
        JoinUsage(call, id, container);
      } else if (container.update == 0) {
        StartUpdate(id, container, {call});
      } else {
        container.updates.push_back(call);
      }
      return;
    case ContainerState::kEnded:
      if (command == Command::kWait) {
        Return(call, absl::OkStatus(), container.termination);
      } else if (command == Command::kUsage) {
        JoinUsage(call, id, container);
      } else {
        Return(call, HasEnded(id));
      }
      return;
    case ContainerState::kDestroying:
    case ContainerState::kGone:
      if (command != Command::kWait) {
        Return(call, BeingDestroyed(id));
      } else if (container.termination != nullptr) {
        Return(call, absl::OkStatus(), container.termination);
      } else {
        container.waiters.push_back(call);
      }
      return;
  }
}

void Lifecycle::Launch(CallId call, const ContainerId& id) {
  if (const auto it = containers_.find(id); it != containers_.end()) {
    if (it->second.state == ContainerState::kDestroying) {
      Return(call, BeingDestroyed(id));
    } else {
      Return(call, absl::AlreadyExistsError(absl::StrCat(
                       Name(id), " is ", ContainerStateName(it->second.state),
                       " already; use another id")));
    }
    return;
  }
  if (containers_.size() >= options_.max_containers) {
    Return(call, absl::ResourceExhaustedError(absl::StrCat(
                     options_.max_containers,
                     " containers are held, which is the limit; cannot launch ",
                     Name(id))));
    return;
  }
  Container& container = containers_[id];
  container.launch_call = call;
  SetState(id, container, ContainerState::kLaunching, "launch was called");
  container.launch = Submit(Command::kLaunch, id, Op::Purpose::kCall, call);
}

void Lifecycle::Destroy(CallId call, const ContainerId& id,
                        Container& container) {
  container.destroyers.push_back(call);
  switch (container.state) {
    case ContainerState::kLaunching:
      for (const auto& [command, queued] :
           std::exchange(container.queued, {})) {
        if (command == Command::kWait) {
          container.waiters.push_back(queued);
        } else {
          Return(queued, BeingDestroyed(id));
        }
      }
      SetState(id, container, ContainerState::kDestroying,
               "destroy was called during the launch");
      if (slots_.Withdraw(container.launch)) {
        Take(std::exchange(container.launch, 0));
        Return(container.launch_call, BeingDestroyed(id));
        container.termination = MadeUp("its launch had not begun");
        Gone(id);
      } else {
        container.destroy_timer =
            SetTimer(Timer::Kind::kLaunchGrace, options_.launch_grace, id);
      }
      return;
    case ContainerState::kRunning:
    case ContainerState::kEnded:
      BeginDestroy(id, container, "destroy was called");
      return;
    case ContainerState::kDestroying:
    case ContainerState::kGone:
      return;
  }
}

void Lifecycle::JoinUsage(CallId call, const ContainerId& id,
                          Container& container) {
  if (container.usage != 0) {
    ops_.at(container.usage).callers.push_back(call);
    return;
  }
  container.usage = Submit(Command::kUsage, id, Op::Purpose::kCall, 0, {call});
}

void Lifecycle::StartUpdate(const ContainerId& id, Container& container,
                            std::vector<CallId> callers) {
  const CallId newest = callers.back();
  container.update = Submit(Command::kUpdate, id, Op::Purpose::kCall, newest,
                            std::move(callers));
}

// A list that was begun before a call may lack what the caller just launched,
// so who comes while one is under way shares the next.
void Lifecycle::List(CallId call) {
  if (listing_ != 0) {
    next_listing_.push_back(call);
    return;
  }
  listing_ = Submit(Command::kContainers, "", Op::Purpose::kCall, 0, {call});
}

void Lifecycle::On(Shutdown) {
  phase_ = Phase::kShutdown;
  std::vector<CallId> calls;
  for (const auto& [call, container] : calls_) calls.push_back(call);
  std::sort(calls.begin(), calls.end());
  ReturnAll(calls, absl::CancelledError("the containerizer is shutting down; "
                                        "containers are left as they are"));
  containers_.clear();
  ops_.clear();
  timers_.clear();
  held_.clear();
  slots_ = CommandSlots(options_.max_commands, options_.max_waits);
}

// --- Commands ---

OpId Lifecycle::Submit(Command command, const ContainerId& container,
                       Op::Purpose purpose, CallId request,
                       std::vector<CallId> callers) {
  const OpId id = next_id_++;
  Op& op = ops_[id];
  op.command = command;
  op.purpose = purpose;
  op.container = container;
  op.request = request;
  op.callers = std::move(callers);
  slots_.Enqueue(id, command);
  out_.push_back(CommandQueued{id});
  return id;
}

Lifecycle::Op Lifecycle::Take(OpId id) {
  Op op = std::move(ops_.at(id));
  ops_.erase(id);
  out_.push_back(CommandOver{id});
  return op;
}

void Lifecycle::StartWait(const ContainerId& id, Container& container) {
  container.wait = Submit(Command::kWait, id);
  if (container.wait_attempts > 0) {
    container.wait_timer =
        SetTimer(Timer::Kind::kWaitStable, options_.wait_stable, id);
  }
}

void Lifecycle::On(CommandEnded event) {
  const auto it = ops_.find(event.op);
  if (it == ops_.end() || !slots_.IsRunning(event.op)) return;
  slots_.Release(event.op);
  if (RetryLater(event.op, it->second, event.result)) return;
  Op op = Take(event.op);
  const CommandResult& result = event.result;
  switch (op.command) {
    case Command::kLaunch:
      LaunchEnded(op.container, result);
      return;
    case Command::kWait:
      WaitEnded(event.op, op.container, result);
      return;
    case Command::kDestroy:
      DestroyEnded(op.container, result);
      return;
    case Command::kUpdate:
      UpdateEnded(event.op, op.container, std::move(op.callers), result.status);
      return;
    case Command::kUsage:
      if (const auto c = containers_.find(op.container);
          c != containers_.end() && c->second.usage == event.op) {
        c->second.usage = 0;
      }
      ReturnAll(op.callers, result.status, result.usage);
      return;
    case Command::kRecover:
      if (!result.status.ok()) {
        RecoveryFailed(result.status);
      } else {
        Submit(Command::kContainers, "", Op::Purpose::kRecovery);
      }
      return;
    case Command::kContainers:
      if (op.purpose == Op::Purpose::kCall) {
        ListEnded(std::move(op.callers), result);
      } else if (op.purpose == Op::Purpose::kGoneCheck) {
        GoneCheckEnded(op.container, result);
      } else if (!result.status.ok()) {
        RecoveryFailed(result.status);
      } else {
        Recovered(result);
      }
      return;
  }
}

// Update, usage, containers and recover do no harm when they are repeated.
// `wait` and `destroy` are, too, but have rules of their own.
bool Lifecycle::RetryLater(OpId id, Op& op, const CommandResult& result) {
  switch (op.command) {
    case Command::kLaunch:
    case Command::kWait:
    case Command::kDestroy:
      return false;
    default:
      break;
  }
  if (op.purpose == Op::Purpose::kGoneCheck || !result.WorthAnotherTry() ||
      op.attempts >= options_.max_attempts) {
    return false;
  }
  Notice(op.container, op.command, "will be tried again", result.status);
  SetTimer(Timer::Kind::kOpRetry, Backoff(op.attempts++), op.container, id);
  return true;
}

void Lifecycle::LaunchEnded(const ContainerId& id,
                            const CommandResult& result) {
  Container& container = containers_.at(id);
  container.launch = 0;
  Stop(container.destroy_timer);
  const bool destroying = container.state == ContainerState::kDestroying;
  if (result.status.ok()) {
    if (destroying) {
      Return(container.launch_call, BeingDestroyed(id));
      StartWait(id, container);
      TryDestroy(id, container);
      return;
    }
    SetState(id, container, ContainerState::kRunning, "launch succeeded");
    Return(container.launch_call, absl::OkStatus());
    StartWait(id, container);
    for (const auto& [command, call] : std::exchange(container.queued, {})) {
      Dispatch(command, call, id);
    }
    return;
  }
  Return(container.launch_call,
         destroying ? absl::AbortedError(absl::StrCat(
                          Name(id), " was destroyed during its launch: ",
                          result.status.message()))
                    : result.status);
  for (const auto& [command, call] : std::exchange(container.queued, {})) {
    Return(call, result.status);
  }
  container.error = result.status;
  if (result.outcome == Outcome::kNotStarted) {
    container.termination = MadeUp(result.status.message());
    Gone(id);
    return;
  }
  if (!destroying) {
    SetState(id, container, ContainerState::kDestroying,
             "launch failed; what it may have left is destroyed",
             result.status);
  }
  TryDestroy(id, container);
}

void Lifecycle::WaitEnded(OpId op, const ContainerId& id,
                          const CommandResult& result) {
  const auto it = containers_.find(id);
  if (it == containers_.end() || it->second.wait != op) return;
  Container& container = it->second;
  container.wait = 0;
  Stop(container.wait_timer);
  if (result.status.ok()) {
    container.termination = result.termination;
    ReturnTermination(container.waiters, container);
    if (container.state == ContainerState::kRunning) {
      UnlistedAnswered(id, container, /*lost=*/false);
      Ended(id, container);
    } else if (container.destroyed) {
      Gone(id);
    }
    return;
  }
  if (container.destroyed) {
    container.termination = MadeUp(result.status.message());
    Gone(id);
    return;
  }
  const bool destroying = container.state == ContainerState::kDestroying;
  const bool denied =
      result.outcome != Outcome::kNotStarted && !result.WorthAnotherTry();
  if (!destroying && container.asked_once && denied) {
    container.termination = MadeUp(absl::StrCat(
        "it is not listed any more, and ", result.status.message()));
    ReturnTermination(container.waiters, container);
    UnlistedAnswered(id, container, /*lost=*/true);
    Ended(id, container);
  } else if (++container.wait_attempts < options_.max_wait_attempts) {
    Notice(id, Command::kWait, "will be asked again", result.status);
    container.wait_timer =
        SetTimer(Timer::Kind::kWaitRetry, Backoff(container.wait_attempts), id);
  } else if (!destroying) {
    UnlistedAnswered(id, container, /*lost=*/true);
    container.error = result.status;
    BeginDestroy(
        id, container,
        absl::StrCat("its `wait` failed ", container.wait_attempts, " times"));
  }
}

void Lifecycle::DestroyEnded(const ContainerId& id,
                             const CommandResult& result) {
  Container& container = containers_.at(id);
  container.destroy = 0;
  if (result.status.ok()) {
    Destroyed(id, container);
    return;
  }
  container.error = result.status;
  container.destroy = Submit(Command::kContainers, id, Op::Purpose::kGoneCheck);
}

void Lifecycle::GoneCheckEnded(const ContainerId& id,
                               const CommandResult& result) {
  Container& container = containers_.at(id);
  container.destroy = 0;
  if (result.status.ok() &&
      std::find(result.containers.begin(), result.containers.end(), id) ==
          result.containers.end()) {
    Notice(id, Command::kDestroy,
           "failed, and the container is not listed any more: it is gone",
           container.error);
    Destroyed(id, container);
  } else if (container.destroy_attempts < options_.max_attempts) {
    Notice(id, Command::kDestroy, "will be tried again", container.error);
    container.destroy_timer = SetTimer(Timer::Kind::kDestroyRetry,
                                       Backoff(container.destroy_attempts), id);
  } else {
    DestroyFailed(id, container);
  }
}

void Lifecycle::UpdateEnded(OpId op, const ContainerId& id,
                            std::vector<CallId> callers,
                            const absl::Status& status) {
  ReturnAll(callers, status);
  const auto it = containers_.find(id);
  if (it == containers_.end() || it->second.update != op) return;
  Container& container = it->second;
  container.update = 0;
  if (!container.updates.empty()) {
    StartUpdate(id, container, std::exchange(container.updates, {}));
  }
}

// For one that is neither running nor queued.
void Lifecycle::Abort(OpId id) {
  Op op = Take(id);
  if (const auto it = containers_.find(op.container); it != containers_.end()) {
    OpId& slot =
        op.command == Command::kUpdate ? it->second.update : it->second.usage;
    if (slot == id) slot = 0;
  }
  ReturnAll(op.callers, BeingDestroyed(op.container));
}

void Lifecycle::ListEnded(std::vector<CallId> callers,
                          const CommandResult& result) {
  ReturnAll(callers, result.status, result.containers);
  listing_ = 0;
  if (!next_listing_.empty()) {
    listing_ = Submit(Command::kContainers, "", Op::Purpose::kCall, 0,
                      std::exchange(next_listing_, {}));
  }
}

// --- Transitions ---

void Lifecycle::SetState(const ContainerId& id, Container& container,
                         ContainerState state, absl::string_view why,
                         const absl::Status& status) {
  container.state = state;
  ContainerEvent event;
  event.kind = ContainerEvent::Kind::kStateChanged;
  event.container = id;
  event.state = state;
  event.detail = std::string(why);
  event.status = status;
  out_.push_back(Report{std::move(event)});
}

void Lifecycle::Ended(const ContainerId& id, Container& container) {
  ReturnAll(container.updates, HasEnded(id));
  SetState(id, container, ContainerState::kEnded,
           container.termination->message());
  container.ended = next_id_++;
  ended_.emplace(container.ended, id);
  if (ended_.size() <= options_.max_ended) return;
  const ContainerId oldest = ended_.begin()->second;
  BeginDestroy(oldest, containers_.at(oldest),
               absl::StrCat("more than ", options_.max_ended,
                            " containers have ended and nobody destroyed "
                            "them; this is the oldest"));
}

void Lifecycle::BeginDestroy(const ContainerId& id, Container& container,
                             absl::string_view why) {
  ReturnAll(container.updates, BeingDestroyed(id));
  for (const OpId op : {container.update, container.usage}) {
    if (slots_.Withdraw(op)) Abort(op);
  }
  ended_.erase(std::exchange(container.ended, 0));
  SetState(id, container, ContainerState::kDestroying, why, container.error);
  TryDestroy(id, container);
}

void Lifecycle::TryDestroy(const ContainerId& id, Container& container) {
  ++container.destroy_attempts;
  container.destroy = Submit(Command::kDestroy, id);
}

void Lifecycle::Destroyed(const ContainerId& id, Container& container) {
  container.destroyed = true;
  if (container.termination == nullptr && slots_.IsRunning(container.wait)) {
    container.destroy_timer =
        SetTimer(Timer::Kind::kWaitGrace, options_.wait_grace, id);
    return;
  }
  if (container.termination == nullptr) {
    container.termination = MadeUp(
        container.error.ok() ? "it was destroyed" : container.error.message());
  }
  Gone(id);
}

// The container is held on: as running if `wait` still watches it, else as
// ended, so that Wait answers and Destroy can be called again.
void Lifecycle::DestroyFailed(const ContainerId& id, Container& container) {
  const absl::Status error = Prefixed(
      absl::StrCat(Name(id), " could not be destroyed in ",
                   container.destroy_attempts,
                   " tries and is still held; call Destroy again when the "
                   "cause is mended. The last try: "),
      container.error);
  container.destroy_attempts = 0;
  ReturnAll(container.destroyers, error);
  OrphanDone(container, id, /*destroyed=*/false);
  const bool watched = container.wait != 0 || container.wait_timer != 0;
  if (container.termination == nullptr && watched) {
    SetState(id, container, ContainerState::kRunning, "destroy failed", error);
    return;
  }
  if (container.termination == nullptr) {
    container.termination = MadeUp(error.message());
    ReturnTermination(container.waiters, container);
  }
  Ended(id, container);
}

void Lifecycle::Gone(const ContainerId& id) {
  const auto it = containers_.find(id);
  Container container = std::move(it->second);
  containers_.erase(it);
  Stop(container.destroy_timer);
  Stop(container.wait_timer);
  if (slots_.Withdraw(container.wait)) {
    Take(container.wait);
  } else if (slots_.IsRunning(container.wait)) {
    out_.push_back(CancelCommand{container.wait});
  }
  ReturnTermination(container.waiters, container);
  ReturnTermination(container.destroyers, container);
  SetState(id, container, ContainerState::kGone,
           container.termination->message());
  out_.push_back(Forget{id});
  UnlistedAnswered(id, container, /*lost=*/false);
  OrphanDone(container, id, /*destroyed=*/true);
}

// --- Timers ---

void Lifecycle::On(TimerFired event) {
  const auto it = timers_.find(event.timer);
  if (it == timers_.end()) return;
  const Timer timer = std::move(it->second);
  timers_.erase(it);
  const auto found = containers_.find(timer.container);
  Container* const container =
      found == containers_.end() ? nullptr : &found->second;
  switch (timer.kind) {
    case Timer::Kind::kOpRetry:
      if (timer.container.empty() ||
          (container != nullptr &&
           container->state != ContainerState::kDestroying)) {
        slots_.Enqueue(timer.op, ops_.at(timer.op).command);
      } else {
        Abort(timer.op);
      }
      return;
    case Timer::Kind::kUnlistedGrace:
      for (const ContainerId& id : std::exchange(unlisted_, {})) {
        containers_.at(id).asked_once = false;
        summary_.recovered.push_back(id);
      }
      FinishRecovery();
      return;
    case Timer::Kind::kLaunchGrace:
      container->destroy_timer = 0;
      out_.push_back(CancelCommand{container->launch});
      return;
    case Timer::Kind::kWaitGrace:
      container->destroy_timer = 0;
      container->termination =
          MadeUp("it was destroyed, and `wait` did not return");
      Gone(timer.container);
      return;
    case Timer::Kind::kDestroyRetry:
      container->destroy_timer = 0;
      TryDestroy(timer.container, *container);
      return;
    case Timer::Kind::kWaitRetry:
      container->wait_timer = 0;
      StartWait(timer.container, *container);
      return;
    case Timer::Kind::kWaitStable:
      container->wait_timer = 0;
      container->wait_attempts = 0;
      return;
  }
}

TimerId Lifecycle::SetTimer(Timer::Kind kind, absl::Duration delay,
                            const ContainerId& container, OpId op) {
  const TimerId id = next_id_++;
  timers_.emplace(id, Timer{kind, container, op});
  const bool jitter = kind == Timer::Kind::kOpRetry ||
                      kind == Timer::Kind::kWaitRetry ||
                      kind == Timer::Kind::kDestroyRetry;
  out_.push_back(StartTimer{id, delay, jitter});
  return id;
}

void Lifecycle::Stop(TimerId& timer) {
  if (timers_.erase(timer) > 0) out_.push_back(StopTimer{timer});
  timer = 0;
}

absl::Duration Lifecycle::Backoff(int attempts) const {
  absl::Duration delay = options_.retry_delay;
  for (int i = 1; i < attempts && delay < kMaxBackoff; ++i) delay *= 2;
  return std::min(delay, kMaxBackoff);
}

void Lifecycle::Notice(const ContainerId& container, Command command,
                       std::string detail, const absl::Status& status) {
  ContainerEvent event;
  event.kind = ContainerEvent::Kind::kNotice;
  event.container = container;
  event.command = command;
  event.detail = std::move(detail);
  event.status = status;
  out_.push_back(Report{std::move(event)});
}

}  // namespace external_containerizer
