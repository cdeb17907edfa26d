// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/standing_agent.h"

#include <sys/wait.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/agent/sandbox_layout.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/transport/linux/random_name.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostCallers = 1024;  // Per container and method.

absl::Status NotHeld(const std::string& which) {
  return absl::NotFoundError(
      absl::StrCat("there is no container \"", absl::CHexEscape(which), "\""));
}

// Returns a random UUID.
ContainerId NewId() {
  const std::string hex = absl::StrCat(RandomName(), RandomName());
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-4",
                      hex.substr(13, 3), "-a", hex.substr(17, 3), "-",
                      hex.substr(20, 12));
}

}  // namespace

StandingAgent::StandingAgent(EventLoop& loop, Options options,
                             const state::AgentState& state,
                             std::string agent_id,
                             std::vector<std::string> set_aside,
                             std::unique_ptr<AgentDisk> disk)
    : loop_(loop),
      options_(std::move(options)),
      agent_id_(std::move(agent_id)),
      set_aside_(std::move(set_aside)),
      disk_(std::move(disk)),
      known_(state::KnownContainers(state)) {
  std::multimap<absl::Time, std::string> exited;
  for (auto& [name, held] : HeldContainers(state)) {
    if (held->progress.completed_recorded) {
      exited.emplace(disk_->WhenCompleted(held->run), name);
    }
    Enter(held);
  }
  for (auto& [when, name] : exited) exited_.push_back(std::move(name));
  // This agent itself destroys the containers that must go. Recovery would not
  // destroy one that the program does not list, nor tell why a destroy failed.
  for (KnownContainer& known : known_) {
    const auto it = by_id_.find(known.id);
    if (it != by_id_.end() && !it->second->progress.completed_recorded) {
      known.state = KnownContainer::State::kRunning;
    }
  }
}

StandingAgent::~StandingAgent() {
  // OnLoop() drops the callbacks that the containerizer still calls.
  alive_.reset();
  containerizer_.reset();
  const absl::Status ended = absl::CancelledError("the agent is gone");
  for (auto& [name, held] : held_) AnswerAll(*held, ended);
  if (recovered_) std::exchange(recovered_, nullptr)(ended);
}

absl::StatusOr<std::unique_ptr<StandingAgent>> StandingAgent::Create(
    EventLoop& loop, Options options, state::AgentState state,
    std::unique_ptr<state::Writer> writer) {
  std::vector<std::string> set_aside = SetAsideDamaged(state);
  const std::string id =
      state.slave ? state.slave->id : absl::StrCat("agent-", RandomName());
  auto disk = AgentDisk::Create(options.work_dir, std::move(writer));
  if (!disk.ok()) return disk.status();
  for (const std::string& executor : ExecutorsWithoutRuns(state)) {
    absl::Status forgotten =
        (*disk)->Forget({id, kOwnFramework, executor, executor});
    if (!forgotten.ok()) return forgotten;
  }
  absl::Status recorded =
      (*disk)->RecordSelf(id, kOwnFramework,
                          /*known=*/state.slave && state.slave->info);
  if (!recorded.ok()) return recorded;
  std::unique_ptr<StandingAgent> agent(
      new StandingAgent(loop, std::move(options), state, id,
                        std::move(set_aside), *std::move(disk)));
  absl::Status started = agent->StartContainerizer();
  if (!started.ok()) return started;
  return agent;
}

absl::Status StandingAgent::StartContainerizer() {
  external_containerizer::Options options = options_.containerizer;
  // An exit must stay until this agent has recorded and acknowledged it.
  options.lifecycle.max_containers = options_.max_containers;
  options.lifecycle.max_ended = options_.max_containers;
  options.lifecycle.max_calls =
      std::max(options.lifecycle.max_calls, 3 * options_.max_containers);
  options.on_event = [this, alive = is_alive_](const ContainerEvent& event) {
    loop_.Post([this, alive, event] {
      if (alive.lock() != nullptr) OnEvent(event);
    });
  };
  auto containerizer = Containerizer::Create(
      std::move(options),
      options_.transport(
          [this](Command command, const std::optional<Sandbox>& sandbox,
                 pid_t pid) { OnStarted(command, sandbox, pid); }));
  if (!containerizer.ok()) return containerizer.status();
  containerizer_ = *std::move(containerizer);
  return absl::OkStatus();
}

