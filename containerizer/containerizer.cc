// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/containerizer.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/random/random.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/decode.h"
#include "external_containerizer/containerizer/environment.h"
#include "external_containerizer/containerizer/lifecycle.h"
#include "external_containerizer/containerizer/request.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/thread.h"

namespace external_containerizer {
namespace {

// Ends a call, whatever it returns.
using Completion = absl::AnyInvocable<void(absl::Status, ReturnCall::Value) &&>;

Completion ToCompletion(DoneStatus done) {
  return
      [done = std::move(done)](absl::Status status, ReturnCall::Value) mutable {
        std::move(done)(std::move(status));
      };
}

template <typename T>
Completion ToCompletion(Done<T> done) {
  return [done = std::move(done)](absl::Status status,
                                  ReturnCall::Value value) mutable {
    if (!status.ok()) {
      std::move(done)(std::move(status));
    } else {
      std::move(done)(std::get<T>(std::move(value)));
    }
  };
}

template <>
Completion ToCompletion(Done<wire::Termination> done) {
  return [done = std::move(done)](absl::Status status,
                                  ReturnCall::Value value) mutable {
    if (!status.ok()) {
      std::move(done)(std::move(status));
    } else {
      std::move(done)(
          *std::get<std::shared_ptr<const wire::Termination>>(value));
    }
  };
}

}  // namespace

// Any thread may use the members up to outstanding_; the others belong to the
// loop's thread.
class Containerizer::Impl {
 public:
  Impl(Options options, std::unique_ptr<EventLoop> loop)
      : options_(std::move(options)), loop_(std::move(loop)) {}

  ~Impl() {
    if (thread_.started()) Stop();
  }

  void Stop() {
    loop_->Post([this] {
      Handle(Shutdown());
      Finish();
    });
    thread_.Join();
  }

  absl::Status Start(TransportFactory factory) {
    absl::Status status =
        thread_.Start("containerizer", [this] { loop_->Run(); });
    if (!status.ok()) return status;
    absl::Notification made;
    loop_->Post([&] {
      absl::StatusOr<std::unique_ptr<Transport>> transport =
          std::move(factory)(*loop_);
      if (transport.ok()) {
        transport_ = *std::move(transport);
        LifecycleOptions lifecycle = options_.lifecycle;
        lifecycle.max_waits =
            std::min(lifecycle.max_waits, transport_->MaxWaits());
        lifecycle_ = std::make_unique<Lifecycle>(lifecycle);
      } else {
        status = transport.status();
        loop_->Stop();
      }
      made.Notify();
    });
    made.WaitForNotification();
    if (!status.ok()) thread_.Join();
    return status;
  }

  bool OnLoopThread() const { return loop_->OnLoopThread(); }

  // Any thread. A call whose `status` is an error ends with it. `request` is
  // what a launch or an update sends. It is kept until the command has started
  // or, for a command that may be repeated, until the call has returned.
  template <typename MakeEvent>
  void Call(absl::Status status, std::optional<Request> request,
            Completion completion, MakeEvent make_event) {
    const CallId call = next_call_.fetch_add(1);
    outstanding_.fetch_add(1);
    loop_->Post([this, call, status = std::move(status),
                 request = std::move(request),
                 completion = std::move(completion),
                 make_event = std::move(make_event)]() mutable {
      if (!status.ok()) {
        Complete(std::move(completion), std::move(status), std::monostate());
        return;
      }
      completions_.emplace(call, std::move(completion));
      if (request.has_value()) requests_.emplace(call, *std::move(request));
      Handle(make_event(call));
    });
  }

  // Calls for one container, with a request and without.
  void Call(Command command, const ContainerId& id,
            absl::StatusOr<Request> request, Completion completion) {
    absl::Status status = request.status();
    std::optional<Request> sent;
    if (request.ok()) sent = *std::move(request);
    Call(std::move(status), std::move(sent), std::move(completion),
         [command, id](CallId call) {
           return ContainerCall{call, command, id};
         });
  }
  void Call(Command command, const ContainerId& id, Completion completion) {
    const bool about_one = command != Command::kContainers;
    Call(about_one ? wire::ValidateId("container id", id) : absl::OkStatus(),
         std::nullopt, std::move(completion), [command, id](CallId call) {
           return ContainerCall{call, command, id};
         });
  }

  const Options& options() const { return options_; }

 private:
  // One command, with all of its tries.
  struct Op {
    absl::Duration queued;                   // MonotonicNow()
    std::optional<absl::Duration> deadline;  // Of all tries, from the first.
    InvocationId invocation = 0;
  };

