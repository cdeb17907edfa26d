// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/leftovers.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/mutex_lock.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostDirectories = 32;
constexpr absl::Duration kTime = absl::Seconds(60);

Options CleaningOptions(const RunDirectory& run) {
  Options options;
  options.environment.work_directory = run.path();
  // No other agent uses the directory, so all that the program lists is the
  // run's.
  options.lifecycle.orphans = OrphanPolicy::kAll;
  options.lifecycle.max_attempts = 2;
  options.timeouts.recover = absl::Seconds(10);
  options.timeouts.containers = absl::Seconds(10);
  options.timeouts.destroy = absl::Seconds(20);
  return options;
}

}  // namespace

LeftoverCleaner::LeftoverCleaner(std::string work_dir,
                                 MakeTransport make_transport, Notice notice,
                                 std::function<void()> done)
    : work_dir_(std::move(work_dir)),
      make_transport_(std::move(make_transport)),
      notice_(std::move(notice)),
      done_(std::move(done)) {
  const absl::Status started = thread_.Start("leftovers", [this] {
    Work();
    done_();
  });
  if (started.ok()) return;
  notice_(absl::StrCat("what killed runs left is not looked for: ",
                       OneLine(started.message())));
  done_();
}

LeftoverCleaner::~LeftoverCleaner() {
  std::unique_ptr<Containerizer> active;
  {
    const MutexLock lock(&mutex_);
    stopped_ = true;
    active = std::move(active_);
  }
  // This ends Recover(), for which the thread waits.
  active.reset();
  thread_.Join();
}

bool LeftoverCleaner::IsStopped() {
  const MutexLock lock(&mutex_);
  return stopped_;
}

void LeftoverCleaner::Work() {
  const Deadline deadline(kTime);
  for (RunDirectory& run :
       RunDirectory::ClaimLeftovers(work_dir_, kMostDirectories)) {
    if (IsStopped() || deadline.Expired()) return;
    Clean(std::move(run));
  }
}

void LeftoverCleaner::Clean(RunDirectory run) {
  const std::string path = run.path();
  const std::string container = run.run().container;
  const absl::StatusOr<std::optional<std::string>> program = run.ReadProgram();
  const bool has_launched = program.ok() && program->has_value();
  absl::Status cleaned = program.status();
  if (has_launched) cleaned = Destroy(run, **program);
  if (cleaned.ok()) cleaned = std::move(run).Remove();
  if (IsStopped()) return;
  if (!cleaned.ok()) {
    notice_(
        absl::StrCat("what a killed run left in ", OneLine(path),
                     " could not be cleaned up: ", OneLine(cleaned.message())));
  } else if (has_launched) {
    notice_(absl::StrCat("destroyed the container ", OneLine(container),
                         ", which a killed run had left behind"));
  }
}

absl::Status LeftoverCleaner::Destroy(const RunDirectory& run,
                                      const std::string& program) {
  TransportOptions transport;
  transport.program = program;
  transport.work_directory = run.path();
  absl::StatusOr<std::unique_ptr<Containerizer>> created =
      Containerizer::Create(CleaningOptions(run),
                            make_transport_(std::move(transport)));
  if (!created.ok()) return created.status();

  KnownContainer known;
  known.id = run.run().container;
  known.state = KnownContainer::State::kUnacknowledged;
  known.sandbox = Sandbox{run.path(), state::RunPath(run.run()), std::nullopt};
  absl::StatusOr<RecoverySummary> summary = absl::UnknownError("");
  absl::Notification returned;
  {
    const MutexLock lock(&mutex_);
    if (stopped_) return absl::CancelledError("stopped");
    active_ = *std::move(created);
    active_->Recover({std::move(known)},
                     [&](absl::StatusOr<RecoverySummary> result) {
                       summary = std::move(result);
                       returned.Notify();
                     });
  }
  returned.WaitForNotification();
  std::unique_ptr<Containerizer> finished;
  {
    const MutexLock lock(&mutex_);
    finished = std::move(active_);
  }
  finished.reset();
  if (!summary.ok()) return summary.status();
  if (!summary->surviving.empty()) {
    return absl::InternalError(
        absl::StrCat("the program could not destroy ",
                     absl::StrJoin(summary->surviving, ", ")));
  }
  return absl::OkStatus();
}

}  // namespace external_containerizer