void StandingAgent::Recover(Done<RecoverySummary> done) {
  recovered_ = std::move(done);
  containerizer_->Recover(std::exchange(known_, {}),
                          OnLoop<absl::StatusOr<RecoverySummary>>(
                              [this](absl::StatusOr<RecoverySummary> summary) {
                                OnRecovered(std::move(summary));
                              }));
  const auto held = held_;
  for (const auto& [name, container] : held) Advance(container);
}

void StandingAgent::OnRecovered(absl::StatusOr<RecoverySummary> summary) {
  if (!summary.ok()) {
    std::exchange(recovered_, nullptr)(std::move(summary));
    return;
  }
  // Containers that this agent is destroying are neither recovered nor lost.
  for (auto* ids : {&summary->recovered, &summary->lost}) {
    const auto is_unwanted = [this](const ContainerId& id) {
      const HeldPtr held = Lookup(id);
      return held == nullptr || held->progress.launch_failed ||
             held->progress.unwanted || held->progress.exit_recorded;
    };
    ids->erase(std::remove_if(ids->begin(), ids->end(), is_unwanted),
               ids->end());
  }
  for (auto* ids : {&summary->recovered, &summary->lost, &summary->destroyed,
                    &summary->surviving}) {
    for (std::string& id : *ids) id = NameOf(id);
    std::sort(ids->begin(), ids->end());
  }
  disk_->Run(
      "", [disk = disk_.get()] { return disk->RecordBoot(); },
      OnLoop<absl::Status>(
          [this, summary = *std::move(summary)](absl::Status status) mutable {
            if (status.ok()) {
              KeepFewExited();
              std::exchange(recovered_, nullptr)(std::move(summary));
            } else {
              std::exchange(recovered_, nullptr)(std::move(status));
            }
          }));
}

// Called on the containerizer's thread.
void StandingAgent::OnStarted(Command command,
                              const std::optional<Sandbox>& sandbox,
                              pid_t pid) {
  if (command != Command::kLaunch || !sandbox.has_value()) return;
  const absl::StatusOr<state::RunId> run =
      state::ParseRunPath(options_.work_dir, sandbox->FullPath());
  if (!run.ok()) return;
  // A launch does not fail for a pid that cannot be recorded.
  disk_->Run(
      run->executor,
      [disk = disk_.get(), run = *run, pid] {
        return disk->writer().RecordForkedPid(run, pid);
      },
      OnLoop<absl::Status>([this, run = *run](const absl::Status& status) {
        // The container may be forgotten by now.
        const HeldPtr held = Lookup(run.container);
        if (!status.ok() && held != nullptr) {
          Notice(*held, "the pid of its launch is not written down", status);
        }
      }));
}

StandingAgent::HeldPtr StandingAgent::Lookup(const std::string& which) const {
  const auto named = held_.find(which);
  if (named != held_.end()) return named->second;
  const auto it = by_id_.find(which);
  return it == by_id_.end() ? nullptr : it->second;
}

void StandingAgent::Enter(HeldPtr held) {
  by_id_[held->id()] = held;
  held_[held->name] = std::move(held);
}

std::string StandingAgent::NameOf(const ContainerId& id) const {
  const auto it = by_id_.find(id);
  if (it != by_id_.end()) return it->second->name;
  for (const Identity& forgotten : forgotten_) {
    if (forgotten.id == id) return forgotten.name;
  }
  return id;  // Another agent's container.
}