  // Containers mostly differ in the path alone, so the rest is kept once.
  struct KeptSandbox {
    std::shared_ptr<const Sandbox> common;
    std::string path;
  };

  void Handle(Event event) {
    for (Action& action : lifecycle_->Handle(std::move(event))) {
      std::visit([this](auto&& what) { Do(std::move(what)); },
                 std::move(action));
    }
  }

  void Complete(Completion completion, absl::Status status,
                ReturnCall::Value value) {
    std::move(completion)(std::move(status), std::move(value));
    outstanding_.fetch_sub(1);
  }

  // A callback that is told CANCELLED may make another call. That one returns,
  // too, before the loop ends.
  void Finish() {
    if (outstanding_.load() > 0) {
      loop_->Post([this] { Finish(); });
      return;
    }
    transport_ = nullptr;
    loop_->Stop();
  }

  void Do(CommandQueued action) {
    ops_[action.op] = Op{MonotonicNow(), std::nullopt, 0};
  }

  void Do(CommandOver action) { ops_.erase(action.op); }

  void Do(StartCommand action) {
    const absl::Duration now = MonotonicNow();
    Op& op = ops_[action.op];
    if (!op.deadline.has_value()) {
      op.deadline = now + options_.timeouts.Of(action.command);
    }
    Invocation invocation;
    invocation.command = action.command;
    invocation.timeout = *op.deadline - now;
    Prepare(action, invocation);
    ContainerEvent event;
    event.kind = ContainerEvent::Kind::kCommandStarted;
    event.container = action.container;
    event.command = action.command;
    event.queued = now - op.queued;
    Emit(event);
    // Ten thousand `wait`s keep ten thousand of these, so it holds no more than
    // it needs.
    auto ended = [this, id = action.op, now, queued = event.queued,
                  command = action.command,
                  container = std::move(event.container)](Answer answer) {
      const std::optional<int> wait_status = answer.wait_status;
      CommandResult result =
          Decode(command, container, std::move(answer), options_.exits);
      ContainerEvent over;
      over.kind = ContainerEvent::Kind::kCommandEnded;
      over.container = container;
      over.command = command;
      over.queued = queued;
      over.took = MonotonicNow() - now;
      over.status = result.status;
      over.detail = std::exchange(result.remark, {});
      over.wait_status = wait_status;
      Emit(over);
      Handle(CommandEnded{id, std::move(result)});
    };
    if (invocation.timeout <= absl::ZeroDuration()) {
      loop_->Post([ended = std::move(ended)]() mutable {
        ended(Answer{Outcome::kNotStarted, std::nullopt, std::nullopt,
                     absl::DeadlineExceededError(
                         "its time was over before it could be tried again")});
      });
      return;
    }
    op.invocation = transport_->Invoke(std::move(invocation), std::move(ended));
  }

  void Prepare(const StartCommand& action, Invocation& invocation) {
    const ContainerId& id = action.container;
    std::string identity;
    invocation.environment = CommandEnvironment(options_.environment);
    switch (action.command) {
      case Command::kLaunch: {
        Request& request = requests_.at(action.request);
        Keep(id, request.sandbox);
        identity = std::move(request.sandbox->identity);
        invocation.input = std::move(request.input);
        invocation.environment = std::move(request.environment);
        requests_.erase(action.request);
        break;
      }
      case Command::kUpdate:
        invocation.input = requests_.at(action.request).input;
        break;
      case Command::kUsage:
      case Command::kWait:
      case Command::kDestroy:
        invocation.input = InputOf(action.command, id);
        break;
      case Command::kContainers:
      case Command::kRecover:
        return;
    }
    if (const auto it = sandboxes_.find(id); it != sandboxes_.end()) {
      invocation.sandbox = *it->second.common;
      invocation.sandbox->path = it->second.path;
      invocation.sandbox->identity = std::move(identity);
    }
  }

  void Do(CancelCommand action) {
    transport_->Cancel(ops_.at(action.op).invocation);
  }

  void Do(StartTimer action) {
    absl::Duration delay = action.delay;
    if (action.jitter) delay *= absl::Uniform(random_, 1.0, 1.25);
    timers_[action.timer] =
        loop_->RunAfter(delay, [this, timer = action.timer] {
          timers_.erase(timer);
          Handle(TimerFired{timer});
        });
  }

  void Do(StopTimer action) {
    if (const auto it = timers_.find(action.timer); it != timers_.end()) {
      loop_->CancelTimer(it->second);
      timers_.erase(it);
    }
  }

