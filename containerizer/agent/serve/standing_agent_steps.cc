// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The steps that a StandingAgent takes for one container, and their results.

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/serve/standing_agent.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/containerizer/wire/exit.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostForgotten = 100;

}  // namespace

void StandingAgent::Write(const HeldPtr& held, AgentDisk::Work work,
                          absl::AnyInvocable<void(absl::Status)> written) {
  held->progress.writing = true;
  ++under_way_;
  disk_->Run(held->run.executor, std::move(work),
             OnLoop<absl::Status>([this, held, written = std::move(written)](
                                      absl::Status status) mutable {
               held->progress.writing = false;
               --under_way_;
               written(std::move(status));
               Advance(held);
             }));
}

void StandingAgent::Advance(const HeldPtr& held) {
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

void StandingAgent::Take(const HeldPtr& held, AgentStep step) {
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
    case AgentStep::kRecordUnwanted:
      return RecordUnwanted(held);
    case AgentStep::kDestroy:
      return TellProgramToDestroy(held);
    case AgentStep::kRecordCompleted:
      return RecordCompleted(held);
    case AgentStep::kForget:
      return Forget(held);
  }
}

void StandingAgent::RecordLaunch(const HeldPtr& held) {
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

void StandingAgent::TellProgramToLaunch(const HeldPtr& held) {
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
          FailLaunch(*held, WithName(held->identity(), status));
        }
        Advance(held);
      }));
}

void StandingAgent::RecordLaunched(const HeldPtr& held) {
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
        Tell<Identity>(held->launchers, held->identity());
        SendUpdates(held);
      });
}

