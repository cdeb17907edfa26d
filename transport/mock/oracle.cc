// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/mock/oracle.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/mutex_lock.h"

namespace external_containerizer {
namespace {

// The part of an id that a message shows.
constexpr size_t kMaxShown = 64;

constexpr size_t kMaxWaits = 100'000;

Answer Answered(std::optional<std::string> output = std::nullopt) {
  Answer answer;
  answer.outcome = Outcome::kAnswered;
  answer.output = std::move(output);
  return answer;
}

Answer Failed(Command command, absl::string_view why) {
  Answer answer;
  answer.outcome = Outcome::kAnswered;
  answer.status = absl::InternalError(
      absl::StrCat("the oracle failed at ", CommandName(command), ": ", why));
  return answer;
}

Answer Failed(Command command, absl::string_view id, absl::string_view why) {
  return Failed(command, absl::StrCat("container \"",
                                      absl::CHexEscape(id.substr(0, kMaxShown)),
                                      "\" ", why));
}

Answer Unreadable(Command command) {
  return Failed(command, "its input is not the message of this command");
}

Answer AnswerToWait(int wait_status) {
  return Answered(wire::MakeTermination(wait_status, "").SerializeAsString());
}

// The sum of a scalar resource, which a message may have in several parts.
std::optional<double> Sum(const wire::Update& resources,
                          absl::string_view name) {
  std::optional<double> sum;
  for (const wire::Resource& resource : resources.resources()) {
    if (resource.name() != name || !resource.has_scalar()) continue;
    sum = sum.value_or(0) + resource.scalar().value();
  }
  return sum;
}

// Refuses invocations that every transport must refuse.
absl::Status Check(const Invocation& invocation) {
  if (invocation.input.size() > kMaxInputBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        CommandName(invocation.command), ": an input of ",
        invocation.input.size(), " bytes; at most ", kMaxInputBytes, " fit"));
  }
  for (const auto& [name, value] : invocation.environment) {
    if (!name.empty() && name.find('=') == name.npos &&
        name.find('\0') == name.npos && value.find('\0') == value.npos) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        CommandName(invocation.command), ": \"",
        absl::CHexEscape(name.substr(0, kMaxShown)),
        "\" cannot be a variable: there is a NUL or a '=' in it, or no name"));
  }
  return absl::OkStatus();
}

class Oracle : public Transport {
 public:
  Oracle(EventLoop& loop, std::shared_ptr<OracleWorld> world)
      : loop_(loop), world_(std::move(world)) {
    // Called on any thread, and not after Unobserve() in the destructor.
    observer_ =
        world_->Observe([this, alive = std::weak_ptr<bool>(alive_)](
                            const std::string& id, const Answer& answer) {
          loop_.Post([this, alive, id, answer] {
            if (!alive.expired()) EndWaits(id, answer);
          });
        });
  }

  ~Oracle() override {
    world_->Unobserve(observer_);
    for (auto& [id, call] : calls_) loop_.CancelTimer(call.timer);
  }

  InvocationId Invoke(Invocation invocation,
                      absl::AnyInvocable<void(Answer) &&> done) override {
    const InvocationId id = next_++;
    Call& call = calls_[id];
    call.done = std::move(done);
    if (absl::Status status = Check(invocation); !status.ok()) {
      End(id, Outcome::kNotStarted, std::move(status));
    } else if (auto answer = world_->Run(invocation); answer.has_value()) {
      End(id, *std::move(answer));
    } else {
      wire::Wait wait;
      wait.ParseFromString(invocation.input);
      call.waits_for = wait.container_id().value();
      call.timer = loop_.RunAfter(invocation.timeout, [this, id] {
        End(id, Outcome::kEnded,
            absl::DeadlineExceededError(
                "wait: the oracle did not answer in time"));
      });
      waits_[call.waits_for].push_back(id);
    }
    return id;
  }