void StandingAgent::OnEvent(ContainerEvent event) {
  const ContainerId id =
      std::exchange(event.container, NameOf(event.container));
  event.status = WithName({event.container, id}, event.status);
  const HeldPtr held = Lookup(id);
  if (event.kind == ContainerEvent::Kind::kTrouble && held != nullptr) {
    held->trouble =
        event.status.ok()
            ? ""
            : absl::StrCat(CommandName(event.command), " fails, and is tried ",
                           "again: ", event.status.message());
  }
  if (event.kind == ContainerEvent::Kind::kCommandEnded &&
      event.command == Command::kLaunch && held != nullptr &&
      event.wait_status.has_value() && WIFEXITED(*event.wait_status)) {
    held->launch_exit = WEXITSTATUS(*event.wait_status);
  }
  options_.on_event(event, id);
}

void StandingAgent::Notice(const HeldContainer& held, const std::string& detail,
                           const absl::Status& status) {
  ContainerEvent event;
  event.container = held.name;
  event.detail = detail;
  event.status = status;
  options_.on_event(event, held.id());
}

void StandingAgent::Launch(LaunchSpec spec, Done<Identity> done) {
  const std::string name =
      spec.name.empty() ? absl::StrCat("c-", RandomName()) : spec.name;
  const state::RunId run = {agent_id_, kOwnFramework, name, NewId()};
  absl::Status refused = state::ValidateDirectoryId("container name", name);
  if (refused.ok() && stopping_) {
    refused = absl::UnavailableError("the agent is ending");
  } else if (refused.ok() && Lookup(name) != nullptr) {
    refused = absl::AlreadyExistsError(
        absl::StrCat("there is a container \"", absl::CHexEscape(name),
                     "\" already; destroy it, or choose another name"));
  } else if (refused.ok() && std::find(set_aside_.begin(), set_aside_.end(),
                                       name) != set_aside_.end()) {
    refused = absl::AlreadyExistsError(absl::StrCat(
        "there is a container \"", absl::CHexEscape(name),
        "\" of which the records are damaged; see `agent inspect`, or choose "
        "another name"));
  } else if (refused.ok() && held_.size() >= options_.max_containers) {
    refused = absl::ResourceExhaustedError(absl::StrCat(
        "there are ", held_.size(), " containers already; destroy some"));
  }
  if (!refused.ok()) {
    std::move(done)(std::move(refused));
    return;
  }
  const Sandbox sandbox = {options_.work_dir, state::RunPath(run),
                           std::nullopt};
  auto held = std::make_shared<HeldContainer>();
  held->name = name;
  held->run = run;
  held->request = std::make_shared<LaunchRequest>(
      MakeLaunchRequest(run, sandbox, spec.command, spec.resources));
  held->request->checkpoint = true;
  held->command = ShortCommand(held->request->executor.command());
  held->resources = std::move(spec.resources);
  held->launchers.push_back(std::move(done));
  Enter(held);
  Advance(held);
}

uint64_t StandingAgent::Wait(const std::string& which,
                             Done<wire::Termination> done) {
  const HeldPtr held = Lookup(which);
  if (held == nullptr) {
    std::move(done)(NotHeld(which));
    return 0;
  }
  const Progress& progress = held->progress;
  if (progress.exit_recorded || (held->end && progress.exit_record_failed)) {
    std::move(done)(*held->end);
  } else if (!held->launch_error.ok() && progress.destroy_failed) {
    std::move(done)(held->launch_error);
  } else if (held->waiters.size() >= kMostCallers) {
    std::move(done)(absl::ResourceExhaustedError(absl::StrCat(
        "too many wait for container ", absl::CHexEscape(held->name))));
  } else {
    held->waiters.emplace(next_wait_, std::move(done));
    return next_wait_++;
  }
  return 0;
}

void StandingAgent::CancelWait(const std::string& which, uint64_t wait) {
  const HeldPtr held = Lookup(which);
  if (held == nullptr) return;
  auto node = held->waiters.extract(wait);
  if (!node.empty()) {
    std::move(node.mapped())(absl::CancelledError("nobody waits any more"));
  }
}

