// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/mock/script.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/mutex_lock.h"

namespace external_containerizer {
namespace script_internal {

// From calls, which live as long as the test likes, to their transport's loop.
class Link {
 public:
  explicit Link(EventLoop& loop) : loop_(&loop) {}

  // The loop outlives the transport, which cuts this in its destructor.
  void Cut() {
    MutexLock lock(&mutex_);
    loop_ = nullptr;
  }

  void Post(absl::AnyInvocable<void() &&> work) {
    MutexLock lock(&mutex_);
    if (loop_ != nullptr) loop_->Post(std::move(work));
  }

  struct UnansweredCall {
    std::shared_ptr<ScriptedCall> call;
    absl::AnyInvocable<void(Answer) &&> done;
  };
  // Only on the loop's thread. Empty once the transport is gone.
  std::map<InvocationId, UnansweredCall>& unanswered() { return unanswered_; }

 private:
  absl::Mutex mutex_;
  EventLoop* loop_ ABSL_GUARDED_BY(mutex_);
  std::map<InvocationId, UnansweredCall> unanswered_;
};

}  // namespace script_internal

namespace {

using ::external_containerizer::script_internal::Link;

class ScriptedTransport : public Transport {
 public:
  ScriptedTransport(EventLoop& loop, std::shared_ptr<Script> script)
      : script_(std::move(script)), link_(std::make_shared<Link>(loop)) {}

  ~ScriptedTransport() override {
    link_->Cut();
    // Here, not wherever the test lets go of the last call.
    auto forgotten = std::exchange(link_->unanswered(), {});
  }

  InvocationId Invoke(Invocation invocation,
                      absl::AnyInvocable<void(Answer) &&> done) override {
    const InvocationId id = next_++;
    auto call =
        std::make_shared<ScriptedCall>(id, std::move(invocation), link_);
    link_->unanswered().emplace(id,
                                Link::UnansweredCall{call, std::move(done)});
    script_->Add(std::move(call));
    return id;
  }

  void Cancel(InvocationId id) override {
    auto unanswered = link_->unanswered().find(id);
    if (unanswered == link_->unanswered().end()) return;
    unanswered->second.call->NoteCancel();
  }

  size_t MaxWaits() const override { return script_->max_waits(); }

 private:
  const std::shared_ptr<Script> script_;
  const std::shared_ptr<Link> link_;
  InvocationId next_ = 1;
};

}  // namespace

void ScriptedCall::End(Answer answer) {
  link_->Post([link = link_, id = id_, answer = std::move(answer)]() mutable {
    auto unanswered = link->unanswered().extract(id);
    if (unanswered.empty()) return;
    std::move(unanswered.mapped().done)(std::move(answer));
  });
}

void ScriptedCall::Succeed(std::optional<std::string> output) {
  Answer answer;
  answer.outcome = Outcome::kAnswered;
  answer.output = std::move(output);
  End(std::move(answer));
}

void ScriptedCall::Fail(absl::Status status, Outcome outcome) {
  Answer answer;
  answer.outcome = outcome;
  answer.status = std::move(status);
  End(std::move(answer));
}

bool ScriptedCall::WaitForCancel(absl::Duration timeout) const {
  MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&cancelled_), timeout);
}

void ScriptedCall::NoteCancel() {
  MutexLock lock(&mutex_);
  cancelled_ = true;
}

bool Script::HasCall() const {
  MutexLock lock(&mutex_);
  return !calls_.empty();
}

std::shared_ptr<ScriptedCall> Script::Next(absl::Duration timeout) {
  return Take(std::nullopt, timeout);
}

std::shared_ptr<ScriptedCall> Script::Next(Command command,
                                           absl::Duration timeout) {
  return Take(command, timeout);
}

void Script::Add(std::shared_ptr<ScriptedCall> call) {
  MutexLock lock(&mutex_);
  calls_.push_back(std::move(call));
}

std::shared_ptr<ScriptedCall> Script::Take(std::optional<Command> command,
                                           absl::Duration timeout) {
  auto wanted = [&](const std::shared_ptr<ScriptedCall>& call) {
    return !command.has_value() || call->invocation().command == *command;
  };
  auto is_there = [&] {
    mutex_.AssertHeld();
    return std::any_of(calls_.begin(), calls_.end(), wanted);
  };
  MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(&is_there), timeout)) {
    return nullptr;
  }
  auto call = std::find_if(calls_.begin(), calls_.end(), wanted);
  auto taken = std::move(*call);
  calls_.erase(call);
  return taken;
}

TransportFactory ScriptTransport(std::shared_ptr<Script> script) {
  return [script = std::move(script)](EventLoop& loop) mutable
         -> absl::StatusOr<std::unique_ptr<Transport>> {
    return std::make_unique<ScriptedTransport>(loop, std::move(script));
  };
}

}  // namespace external_containerizer
