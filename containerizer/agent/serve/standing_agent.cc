// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/standing_agent.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/agent/sandbox_layout.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostCallers = 1024;  // Of one container.

absl::Status NotHeld(const ContainerId& id) {
  return absl::NotFoundError(
      absl::StrCat("there is no container \"", absl::CHexEscape(id), "\""));
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
      known_(state::KnownContainers(state)),
      held_(HeldContainers(state)) {
  for (const auto& [id, held] : held_) {
    if (held->progress.completed_recorded) exited_.push_back(id);
  }
}

StandingAgent::~StandingAgent() {
  // What the containerizer answers from here on is not heard any more.
  alive_.reset();
  containerizer_.reset();
  const absl::Status ended = absl::CancelledError("the agent is gone");
  for (auto& [id, held] : held_) AnswerAll(*held, ended);
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
  agent->EnsureSandboxes();
  return agent;
}

// Every command runs in its container's sandbox: one that somebody removed must
// not keep a container from being destroyed.
void StandingAgent::EnsureSandboxes() {
  for (const KnownContainer& known : known_) {
    if (known.state == KnownContainer::State::kCompleted) continue;
    const absl::Status made = disk_->EnsureSandbox(*known.sandbox);
    if (made.ok()) continue;
    Notice(known.id, "its sandbox cannot be used", made);
    const auto it = held_.find(known.id);
    if (it != held_.end()) it->second->problem = std::string(made.message());
  }
}

void StandingAgent::Recover(Done<RecoverySummary> done) {
  external_containerizer::Options options = options_.containerizer;
  // Only this agent acknowledges exits, once they are written down.
  options.lifecycle.max_containers = options_.max_containers;
  options.lifecycle.max_ended = options_.max_containers;
  options.lifecycle.max_calls =
      std::max(options.lifecycle.max_calls, 3 * options_.max_containers);
  options.on_event = [this, alive = is_alive_](const ContainerEvent& event) {
    loop_.Post([this, alive, event] {
      if (alive.lock() != nullptr) options_.on_event(event);
    });
  };
  auto containerizer = Containerizer::Create(
      std::move(options),
      options_.transport(
          [this](Command command, const std::optional<Sandbox>& sandbox,
                 pid_t pid) { OnStarted(command, sandbox, pid); }));
  if (!containerizer.ok()) {
    loop_.Post(
        [done = std::move(done), status = containerizer.status()]() mutable {
          std::move(done)(std::move(status));
        });
    return;
  }
  containerizer_ = *std::move(containerizer);
  recovered_ = std::move(done);
  containerizer_->Recover(std::exchange(known_, {}),
                          OnLoop<absl::StatusOr<RecoverySummary>>(
                              [this](absl::StatusOr<RecoverySummary> summary) {
                                HaveRecovered(std::move(summary));
                              }));
  const auto held = held_;
  for (const auto& [id, container] : held) Advance(container);
}

void StandingAgent::HaveRecovered(absl::StatusOr<RecoverySummary> summary) {
  if (!summary.ok()) {
    std::exchange(recovered_, nullptr)(std::move(summary));
    return;
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

// On the containerizer's thread.
void StandingAgent::OnStarted(Command command,
                              const std::optional<Sandbox>& sandbox,
                              pid_t pid) {
  if (command != Command::kLaunch || !sandbox.has_value()) return;
  const absl::StatusOr<state::RunId> run =
      state::ParseRunPath(options_.work_dir, sandbox->FullPath());
  if (!run.ok()) return;
  // A pid that is not written down is no reason to fail a launch.
  disk_->Run(
      run->container,
      [disk = disk_.get(), run = *run, pid] {
        return disk->writer().RecordForkedPid(run, pid);
      },
      OnLoop<absl::Status>([this, run = *run](const absl::Status& status) {
        // It may have been forgotten meanwhile.
        if (!status.ok() && held_.count(run.container) > 0) {
          Notice(run.container, "the pid of its launch is not written down",
                 status);
        }
      }));
}

void StandingAgent::Notice(const ContainerId& id, const std::string& detail,
                           const absl::Status& status) {
  ContainerEvent event;
  event.container = id;
  event.detail = detail;
  event.status = status;
  options_.on_event(event);
}

void StandingAgent::Launch(LaunchSpec spec, Done<ContainerId> done) {
  if (spec.id.empty()) spec.id = absl::StrCat("c-", RandomName());
  const SandboxIds ids = {agent_id_, kOwnFramework, spec.id, spec.id};
  const absl::StatusOr<std::string> path = SandboxPath(ids);
  absl::Status refused = wire::ValidateId("container id", spec.id);
  if (refused.ok()) refused = path.status();
  if (refused.ok() && stopping_) {
    refused = absl::UnavailableError("the agent is ending");
  } else if (refused.ok() && held_.count(spec.id) > 0) {
    refused = absl::AlreadyExistsError(
        absl::StrCat("there is a container \"", absl::CHexEscape(spec.id),
                     "\" already; destroy it, or choose another name"));
  } else if (refused.ok() && std::find(set_aside_.begin(), set_aside_.end(),
                                       spec.id) != set_aside_.end()) {
    refused = absl::AlreadyExistsError(absl::StrCat(
        "there is a container \"", absl::CHexEscape(spec.id),
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
  const Sandbox sandbox = {options_.work_dir, *path, std::nullopt};
  auto held = std::make_shared<HeldContainer>();
  held->run = {ids.agent, ids.framework, ids.executor, ids.container};
  held->request = std::make_shared<LaunchRequest>(
      MakeLaunchRequest(ids, sandbox, spec.command, spec.resources));
  held->request->checkpoint = true;
  held->command = CommandText(held->request->executor.command());
  held->launchers.push_back(std::move(done));
  held_[spec.id] = held;
  Advance(held);
}

uint64_t StandingAgent::Wait(const ContainerId& id,
                             Done<wire::Termination> done) {
  const auto it = held_.find(id);
  if (it == held_.end()) {
    std::move(done)(NotHeld(id));
    return 0;
  }
  HeldContainer& held = *it->second;
  const Progress& progress = held.progress;
  if (progress.exit_recorded || (held.end && progress.exit_record_failed)) {
    std::move(done)(*held.end);
  } else if (!held.launch_error.ok() && progress.destroy_failed) {
    std::move(done)(held.launch_error);
  } else if (held.waiters.size() >= kMostCallers) {
    std::move(done)(absl::ResourceExhaustedError(
        absl::StrCat("too many wait for container ", absl::CHexEscape(id))));
  } else {
    held.waiters.emplace(next_wait_, std::move(done));
    return next_wait_++;
  }
  return 0;
}

void StandingAgent::CancelWait(const ContainerId& id, uint64_t wait) {
  const auto it = held_.find(id);
  if (it == held_.end()) return;
  auto node = it->second->waiters.extract(wait);
  if (!node.empty()) {
    std::move(node.mapped())(absl::CancelledError("nobody waits any more"));
  }
}

void StandingAgent::Update(const ContainerId& id, Resources resources,
                           DoneStatus done) {
  const auto it = held_.find(id);
  if (it == held_.end()) return std::move(done)(NotHeld(id));
  if (it->second->progress.exited) {
    return std::move(done)(absl::FailedPreconditionError(
        absl::StrCat("container ", absl::CHexEscape(id), " has ended")));
  }
  containerizer_->Update(id, std::move(resources),
                         Pass<absl::Status>(std::move(done)));
}

void StandingAgent::Usage(const ContainerId& id,
                          Done<std::optional<wire::ResourceStatistics>> done) {
  using Statistics = absl::StatusOr<std::optional<wire::ResourceStatistics>>;
  const auto it = held_.find(id);
  if (it == held_.end()) return std::move(done)(NotHeld(id));
  if (!it->second->progress.launched || it->second->progress.destroyed) {
    return std::move(done)(std::optional<wire::ResourceStatistics>());
  }
  containerizer_->Usage(id, Pass<Statistics>(std::move(done)));
}

void StandingAgent::Destroy(const ContainerId& id,
                            Done<wire::Termination> done) {
  const auto it = held_.find(id);
  if (it == held_.end()) {
    // One that this agent did not launch may be held all the same, to be
    // destroyed (OrphanPolicy::kReport).
    containerizer_->Destroy(
        id, Pass<absl::StatusOr<wire::Termination>>(std::move(done)));
    return;
  }
  const HeldPtr held = it->second;
  if (held->destroyers.size() >= kMostCallers) {
    return std::move(done)(absl::ResourceExhaustedError(
        absl::StrCat("too many destroy container ", absl::CHexEscape(id))));
  }
  held->destroyers.push_back(std::move(done));
  held->progress.unwanted = true;
  held->progress.destroy_failed = false;
  held->progress.forget_failed = false;
  held->problem.clear();
  Advance(held);
}

StandingAgent::Listed StandingAgent::ListedOf(const HeldContainer& held) const {
  return {held.run.container,
          held.StateName(),
          held.command,
          absl::StrCat(options_.work_dir, "/", state::RunPath(held.run)),
          held.end,
          held.problem};
}

std::vector<StandingAgent::Listed> StandingAgent::List(const ContainerId& after,
                                                       size_t most) const {
  std::vector<Listed> listed;
  for (auto it = held_.upper_bound(after);
       it != held_.end() && listed.size() < most; ++it) {
    listed.push_back(ListedOf(*it->second));
  }
  return listed;
}

absl::StatusOr<StandingAgent::Listed> StandingAgent::Find(
    const ContainerId& id) const {
  const auto it = held_.find(id);
  if (it == held_.end()) return NotHeld(id);
  return ListedOf(*it->second);
}

void StandingAgent::Stop(absl::Duration patience,
                         absl::AnyInvocable<void() &&> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  loop_.RunAfter(patience, [this, alive = is_alive_] {
    if (alive.lock() != nullptr && stopped_) Stopped();
  });
  StopIfIdle();
}

void StandingAgent::StopIfIdle() {
  if (stopped_ && under_way_ == 0) Stopped();
}

void StandingAgent::Stopped() {
  std::exchange(stopped_, nullptr)();
  // Not before: whoever waits comes back at once, and is to find the next
  // agent.
  for (auto& [id, held] : held_) {
    Tell<wire::Termination>(held->waiters,
                            absl::UnavailableError("the agent is ending"));
  }
}

}  // namespace external_containerizer