void StandingAgent::Update(const std::string& which, ResourceChange change,
                           DoneStatus done) {
  const HeldPtr held = Lookup(which);
  if (held == nullptr) return std::move(done)(NotHeld(which));
  if (held->progress.exited) {
    return std::move(done)(absl::FailedPreconditionError(absl::StrCat(
        "container ", absl::CHexEscape(held->name), " has ended")));
  }
  if (held->progress.unwanted) {
    return std::move(done)(absl::AbortedError(
        absl::StrCat("container \"", absl::CHexEscape(held->name),
                     "\" is being destroyed")));
  }
  if (held->updates.size() >= kMostCallers) {
    return std::move(done)(absl::ResourceExhaustedError(absl::StrCat(
        "too many update container ", absl::CHexEscape(held->name))));
  }
  held->updates.emplace_back(std::move(change), std::move(done));
  SendUpdates(held);
}

void StandingAgent::Usage(const std::string& which,
                          Done<std::optional<wire::ResourceStatistics>> done) {
  using Statistics = absl::StatusOr<std::optional<wire::ResourceStatistics>>;
  const HeldPtr held = Lookup(which);
  if (held == nullptr) return std::move(done)(NotHeld(which));
  if (!held->progress.launched || held->progress.destroyed) {
    return std::move(done)(std::optional<wire::ResourceStatistics>());
  }
  containerizer_->Usage(
      held->id(),
      Pass<Statistics>([identity = held->identity(),
                        done = std::move(done)](Statistics usage) mutable {
        if (!usage.ok()) usage = WithName(identity, usage.status());
        std::move(done)(std::move(usage));
      }));
}

void StandingAgent::Destroy(const std::string& which,
                            Done<wire::Termination> done) {
  const HeldPtr held = Lookup(which);
  if (held == nullptr) {
    // With OrphanPolicy::kReport the Containerizer holds containers that this
    // agent does not.
    containerizer_->Destroy(
        which, Pass<absl::StatusOr<wire::Termination>>(std::move(done)));
    return;
  }
  if (held->destroyers.size() >= kMostCallers) {
    return std::move(done)(absl::ResourceExhaustedError(absl::StrCat(
        "too many destroy container ", absl::CHexEscape(held->name))));
  }
  held->destroyers.push_back(std::move(done));
  held->progress.unwanted = true;
  held->progress.destroy_failed = false;
  held->progress.forget_failed = false;
  held->problem.clear();
  Advance(held);
}

StandingAgent::ContainerInfo StandingAgent::InfoOf(
    const HeldContainer& held) const {
  return {held.name,
          held.id(),
          held.StateName(),
          held.command,
          absl::StrCat(options_.work_dir, "/", state::RunPath(held.run)),
          held.end,
          held.problem.empty() ? held.trouble : held.problem};
}

std::vector<StandingAgent::ContainerInfo> StandingAgent::List(
    const std::string& after, size_t most) const {
  std::vector<ContainerInfo> listed;
  for (auto it = held_.upper_bound(after);
       it != held_.end() && listed.size() < most; ++it) {
    listed.push_back(InfoOf(*it->second));
  }
  return listed;
}

absl::StatusOr<StandingAgent::ContainerInfo> StandingAgent::Find(
    const std::string& which) const {
  const HeldPtr held = Lookup(which);
  if (held == nullptr) return NotHeld(which);
  return InfoOf(*held);
}

void StandingAgent::Stop(absl::Duration patience,
                         absl::AnyInvocable<void() &&> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  loop_.RunAfter(patience, [this, alive = is_alive_] {
    if (alive.lock() != nullptr && stopped_) FinishStop();
  });
  StopIfIdle();
}

void StandingAgent::StopIfIdle() {
  if (stopped_ && under_way_ == 0) FinishStop();
}

void StandingAgent::FinishStop() {
  std::exchange(stopped_, nullptr)();
  // Clients that wait connect again at once, and must find the next agent. So
  // this comes last.
  for (auto& [name, held] : held_) {
    Tell<wire::Termination>(held->waiters,
                            absl::UnavailableError("the agent is ending"));
  }
}

}  // namespace external_containerizer
