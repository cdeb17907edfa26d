// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/lifecycle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/lifecycle_messages.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"

namespace external_containerizer {
namespace lifecycle_internal {

std::string Name(const ContainerId& id) {
  return absl::StrCat("container \"", absl::CHexEscape(id), "\"");
}

absl::Status BeingDestroyed(const ContainerId& id) {
  return absl::AbortedError(absl::StrCat(
      Name(id), " is being destroyed; wait for Destroy to return"));
}

absl::Status HasEnded(const ContainerId& id) {
  return absl::FailedPreconditionError(
      absl::StrCat(Name(id), " has ended; Destroy it to acknowledge that"));
}

std::shared_ptr<const wire::Termination> MadeUp(absl::string_view why) {
  auto termination = std::make_shared<wire::Termination>();
  termination->set_killed(false);
  termination->set_message(
      absl::StrCat("the program did not say how it ended: ", why));
  termination->set_state(wire::TASK_LOST);
  termination->add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  return termination;
}

}  // namespace lifecycle_internal

using lifecycle_internal::BeingDestroyed;
using lifecycle_internal::HasEnded;
using lifecycle_internal::MadeUp;
using lifecycle_internal::Name;

namespace {

// Destroy() must get through when other calls have used up the bounds.
constexpr size_t kDestroyHeadroom = 16;

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

void Lifecycle::Dispatch(Command command, CallId call, const ContainerId& id) {
  if (command == Command::kContainers) {
    Submit(Command::kContainers, "", Op::Purpose::kCall, 0, {call});
    return;
  }
  if (command == Command::kLaunch) {
    Launch(call, id);
    return;
  }
  const auto it = containers_.find(id);
  if (it == containers_.end() || it->second.state == ContainerState::kGone) {
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
      } else if (Op& op = ops_.at(container.update);
                 op.attempts == 1 && !slots_.IsRunning(container.update)) {
        op.request = call;  // Not sent yet: this one is newer.
        op.callers.push_back(call);
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
    } else if (it->second.state == ContainerState::kGone) {
      Return(call, absl::AbortedError(absl::StrCat(
                       "a command of the last ", Name(id),
                       " may still be at work, and would act on this one; use "
                       "another id, or try again in ",
                       absl::FormatDuration(options_.unknown_grace))));
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
        BecomeGone(id);
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

}  // namespace external_containerizer
