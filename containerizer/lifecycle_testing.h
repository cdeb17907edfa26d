// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Drives a Lifecycle in tests. It keeps the commands that the Lifecycle starts,
// and the test answers them in any order.
//
//   LifecycleHarness harness{LifecycleOptions()};
//   harness.Recovered();
//   CallId launch = harness.Call(Command::kLaunch, "a");
//   harness.Succeed(Command::kLaunch, "a");

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_TESTING_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/lifecycle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {

class LifecycleHarness {
 public:
  explicit LifecycleHarness(LifecycleOptions options)
      : options_(options), lifecycle_(options) {}

  // --- Calls ---

  CallId Recover(std::vector<KnownContainer> known = {}) {
    return Send([&](CallId call) { return RecoverCall{call, known}; });
  }
  CallId Call(Command command, const ContainerId& id) {
    return Send([&](CallId call) { return ContainerCall{call, command, id}; });
  }
  CallId List() {
    return Call(Command::kContainers, "");
  }
  void Shut() { Handle(Shutdown()); }
  // The agent dies with its commands. Later events are the next agent's.
  void Crash() {
    lifecycle_ = Lifecycle(options_);
    running_.clear();
    cancelled_.clear();
    timers_.clear();
  }

  // Recover() with a program that lists `listed`.
  CallId Recovered(std::vector<KnownContainer> known = {},
                   std::vector<ContainerId> listed = {}) {
    const CallId call = Recover(std::move(known));
    Succeed(Command::kRecover);
    AnswerList(std::move(listed));
    return call;
  }

  // A container that runs, and that nobody waits for.
  void Launched(const ContainerId& id) {
    const CallId call = Call(Command::kLaunch, id);
    Succeed(Command::kLaunch, id);
    EXPECT_TRUE(Status(call).ok()) << Status(call);
  }

  // --- What runs ---

  // Commands that were started and not answered, as "launch a, wait b".
  std::string Running() const {
    std::string text;
    for (const auto& [op, command] : running_) {
      absl::StrAppend(&text, text.empty() ? "" : ", ",
                      CommandName(command.command),
                      command.container.empty() ? "" : " ", command.container);
    }
    return text;
  }
  bool Runs(Command command, const ContainerId& id = "") const {
    return Find(command, id) != 0;
  }
  OpId Find(Command command, const ContainerId& id) const {
    for (const auto& [op, started] : running_) {
      if (started.command == command && started.container == id) return op;
    }
    return 0;
  }
  const std::map<OpId, StartCommand>& running() const { return running_; }
  bool Cancelled(Command command, const ContainerId& id) const {
    return cancelled_.count(Find(command, id)) > 0;
  }

  // --- Answers ---

  void Succeed(Command command, const ContainerId& id = "") {
    CommandResult result;
    result.outcome = Outcome::kAnswered;
    Answer(command, id, std::move(result));
  }
  void Fail(Command command, const ContainerId& id,
            absl::Status status = absl::InternalError("exited with status 1"),
            Outcome outcome = Outcome::kEnded) {
    CommandResult result;
    result.outcome = outcome;
    result.status = std::move(status);
    Answer(command, id, std::move(result));
  }
  void AnswerList(std::vector<ContainerId> listed,
                  const ContainerId& about = "") {
    CommandResult result;
    result.outcome = Outcome::kAnswered;
    result.containers = std::move(listed);
    Answer(Command::kContainers, about, std::move(result));
  }
  void AnswerWait(const ContainerId& id, int wait_status = 0) {
    CommandResult result;
    result.outcome = Outcome::kAnswered;
    auto termination = std::make_shared<wire::Termination>();
    termination->set_status(wait_status);
    result.termination = std::move(termination);
    Answer(Command::kWait, id, std::move(result));
  }
  void Answer(Command command, const ContainerId& id, CommandResult result) {
    const OpId op = Find(command, id);
    ASSERT_NE(op, 0u) << CommandName(command) << " of " << id
                      << " does not run; running: " << Running();
    AnswerOp(op, std::move(result));
  }
  void AnswerOp(OpId op, CommandResult result) {
    running_.erase(op);
    cancelled_.erase(op);
    Handle(CommandEnded{op, std::move(result)});
  }

  // --- Timers ---

  const std::map<TimerId, absl::Duration>& timers() const { return timers_; }
  // Fires the one timer that has this duration.
  void Fire(absl::Duration delay) {
    for (const auto& [timer, its] : timers_) {
      if (its == delay) {
        FireTimer(timer);
        return;
      }
    }
    FAIL() << "no timer of " << absl::FormatDuration(delay) << " is set";
  }
  void FireTimer(TimerId timer) {
    timers_.erase(timer);
    Handle(TimerFired{timer});
  }

  // --- Results ---

  bool HasReturned(CallId call) const { return returned_.count(call) > 0; }
  absl::Status Status(CallId call) const {
    const auto it = returned_.find(call);
    return it == returned_.end() ? absl::UnknownError("has not returned")
                                 : it->second.status;
  }
  const wire::Termination& TerminationOf(CallId call) const {
    return *std::get<std::shared_ptr<const wire::Termination>>(
        returned_.at(call).value);
  }
  template <typename T>
  const T& ValueOf(CallId call) const {
    return std::get<T>(returned_.at(call).value);
  }
  const std::vector<ContainerEvent>& events() const { return events_; }
  size_t calls() const { return next_call_ - 1; }
  size_t returned() const { return returned_.size(); }
  const Lifecycle& lifecycle() const { return lifecycle_; }

 private:
  template <typename MakeEvent>
  CallId Send(MakeEvent make) {
    const CallId call = next_call_++;
    Handle(make(call));
    return call;
  }

  void Handle(Event event) {
    for (Action& action : lifecycle_.Handle(std::move(event))) {
      if (auto* start = std::get_if<StartCommand>(&action)) {
        EXPECT_TRUE(running_.emplace(start->op, *start).second)
            << "started twice";
      } else if (auto* cancel = std::get_if<CancelCommand>(&action)) {
        EXPECT_EQ(running_.count(cancel->op), 1u) << "cancels what is over";
        EXPECT_TRUE(cancelled_.insert({cancel->op, true}).second);
      } else if (auto* timer = std::get_if<StartTimer>(&action)) {
        EXPECT_TRUE(timers_.emplace(timer->timer, timer->delay).second);
      } else if (auto* stop = std::get_if<StopTimer>(&action)) {
        EXPECT_EQ(timers_.erase(stop->timer), 1u) << "stops what is not set";
      } else if (auto* done = std::get_if<ReturnCall>(&action)) {
        EXPECT_LT(done->call, next_call_);
        EXPECT_TRUE(returned_.emplace(done->call, *done).second)
            << "call " << done->call << " returned twice";
      } else if (auto* report = std::get_if<Report>(&action)) {
        events_.push_back(report->event);
      }
    }
  }

  const LifecycleOptions options_;
  Lifecycle lifecycle_;
  CallId next_call_ = 1;
  std::map<OpId, StartCommand> running_;
  std::map<OpId, bool> cancelled_;
  std::map<TimerId, absl::Duration> timers_;
  std::map<CallId, ReturnCall> returned_;
  std::vector<ContainerEvent> events_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_TESTING_H_