  void Cancel(InvocationId id) override {
    auto call = calls_.find(id);
    if (call == calls_.end() || call->second.over) return;
    End(id, Outcome::kEnded, absl::CancelledError("wait: cancelled"));
  }

  size_t MaxWaits() const override { return kMaxWaits; }

 private:
  struct Call {
    absl::AnyInvocable<void(Answer) &&> done;
    bool over = false;  // `done` is about to be called.
    std::string waits_for;
    EventLoop::TimerId timer = 0;
  };

  void End(InvocationId id, Outcome outcome, absl::Status status) {
    Answer answer;
    answer.outcome = outcome;
    answer.status = std::move(status);
    End(id, std::move(answer));
  }

  void End(InvocationId id, Answer answer) {
    Call& call = calls_.at(id);
    call.over = true;
    loop_.CancelTimer(call.timer);
    if (auto waits = waits_.find(call.waits_for); waits != waits_.end()) {
      auto& ids = waits->second;
      ids.erase(std::remove(ids.begin(), ids.end(), id), ids.end());
      if (ids.empty()) waits_.erase(waits);
    }
    loop_.Post([this, id, answer = std::move(answer),
                alive = std::weak_ptr<bool>(alive_)]() mutable {
      if (alive.expired()) return;
      auto node = calls_.extract(id);
      std::move(node.mapped().done)(std::move(answer));
    });
  }

  void EndWaits(const std::string& container, const Answer& answer) {
    auto waits = waits_.extract(container);
    if (waits.empty()) return;
    for (InvocationId id : waits.mapped()) End(id, answer);
  }

  EventLoop& loop_;
  const std::shared_ptr<OracleWorld> world_;
  uint64_t observer_ = 0;
  InvocationId next_ = 1;
  std::map<InvocationId, Call> calls_;
  std::map<std::string, std::vector<InvocationId>> waits_;
  // Expires when this object is destroyed: posted work looks at it.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

OracleWorld::OracleWorld(OracleOptions options)
    : options_(std::move(options)) {}

bool OracleWorld::Exit(absl::string_view id, int wait_status) {
  MutexLock lock(&mutex_);
  auto container = containers_.find(std::string(id));
  if (container == containers_.end() ||
      container->second.wait_status.has_value()) {
    return false;
  }
  End(container->first, container->second, wait_status);
  return true;
}

std::vector<std::string> OracleWorld::Containers() const {
  MutexLock lock(&mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, container] : containers_) ids.push_back(id);
  return ids;
}

std::optional<OracleWorld::Container> OracleWorld::Find(
    absl::string_view id) const {
  MutexLock lock(&mutex_);
  auto container = containers_.find(std::string(id));
  if (container == containers_.end()) return std::nullopt;
  return container->second;
}

std::optional<Answer> OracleWorld::Run(const Invocation& invocation) {
  switch (invocation.command) {
    case Command::kLaunch:
      return Launch(invocation);
    case Command::kUpdate:
      return Update(invocation.input);
    case Command::kUsage:
      return Usage(invocation.input);
    case Command::kWait:
      return Wait(invocation.input);
    case Command::kDestroy:
      return Destroy(invocation.input);
    case Command::kContainers:
      return List();
    case Command::kRecover:
      return Answered();
  }
  return Failed(invocation.command, "there is no such command");
}

uint64_t OracleWorld::Observe(Ended ended) {
  MutexLock lock(&mutex_);
  observers_.emplace(next_observer_, std::move(ended));
  return next_observer_++;
}

void OracleWorld::Unobserve(uint64_t observer) {
  MutexLock lock(&mutex_);
  observers_.erase(observer);
}

