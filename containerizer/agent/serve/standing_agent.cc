// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/standing_agent.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/agent/sandbox_layout.h"
#include "external_containerizer/containerizer/agent/serve/agent_disk.h"
#include "external_containerizer/containerizer/agent/serve/held_container.h"
#include "external_containerizer/containerizer/agent/serve/next_step.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {
namespace {

using HeldPtr = std::shared_ptr<HeldContainer>;

constexpr size_t kMostCallers = 1024;  // Of one container.

absl::Status NotHeld(const ContainerId& id) {
  return absl::NotFoundError(
      absl::StrCat("there is no container \"", absl::CHexEscape(id), "\""));
}

wire::Termination MadeUp(const std::string& message) {
  wire::Termination termination;
  termination.set_killed(false);
  termination.set_message(message);
  termination.set_state(wire::TASK_FAILED);
  termination.add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  return termination;
}

template <typename T>
void Tell(std::vector<Done<T>>& callers, const absl::StatusOr<T>& answer) {
  for (Done<T>& done : std::exchange(callers, {})) std::move(done)(answer);
}

}  // namespace

class StandingAgent::Impl {
 public:
  Impl(EventLoop& loop, Options options, const state::AgentState& state,
       std::string agent_id, std::unique_ptr<AgentDisk> disk)
      : loop_(loop),
        options_(std::move(options)),
        agent_id_(std::move(agent_id)),
        disk_(std::move(disk)),
        known_(state::KnownContainers(state)),
        held_(HeldContainers(state)) {}

  ~Impl() {
    alive_.reset();
    containerizer_.reset();
    // What the containerizer answered is not heard any more.
    const absl::Status ended = absl::CancelledError("the agent is gone");
    for (auto& [id, held] : held_) AnswerAll(*held, ended);
    if (recovered_) std::move(recovered_)(ended);
  }

  void Recover(Done<RecoverySummary> done);
  void Launch(LaunchSpec spec, Done<ContainerId> done);
  void Wait(const ContainerId& id, Done<wire::Termination> done);
  void Update(const ContainerId& id, Resources resources, DoneStatus done);
  void Usage(const ContainerId& id,
             Done<std::optional<wire::ResourceStatistics>> done);
  void Destroy(const ContainerId& id, Done<wire::Termination> done);
  std::vector<Listed> List(const ContainerId& after, size_t most) const;
  absl::StatusOr<Listed> Find(const ContainerId& id) const;
  size_t held() const { return held_.size(); }
  void Stop(absl::Duration patience, absl::AnyInvocable<void() &&> done);

 private:
  // `f` on the loop, from whatever thread it is called on, unless this is gone.
  template <typename T, typename F>
  auto OnLoop(F f) {
    return [&loop = loop_, alive = is_alive_,
            f = std::move(f)](T value) mutable {
      loop.Post([alive, f = std::move(f), value = std::move(value)]() mutable {
        if (alive.lock() != nullptr) f(std::move(value));
      });
    };
  }

  // `done` on the loop, also if this is gone by then.
  template <typename T>
  auto Pass(absl::AnyInvocable<void(T) &&> done) {
    return [&loop = loop_, done = std::move(done)](T value) mutable {
      loop.Post([done = std::move(done), value = std::move(value)]() mutable {
        std::move(done)(std::move(value));
      });
    };
  }

  // Takes the steps that can be taken now.
  void Advance(const HeldPtr& held);
  void Take(const HeldPtr& held, AgentStep step);
  void RecordLaunch(const HeldPtr& held);
  void TellProgramToLaunch(const HeldPtr& held);
  void RecordLaunched(const HeldPtr& held);
  void AskHowItEnds(const HeldPtr& held);
  void RecordExit(const HeldPtr& held);
  void TellProgramToDestroy(const HeldPtr& held);
  void RecordCompleted(const HeldPtr& held);
  void Forget(const HeldPtr& held);

  void HaveEnd(HeldContainer& held, wire::Termination end);
  void FailLaunch(HeldContainer& held, const absl::Status& status);
  void AnswerAll(HeldContainer& held, const absl::Status& status);
  void Erase(const HeldPtr& held);
  void KeepFewExited(const HeldPtr& held);
  void OnStarted(Command command, const std::optional<Sandbox>& sandbox,
                 pid_t pid);
  void HaveRecovered(absl::StatusOr<RecoverySummary> summary);
  void Notice(const ContainerId& id, const std::string& detail,
              const absl::Status& status = absl::OkStatus());
  // Writes on the disk's threads, in the order of the calls for a container,
  // and advances it when `written` has said what came of it.
  void Write(const HeldPtr& held, AgentDisk::Work work,
             absl::AnyInvocable<void(absl::Status)> written);
  void StopIfIdle();
  Listed ListedOf(const HeldContainer& held) const;