void StandingAgent::AskHowItEnds(const HeldPtr& held) {
  held->progress.waiting = true;
  containerizer_->Wait(
      held->run.container,
      OnLoop<absl::StatusOr<wire::Termination>>(
          [this, held](absl::StatusOr<wire::Termination> end) {
            const bool ending =
                held->progress.unwanted || held->progress.destroyed;
            if (end.ok()) {
              SetEnd(*held, *std::move(end));
            } else if (absl::IsNotFound(end.status()) && !ending) {
              // This agent has not destroyed it, so nobody should have.
              SetEnd(*held,
                     UnknownEnd(absl::StrCat(
                         "nobody knows how it ended: ",
                         WithName(held->identity(), end.status()).message())));
            } else if (!ending && !absl::IsCancelled(end.status())) {
              held->progress.waiting = false;
              held->retry_wait = true;
              Notice(*held, "it will be asked again how it ends",
                     WithName(held->identity(), end.status()));
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

void StandingAgent::RecordExit(const HeldPtr& held) {
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
          // Nothing is lost: the program still holds the container, and the
          // next agent would ask it again.
          held->progress.exit_record_failed = true;
          held->problem = absl::StrCat("how it ended is not written down: ",
                                       status.message());
          Notice(*held, "how it ended could not be written down", status);
          loop_.RunAfter(options_.write_retry, [this, held, alive = is_alive_] {
            if (alive.lock() == nullptr) return;
            held->progress.exit_record_failed = false;
            Advance(held);
          });
        }
        // While it is being destroyed, callers of Wait() are told with those of
        // Destroy().
        if (!held->progress.unwanted) {
          Tell<wire::Termination>(held->waiters, *held->end);
        }
      });
}

void StandingAgent::RecordUnwanted(const HeldPtr& held) {
  Write(
      held,
      [disk = disk_.get(), run = held->run] {
        return disk->writer().RecordUnwanted(run);
      },
      [this, held](const absl::Status& status) {
        // Without the record the next agent would report that it ended by
        // itself.
        held->progress.unwanted_recorded = true;
        if (!status.ok()) {
          Notice(*held, "that it is to be destroyed is not written down",
                 status);
        }
      });
}

void StandingAgent::TellProgramToDestroy(const HeldPtr& held) {
  held->progress.destroying = true;
  ++under_way_;
  containerizer_->Destroy(
      held->id(), OnLoop<absl::StatusOr<wire::Termination>>(
                      [this, held](absl::StatusOr<wire::Termination> end) {
                        held->progress.destroying = false;
                        --under_way_;
                        if (end.ok()) {
                          held->progress.destroyed = true;
                          SetEnd(*held, *std::move(end));
                        } else if (absl::IsNotFound(end.status())) {
                          held->progress.destroyed = true;
                          SetEnd(*held, UnknownEnd("nothing was left of it"));
                        } else {
                          OnDestroyFailed(
                              *held, WithName(held->identity(), end.status()));
                        }
                        Advance(held);
                      }));
}

void StandingAgent::OnDestroyFailed(HeldContainer& held,
                                    const absl::Status& status) {
  held.progress.destroy_failed = true;
  held.problem = std::string(status.message());
  Tell<wire::Termination>(held.destroyers, status);
  if (!held.launch_error.ok()) {
    Tell<Identity>(held.launchers, held.launch_error);
    Tell<wire::Termination>(held.waiters, held.launch_error);
  } else if (held.end.has_value()) {
    Tell<wire::Termination>(held.waiters, *held.end);
  }
  if (!absl::IsCancelled(status)) {
    Notice(held, "it could not be destroyed", status);
  }
}

void StandingAgent::RecordCompleted(const HeldPtr& held) {
  Write(
      held,
      [disk = disk_.get(), run = held->run] {
        return disk->writer().RecordCompleted(run);
      },
      [this, held](const absl::Status& status) {
        // Without the record the next agent destroys it again, which does no
        // harm.
        held->progress.completed_recorded = true;
        if (!status.ok()) {
          Notice(*held, "its end is not recorded as dealt with", status);
        }
        exited_.push_back(held->name);
        KeepFewExited();
      });
}

void StandingAgent::KeepFewExited() {
  while (exited_.size() > options_.max_exited) {
    const auto oldest = held_.find(exited_.front());
    exited_.pop_front();
    if (oldest == held_.end()) continue;
    const HeldPtr forgotten = oldest->second;
    forgotten->progress.unwanted = true;
    Notice(*forgotten,
           absl::StrCat("it is forgotten: it has ended, and only ",
                        options_.max_exited, " that have are kept"));
    Advance(forgotten);
  }
}

void StandingAgent::Forget(const HeldPtr& held) {
  Write(
      held,
      [disk = disk_.get(), run = held->run, own = held->IsOwn(),
       recorded = held->progress.launch_recorded] {
        // Mesos's records stay. So does a sandbox that was there before a
        // launch, which failed for that reason.
        if (!own) return disk->writer().RecordCompleted(run);
        return recorded ? disk->Forget(run)
                        : disk->writer().ForgetExecutor(run);
      },
      [this, held](const absl::Status& status) {
        if (status.ok()) {
          Erase(held);
          return;
        }
        held->progress.forget_failed = true;
        held->problem = std::string(status.message());
        Notice(*held, "it could not be forgotten", status);
        AnswerAll(*held, status);
      });
}

void StandingAgent::Erase(const HeldPtr& held) {
  held_.erase(held->name);
  by_id_.erase(held->id());
  exited_.erase(std::remove(exited_.begin(), exited_.end(), held->name),
                exited_.end());
  forgotten_.push_back(held->identity());
  if (forgotten_.size() > kMostForgotten) forgotten_.pop_front();
  held->progress.forgotten = true;
  AnswerAll(*held, absl::OkStatus());
}

void StandingAgent::SendUpdates(const HeldPtr& held) {
  if (!held->updating.empty() || held->updates.empty() ||
      !held->progress.launched_recorded) {
    return;
  }
  Resources all = held->resources;
  for (auto& [change, done] : std::exchange(held->updates, {})) {
    absl::StatusOr<Resources> changed = ApplyChange(all, change);
    if (!changed.ok()) {
      std::move(done)(absl::Status(
          changed.status().code(),
          absl::StrCat("container \"", absl::CHexEscape(held->name),
                       "\": ", changed.status().message())));
      continue;
    }
    all = *std::move(changed);
    held->updating.push_back(std::move(done));
  }
  if (held->updating.empty()) return;
  containerizer_->Update(
      held->id(), all,
      OnLoop<absl::Status>([this, held, all](const absl::Status& status) {
        if (status.ok()) held->resources = all;
        if (status.ok() && held->IsOwn()) return RecordResources(held);
        EndUpdates(held, WithName(held->identity(), status));
      }));
}

// The next agent needs the record: its first update would remove all limits
// that it does not know.
void StandingAgent::RecordResources(const HeldPtr& held) {
  ++under_way_;
  disk_->Run(
      held->run.executor,
      [disk = disk_.get(), run = held->run, all = held->resources] {
        return disk->writer().RecordUpdated(run, all);
      },
      OnLoop<absl::Status>([this, held](const absl::Status& status) {
        --under_way_;
        if (!status.ok() && !held->progress.forgotten) {
          Notice(*held, "what it may use now is not written down", status);
        }
        EndUpdates(held, absl::OkStatus());
        StopIfIdle();
      }));
}

void StandingAgent::EndUpdates(const HeldPtr& held,
                               const absl::Status& status) {
  for (DoneStatus& done : std::exchange(held->updating, {})) {
    std::move(done)(status);
  }
  SendUpdates(held);
}

void StandingAgent::SetEnd(HeldContainer& held, wire::Termination end) {
  // The first end counts: a later one is made up.
  if (held.progress.exited) return;
  if (held.progress.unwanted &&
      wire::ExitOf(end).kind == wire::Exit::Kind::kUnknown) {
    end.set_message(absl::StrCat("it was to be destroyed; ", end.message()));
  }
  held.end = ShortEnd(std::move(end));
  held.progress.exited = true;
}

void StandingAgent::FailLaunch(HeldContainer& held,
                               const absl::Status& status) {
  held.progress.launch_failed = true;
  if (held.launch_error.ok()) held.launch_error = status;
}

// Answers all calls that are still open. With OK the container is gone.
void StandingAgent::AnswerAll(HeldContainer& held, const absl::Status& status) {
  absl::Status launch = held.launch_error;
  if (launch.ok()) {
    launch =
        status.ok()
            ? absl::AbortedError(absl::StrCat(
                  "container ", absl::CHexEscape(held.name), " was destroyed"))
            : status;
  } else if (held.progress.destroyed &&
             (held.launch_exit == kCommandNotExecutable ||
              held.launch_exit == kCommandNotFound)) {
    // The destroy shows that the program is there. Otherwise the code may be
    // the one of a shell that did not find the program.
    SetExitCode(held.launch_exit, launch);
  }
  Tell<Identity>(held.launchers, launch);
  for (DoneStatus& done : std::exchange(held.updating, {})) {
    std::move(done)(launch);
  }
  for (auto& [change, done] : std::exchange(held.updates, {})) {
    std::move(done)(launch);
  }
  const absl::StatusOr<wire::Termination> end =
      !status.ok()           ? status
      : held.end.has_value() ? absl::StatusOr<wire::Termination>(*held.end)
                             : absl::StatusOr<wire::Termination>(UnknownEnd(
                                   "it was destroyed before it ran"));
  Tell(held.destroyers, end);
  Tell(held.waiters, held.launch_error.ok() ? end
                                            : absl::StatusOr<wire::Termination>(
                                                  held.launch_error));
}

}  // namespace external_containerizer
