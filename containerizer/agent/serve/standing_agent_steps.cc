// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The steps of a StandingAgent: what is done for one container, and what comes
// of it.

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/serve/standing_agent.h"

namespace external_containerizer {

void StandingAgent::Write(const HeldPtr& held, AgentDisk::Work work,
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
      [disk = disk_.get(), run = held->run, request = held->request,
       is_posix = options_.program_is_posix] {
        return disk->RecordLaunch(run, *request, is_posix);
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
          FailLaunch(*held, status);
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
        Tell<ContainerId>(held->launchers, held->run.container);
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
              HaveEnd(*held, *std::move(end));
            } else if (absl::IsNotFound(end.status()) && !ending) {
              // Nobody but this agent destroys it.
              HaveEnd(*held,
                      MadeUpEnd(absl::StrCat("nobody knows how it ended: ",
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

void StandingAgent::TellProgramToDestroy(const HeldPtr& held) {
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
              HaveEnd(*held, MadeUpEnd("it was destroyed before it ran"));
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

void StandingAgent::RecordCompleted(const HeldPtr& held) {
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
        HasExited(held);
      });
}

void StandingAgent::HasExited(const HeldPtr& held) {
  exited_.push_back(held->run.container);
  KeepFewExited();
}

void StandingAgent::KeepFewExited() {
  while (exited_.size() > options_.max_exited) {
    const auto oldest = held_.find(exited_.front());
    exited_.pop_front();
    if (oldest == held_.end()) continue;
    const HeldPtr forgotten = oldest->second;
    forgotten->progress.unwanted = true;
    Notice(forgotten->run.container,
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
        // What Mesos wrote down is left to Mesos, and a sandbox that was in
        // the way of a launch to whoever put it there.
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
        Notice(held->run.container, "it could not be forgotten", status);
        AnswerAll(*held, status);
      });
}

void StandingAgent::Erase(const HeldPtr& held) {
  const ContainerId id = held->run.container;
  held_.erase(id);
  const auto exited = std::find(exited_.begin(), exited_.end(), id);
  if (exited != exited_.end()) exited_.erase(exited);
  held->progress.forgotten = true;
  AnswerAll(*held, absl::OkStatus());
}

void StandingAgent::HaveEnd(HeldContainer& held, wire::Termination end) {
  // The first word counts: it is the program's, if there is one.
  if (held.progress.exited) return;
  held.end = Bounded(std::move(end));
  held.progress.exited = true;
}

void StandingAgent::FailLaunch(HeldContainer& held,
                               const absl::Status& status) {
  held.progress.launch_failed = true;
  if (held.launch_error.ok()) held.launch_error = status;
}

// Of whatever is still to be answered; OK: it is over.
void StandingAgent::AnswerAll(HeldContainer& held, const absl::Status& status) {
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
                                   MadeUpEnd("it was destroyed before it ran"));
  Tell(held.destroyers, end);
  Tell(held.waiters, held.launch_error.ok() ? end
                                            : absl::StatusOr<wire::Termination>(
                                                  held.launch_error));
}

}  // namespace external_containerizer