Answer OracleWorld::Launch(const Invocation& invocation) {
  Container container;
  if (!container.launch.ParseFromString(invocation.input) ||
      container.launch.container_id().value().empty()) {
    return Unreadable(Command::kLaunch);
  }
  const std::string id = container.launch.container_id().value();
  container.environment = invocation.environment;
  container.sandbox = invocation.sandbox;
  *container.resources.mutable_resources() =
      container.launch.executor_info().resources();

  MutexLock lock(&mutex_);
  auto [launched, is_new] = containers_.emplace(id, std::move(container));
  if (!is_new) return Failed(Command::kLaunch, id, "exists already");
  if (options_.exit_immediately) End(id, launched->second, 0);
  return Answered();
}

Answer OracleWorld::Update(const std::string& input) {
  wire::Update update;
  if (!update.ParseFromString(input)) return Unreadable(Command::kUpdate);
  const std::string& id = update.container_id().value();

  MutexLock lock(&mutex_);
  auto container = containers_.find(id);
  if (container == containers_.end()) {
    return Failed(Command::kUpdate, id, "does not exist");
  }
  container->second.resources = update;
  return Answered();
}

Answer OracleWorld::Usage(const std::string& input) {
  wire::Usage usage;
  if (!usage.ParseFromString(input)) return Unreadable(Command::kUsage);
  const std::string& id = usage.container_id().value();

  MutexLock lock(&mutex_);
  auto container = containers_.find(id);
  if (container == containers_.end()) {
    return Failed(Command::kUsage, id, "does not exist");
  }
  const wire::Update& resources = container->second.resources;
  wire::ResourceStatistics statistics;
  statistics.set_timestamp(
      absl::ToDoubleSeconds(options_.clock() - absl::UnixEpoch()));
  statistics.set_cpus_user_time_secs(0);
  statistics.set_cpus_system_time_secs(0);
  statistics.set_mem_rss_bytes(0);
  if (auto cpus = Sum(resources, "cpus")) statistics.set_cpus_limit(*cpus);
  if (auto mebibytes = Sum(resources, "mem");
      mebibytes.has_value() && *mebibytes >= 0 && *mebibytes < 1e12) {
    statistics.set_mem_limit_bytes(
        static_cast<uint64_t>(*mebibytes * (1 << 20)));
  }
  return Answered(statistics.SerializeAsString());
}

std::optional<Answer> OracleWorld::Wait(const std::string& input) {
  wire::Wait wait;
  if (!wait.ParseFromString(input)) return Unreadable(Command::kWait);
  const std::string& id = wait.container_id().value();

  MutexLock lock(&mutex_);
  auto container = containers_.find(id);
  if (container == containers_.end()) {
    return Failed(Command::kWait, id, "does not exist");
  }
  if (!container->second.wait_status.has_value()) return std::nullopt;
  return AnswerToWait(*container->second.wait_status);
}

Answer OracleWorld::Destroy(const std::string& input) {
  wire::Destroy destroy;
  if (!destroy.ParseFromString(input)) return Unreadable(Command::kDestroy);

  MutexLock lock(&mutex_);
  auto container = containers_.find(destroy.container_id().value());
  // The container is gone, which is what destroy is for.
  if (container == containers_.end()) return Answered();
  if (!container->second.wait_status.has_value()) {
    End(container->first, container->second, SIGKILL);
  }
  containers_.erase(container);
  return Answered();
}

Answer OracleWorld::List() {
  MutexLock lock(&mutex_);
  wire::Containers containers;
  for (const auto& [id, container] : containers_) {
    containers.add_containers()->set_value(id);
  }
  return Answered(containers.SerializeAsString());
}

void OracleWorld::End(const std::string& id, Container& container,
                      int wait_status) {
  container.wait_status = wait_status;
  const Answer answer = AnswerToWait(wait_status);
  for (const auto& [observer, ended] : observers_) ended(id, answer);
}

TransportFactory OracleTransport(std::shared_ptr<OracleWorld> world) {
  return [world = std::move(world)](EventLoop& loop) mutable
         -> absl::StatusOr<std::unique_ptr<Transport>> {
    return std::make_unique<Oracle>(loop, std::move(world));
  };
}

}  // namespace external_containerizer