  EventLoop& loop_;
  const Options options_;
  const std::string agent_id_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  // Any thread may copy it; only the loop's thread may ask it.
  const std::weak_ptr<char> is_alive_ = alive_;
  std::unique_ptr<AgentDisk> disk_;
  std::unique_ptr<Containerizer> containerizer_;
  std::vector<KnownContainer> known_;
  Done<RecoverySummary> recovered_;
  std::map<ContainerId, HeldPtr> held_;
  std::deque<ContainerId> exited_;  // Those that are done with, oldest first.
  size_t under_way_ = 0;            // Writes, launches and destroys.
  bool stopping_ = false;
  absl::AnyInvocable<void() &&> stopped_;
};

void StandingAgent::Impl::Recover(Done<RecoverySummary> done) {
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

void StandingAgent::Impl::HaveRecovered(
    absl::StatusOr<RecoverySummary> summary) {
  if (!summary.ok()) {
    std::move(recovered_)(std::move(summary));
    return;
  }
  disk_->Run(
      "", [disk = disk_.get()] { return disk->RecordBoot(); },
      OnLoop<absl::Status>(
          [this, summary = *std::move(summary)](absl::Status status) mutable {
            if (status.ok()) {
              std::move(recovered_)(std::move(summary));
            } else {
              std::move(recovered_)(std::move(status));
            }
          }));
}

void StandingAgent::Impl::Notice(const ContainerId& id,
                                 const std::string& detail,
                                 const absl::Status& status) {
  ContainerEvent event;
  event.container = id;
  event.detail = detail;
  event.status = status;
  options_.on_event(event);
}

void StandingAgent::Impl::Write(
    const HeldPtr& held, AgentDisk::Work work,
    absl::AnyInvocable<void(absl::Status)> written) {
  held->progress.writing = true;
  ++under_way_;
  disk_->Run(held->run.container, std::move(work),
             OnLoop<absl::Status>([this, held, written = std::move(written)](
                                      absl::Status status) mutable {
               held->progress.writing = false;
               --under_way_;
               written(std::move(status));
               Advance(held);
             }));
}

void StandingAgent::Impl::Advance(const HeldPtr& held) {
  for (;;) {
    const AgentStep step = NextStep(held->progress);
    if (step == AgentStep::kNone ||
        (step == AgentStep::kWait && (stopping_ || held->retry_wait))) {
      break;
    }
    Take(held, step);
  }
  StopIfIdle();
}

void StandingAgent::Impl::Take(const HeldPtr& held, AgentStep step) {
  switch (step) {
    case AgentStep::kNone:
      return;
    case AgentStep::kRecordLaunch:
      return RecordLaunch(held);
    case AgentStep::kLaunch:
      return TellProgramToLaunch(held);
    case AgentStep::kRecordLaunched:
      return RecordLaunched(held);
    case AgentStep::kWait:
      return AskHowItEnds(held);
    case AgentStep::kRecordExit:
      return RecordExit(held);
    case AgentStep::kDestroy:
      return TellProgramToDestroy(held);
    case AgentStep::kRecordCompleted:
      return RecordCompleted(held);
    case AgentStep::kForget:
      return Forget(held);
  }
}

void StandingAgent::Impl::RecordLaunch(const HeldPtr& held) {
  // The request stays here: who destroys the container meanwhile drops it.
  Write(
      held,
      [disk = disk_.get(), run = held->run, request = held->request] {
        return disk->RecordLaunch(run, *request);
      },
      [this, held](absl::Status status) {
        if (status.ok()) {
          held->progress.launch_recorded = true;
        } else {
          FailLaunch(*held, status);
        }
      });
}

void StandingAgent::Impl::TellProgramToLaunch(const HeldPtr& held) {
  held->progress.launching = true;
  ++under_way_;
  const std::shared_ptr<LaunchRequest> request =
      std::exchange(held->request, nullptr);
  containerizer_->Launch(
      std::move(*request),
      OnLoop<absl::Status>([this, held](absl::Status status) {
        held->progress.launching = false;
        --under_way_;
        if (status.ok()) {
          held->progress.launched = true;
        } else {
          FailLaunch(*held, status);
        }
        Advance(held);
      }));
}

void StandingAgent::Impl::RecordLaunched(const HeldPtr& held) {
  Write(
      held,
      [disk = disk_.get(), run = held->run] {
        return disk->writer().RecordLaunched(run);
      },
      [this, held](absl::Status status) {
        if (!status.ok()) {
          FailLaunch(*held, status);
          return;
        }
        held->progress.launched_recorded = true;
        Tell<ContainerId>(held->launchers, held->run.container);
      });
}

void StandingAgent::Impl::AskHowItEnds(const HeldPtr& held) {
  held->progress.waiting = true;
  containerizer_->Wait(
      held->run.container,
      OnLoop<absl::StatusOr<wire::Termination>>(
          [this, held](absl::StatusOr<wire::Termination> end) {
            const bool ending =
                held->progress.unwanted || held->progress.destroyed;
            if (end.ok()) {
              HaveEnd(*held, *std::move(end));
            } else if (absl::IsNotFound(end.status()) && !ending) {
              // Nobody but this agent destroys it.
              HaveEnd(*held, MadeUp(absl::StrCat("nobody knows how it ended: ",
                                                 end.status().message())));
            } else if (!ending && !absl::IsCancelled(end.status())) {
              held->progress.waiting = false;
              held->retry_wait = true;
              Notice(held->run.container, "it will be asked again how it ends",
                     end.status());
              loop_.RunAfter(options_.write_retry,
                             [this, held, alive = is_alive_] {
                               if (alive.lock() == nullptr) return;
                               held->retry_wait = false;
                               Advance(held);
                             });
            }
            Advance(held);
          }));
}

void StandingAgent::Impl::HaveEnd(HeldContainer& held, wire::Termination end) {
  // The first word counts: it is the program's, if there is one.
  if (held.progress.exited) return;
  held.end = std::move(end);
  held.progress.exited = true;
}

void StandingAgent::Impl::RecordExit(const HeldPtr& held) {
  Write(
      held,
      [disk = disk_.get(), run = held->run, end = *held->end] {
        return disk->writer().RecordExit(run, end);
      },
      [this, held](const absl::Status& status) {
        if (status.ok()) {
          held->progress.exit_recorded = true;
          held->problem.clear();
        } else {
          // The program still holds it, so nothing is lost: it is asked again
          // by whoever comes after this agent.
          held->progress.exit_record_failed = true;
          held->problem = absl::StrCat("how it ended is not written down: ",
                                       status.message());
          Notice(held->run.container, "how it ended could not be written down",
                 status);
          loop_.RunAfter(options_.write_retry, [this, held, alive = is_alive_] {
            if (alive.lock() == nullptr) return;
            held->progress.exit_record_failed = false;
            Advance(held);
          });
        }
        Tell<wire::Termination>(held->waiters, *held->end);
      });
}

void StandingAgent::Impl::TellProgramToDestroy(const HeldPtr& held) {
  held->progress.destroying = true;
  ++under_way_;
  containerizer_->Destroy(
      held->run.container,
      OnLoop<absl::StatusOr<wire::Termination>>(
          [this, held](absl::StatusOr<wire::Termination> end) {
            Progress& progress = held->progress;
            progress.destroying = false;
            --under_way_;
            if (end.ok()) {
              progress.destroyed = true;
              HaveEnd(*held, *std::move(end));
            } else if (absl::IsNotFound(end.status())) {
              progress.destroyed = true;
              HaveEnd(*held, MadeUp("it was destroyed before it ran"));
            } else {
              progress.destroy_failed = true;
              held->problem = std::string(end.status().message());
              Tell<wire::Termination>(held->destroyers, end.status());
              if (!held->launch_error.ok()) {
                Tell<ContainerId>(held->launchers, held->launch_error);
                Tell<wire::Termination>(held->waiters, held->launch_error);
              }
              if (!absl::IsCancelled(end.status())) {
                Notice(held->run.container, "it could not be destroyed",
                       end.status());
              }
            }
            Advance(held);
          }));
}

void StandingAgent::Impl::RecordCompleted(const HeldPtr& held) {
  Write(
      held,
      [disk = disk_.get(), run = held->run] {
        return disk->writer().RecordCompleted(run);
      },
      [this, held](const absl::Status& status) {
        // Without it the next agent destroys it once more, which does no harm.
        held->progress.completed_recorded = true;
        if (!status.ok()) {
          Notice(held->run.container, "its end is not recorded as dealt with",
                 status);
        }
        KeepFewExited(held);
      });
}

void StandingAgent::Impl::KeepFewExited(const HeldPtr& held) {
  exited_.push_back(held->run.container);
  if (exited_.size() <= options_.max_exited) return;
  const auto oldest = held_.find(exited_.front());
  exited_.pop_front();
  if (oldest == held_.end()) return;
  const HeldPtr forgotten = oldest->second;
  forgotten->progress.unwanted = true;
  Notice(forgotten->run.container,
         absl::StrCat("it is forgotten: it has ended, and only ",
                      options_.max_exited, " that have are kept"));
  Advance(forgotten);
}

void StandingAgent::Impl::Forget(const HeldPtr& held) {
  Write(
      held,
      [disk = disk_.get(), run = held->run, own = held->IsOwn()] {
        // What Mesos wrote down is left to Mesos.
        return own ? disk->Forget(run) : disk->writer().RecordCompleted(run);
      },
      [this, held](const absl::Status& status) {
        if (status.ok()) {
          Erase(held);
          return;
        }
        held->progress.forget_failed = true;
        held->problem = std::string(status.message());
        Notice(held->run.container, "it could not be forgotten", status);
        AnswerAll(*held, status);
      });
}

void StandingAgent::Impl::Erase(const HeldPtr& held) {
  const ContainerId id = held->run.container;
  held_.erase(id);
  const auto exited = std::find(exited_.begin(), exited_.end(), id);
  if (exited != exited_.end()) exited_.erase(exited);
  // Nothing is left to be done.
  held->progress.forget_failed = true;
  AnswerAll(*held, absl::OkStatus());
}

// Of whatever is still to be answered; OK: it is over.
void StandingAgent::Impl::AnswerAll(HeldContainer& held,
                                    const absl::Status& status) {
  absl::Status launch = held.launch_error;
  if (launch.ok()) {
    launch = status.ok()
                 ? absl::AbortedError(absl::StrCat(
                       "container ", absl::CHexEscape(held.run.container),
                       " was destroyed before it ran"))
                 : status;
  }
  Tell<ContainerId>(held.launchers, launch);
  const absl::StatusOr<wire::Termination> end =
      !status.ok()           ? status
      : held.end.has_value() ? absl::StatusOr<wire::Termination>(*held.end)
                             : absl::StatusOr<wire::Termination>(
                                   MadeUp("it was destroyed before it ran"));
  Tell(held.destroyers, end);
  Tell(held.waiters, held.launch_error.ok() ? end
                                            : absl::StatusOr<wire::Termination>(
                                                  held.launch_error));
}

void StandingAgent::Impl::FailLaunch(HeldContainer& held,
                                     const absl::Status& status) {
  held.progress.launch_failed = true;
  if (held.launch_error.ok()) held.launch_error = status;
}

// On the containerizer's thread.
void StandingAgent::Impl::OnStarted(Command command,
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

void StandingAgent::Impl::Launch(LaunchSpec spec, Done<ContainerId> done) {
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
  held->request->user = std::move(spec.user);
  held->command = CommandText(held->request->executor.command());
  held->launchers.push_back(std::move(done));
  held_[spec.id] = held;
  Advance(held);
}

void StandingAgent::Impl::Wait(const ContainerId& id,
                               Done<wire::Termination> done) {
  const auto it = held_.find(id);
  if (it == held_.end()) return std::move(done)(NotHeld(id));
  HeldContainer& held = *it->second;
  const Progress& progress = held.progress;
  if (progress.exit_recorded || (held.end && progress.exit_record_failed)) {
    std::move(done)(*held.end);
  } else if (stopping_) {
    std::move(done)(absl::UnavailableError("the agent is ending"));
  } else if (held.waiters.size() >= kMostCallers) {
    std::move(done)(absl::ResourceExhaustedError(
        absl::StrCat("too many wait for container ", absl::CHexEscape(id))));
  } else {
    held.waiters.push_back(std::move(done));
  }
}

void StandingAgent::Impl::Update(const ContainerId& id, Resources resources,
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

void StandingAgent::Impl::Usage(
    const ContainerId& id, Done<std::optional<wire::ResourceStatistics>> done) {
  using Statistics = absl::StatusOr<std::optional<wire::ResourceStatistics>>;
  const auto it = held_.find(id);
  if (it == held_.end()) return std::move(done)(NotHeld(id));
  if (!it->second->progress.launched || it->second->progress.destroyed) {
    return std::move(done)(std::optional<wire::ResourceStatistics>());
  }
  containerizer_->Usage(id, Pass<Statistics>(std::move(done)));
}

void StandingAgent::Impl::Destroy(const ContainerId& id,
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

StandingAgent::Listed StandingAgent::Impl::ListedOf(
    const HeldContainer& held) const {
  return {held.run.container,
          held.StateName(),
          held.command,
          absl::StrCat(options_.work_dir, "/", state::RunPath(held.run)),
          held.end,
          held.problem};
}

std::vector<StandingAgent::Listed> StandingAgent::Impl::List(
    const ContainerId& after, size_t most) const {
  std::vector<Listed> listed;
  for (auto it = held_.upper_bound(after);
       it != held_.end() && listed.size() < most; ++it) {
    listed.push_back(ListedOf(*it->second));
  }
  return listed;
}

absl::StatusOr<StandingAgent::Listed> StandingAgent::Impl::Find(
    const ContainerId& id) const {
  const auto it = held_.find(id);
  if (it == held_.end()) return NotHeld(id);
  return ListedOf(*it->second);
}

void StandingAgent::Impl::Stop(absl::Duration patience,
                               absl::AnyInvocable<void() &&> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  for (auto& [id, held] : held_) {
    Tell<wire::Termination>(held->waiters,
                            absl::UnavailableError("the agent is ending"));
  }
  loop_.RunAfter(patience, [this, alive = is_alive_] {
    if (alive.lock() != nullptr && stopped_) {
      std::exchange(stopped_, nullptr)();
    }
  });
  StopIfIdle();
}

void StandingAgent::Impl::StopIfIdle() {
  if (stopped_ && under_way_ == 0) std::exchange(stopped_, nullptr)();
}

absl::StatusOr<std::unique_ptr<StandingAgent>> StandingAgent::Create(
    EventLoop& loop, Options options, const state::AgentState& state,
    std::unique_ptr<state::Writer> writer) {
  const std::string id =
      state.slave ? state.slave->id : absl::StrCat("agent-", RandomName());
  auto disk = AgentDisk::Create(options.work_dir, std::move(writer));
  if (!disk.ok()) return disk.status();
  // Every command runs in its container's sandbox: one that somebody removed
  // must not keep a container from being destroyed.
  for (const KnownContainer& known : state::KnownContainers(state)) {
    if (known.state == KnownContainer::State::kCompleted) continue;
    absl::Status made = (*disk)->EnsureSandbox(*known.sandbox);
    if (!made.ok()) return made;
  }
  for (const std::string& executor : ExecutorsWithoutRuns(state)) {
    absl::Status forgotten =
        (*disk)->Forget({id, kOwnFramework, executor, executor});
    if (!forgotten.ok()) return forgotten;
  }
  absl::Status recorded =
      (*disk)->RecordSelf(id, kOwnFramework,
                          /*known=*/state.slave && state.slave->info);
  if (!recorded.ok()) return recorded;
  auto impl = std::make_unique<Impl>(loop, std::move(options), state, id,
                                     *std::move(disk));
  return std::unique_ptr<StandingAgent>(new StandingAgent(std::move(impl)));
}

StandingAgent::StandingAgent(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}
StandingAgent::~StandingAgent() = default;

void StandingAgent::Recover(Done<RecoverySummary> done) {
  impl_->Recover(std::move(done));
}
void StandingAgent::Launch(LaunchSpec spec, Done<ContainerId> done) {
  impl_->Launch(std::move(spec), std::move(done));
}
void StandingAgent::Wait(const ContainerId& id, Done<wire::Termination> done) {
  impl_->Wait(id, std::move(done));
}
void StandingAgent::Update(const ContainerId& id, Resources resources,
                           DoneStatus done) {
  impl_->Update(id, std::move(resources), std::move(done));
}
void StandingAgent::Usage(const ContainerId& id,
                          Done<std::optional<wire::ResourceStatistics>> done) {
  impl_->Usage(id, std::move(done));
}
void StandingAgent::Destroy(const ContainerId& id,
                            Done<wire::Termination> done) {
  impl_->Destroy(id, std::move(done));
}
std::vector<StandingAgent::Listed> StandingAgent::List(const ContainerId& after,
                                                       size_t most) const {
  return impl_->List(after, most);
}
absl::StatusOr<StandingAgent::Listed> StandingAgent::Find(
    const ContainerId& id) const {
  return impl_->Find(id);
}
size_t StandingAgent::held() const { return impl_->held(); }
void StandingAgent::Stop(absl::Duration patience,
                         absl::AnyInvocable<void() &&> done) {
  impl_->Stop(patience, std::move(done));
}

}  // namespace external_containerizer