  void Do(ReturnCall action) {
    requests_.erase(action.call);
    const auto it = completions_.find(action.call);
    Completion completion = std::move(it->second);
    completions_.erase(it);
    Complete(std::move(completion), std::move(action.status),
             std::move(action.value));
  }

  void Do(Report action) { Emit(action.event); }

  void Do(Adopt action) { Keep(action.container, std::move(action.sandbox)); }

  void Do(Forget action) { sandboxes_.erase(action.container); }

  void Keep(const ContainerId& id, std::optional<Sandbox> sandbox) {
    if (!sandbox.has_value()) {
      sandboxes_.erase(id);
      return;
    }
    KeptSandbox& kept = sandboxes_[id];
    kept.path = std::exchange(sandbox->path, {});
    sandbox->identity.clear();  // Only the launch checks it.
    const auto owner = [](const Sandbox& of) {
      return of.owner.has_value()
                 ? std::make_optional(std::pair(of.owner->uid, of.owner->gid))
                 : std::nullopt;
    };
    if (last_common_ == nullptr || last_common_->root != sandbox->root ||
        owner(*last_common_) != owner(*sandbox)) {
      last_common_ = std::make_shared<const Sandbox>(*std::move(sandbox));
    }
    kept.common = last_common_;
  }

  void Emit(const ContainerEvent& event) {
    if (options_.on_event) options_.on_event(event);
  }

  const Options options_;
  const std::unique_ptr<EventLoop> loop_;
  Thread thread_;
  std::atomic<CallId> next_call_{1};
  std::atomic<int64_t> outstanding_{0};  // Calls that have not returned.

  std::unique_ptr<Lifecycle> lifecycle_;
  std::unique_ptr<Transport> transport_;
  absl::flat_hash_map<CallId, Completion> completions_;
  absl::flat_hash_map<CallId, Request> requests_;
  // Nodes, because a flat map keeps room for many more than it has.
  absl::node_hash_map<ContainerId, KeptSandbox> sandboxes_;
  std::shared_ptr<const Sandbox> last_common_;
  absl::flat_hash_map<OpId, Op> ops_;
  absl::flat_hash_map<TimerId, EventLoop::TimerId> timers_;
  absl::BitGen random_;
};

absl::StatusOr<std::unique_ptr<Containerizer>> Containerizer::Create(
    Options options, TransportFactory transport) {
  if (absl::Status valid = Validate(options); !valid.ok()) return valid;
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  auto impl = std::make_unique<Impl>(std::move(options), *std::move(loop));
  if (absl::Status started = impl->Start(std::move(transport)); !started.ok()) {
    return started;
  }
  return std::unique_ptr<Containerizer>(new Containerizer(std::move(impl)));
}

Containerizer::Containerizer(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

// A callback may call a method during Stop(), which needs impl_.
Containerizer::~Containerizer() { impl_->Stop(); }

bool Containerizer::OnOwnThread() const { return impl_->OnLoopThread(); }

void Containerizer::Recover(std::vector<KnownContainer> known,
                            Done<RecoverySummary> done) {
  absl::Status valid = ValidateKnown(known);
  impl_->Call(std::move(valid), std::nullopt, ToCompletion(std::move(done)),
              [known = std::move(known)](CallId call) mutable {
                return RecoverCall{call, std::move(known)};
              });
}

void Containerizer::Launch(LaunchRequest launch, DoneStatus done) {
  const ContainerId id = launch.id;
  impl_->Call(Command::kLaunch, id,
              MakeLaunch(std::move(launch), impl_->options().environment),
              ToCompletion(std::move(done)));
}

void Containerizer::Update(const ContainerId& id, Resources resources,
                           DoneStatus done) {
  impl_->Call(Command::kUpdate, id, MakeUpdate(id, std::move(resources)),
              ToCompletion(std::move(done)));
}

void Containerizer::Usage(const ContainerId& id,
                          Done<std::optional<wire::ResourceStatistics>> done) {
  impl_->Call(Command::kUsage, id, ToCompletion(std::move(done)));
}

void Containerizer::Wait(const ContainerId& id, Done<wire::Termination> done) {
  impl_->Call(Command::kWait, id, ToCompletion(std::move(done)));
}

void Containerizer::Destroy(const ContainerId& id,
                            Done<wire::Termination> done) {
  impl_->Call(Command::kDestroy, id, ToCompletion(std::move(done)));
}

void Containerizer::Containers(Done<std::vector<ContainerId>> done) {
  impl_->Call(Command::kContainers, "", ToCompletion(std::move(done)));
}

}  // namespace external_containerizer
