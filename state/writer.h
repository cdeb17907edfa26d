// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Writes down what an agent must not forget, in the tree that Mesos would read.
//
// When a call has returned OK, what it records is on the disk. Whatever
// interrupts it, power included, the reader then finds what was recorded before
// it or what it records, and nothing else. A call that fails leaves what was
// before, except that if the last step, the fsync of a directory, fails, it is
// not known which of the two the disk has. Every call may be repeated.
//
// Each file costs one fsync, each changed directory one. Directories that all
// runs of a framework share are synced once in the life of a Writer.

#ifndef EXTERNAL_CONTAINERIZER_STATE_WRITER_H_
#define EXTERNAL_CONTAINERIZER_STATE_WRITER_H_

#include <sys/types.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/state/file_system.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/state/update_appender.h"

namespace external_containerizer {
namespace state {

// Blocks as long as the disk does. Calls about different executors may run at
// the same time on different threads.
//
// INVALID_ARGUMENT for ids that cannot be directories' names and for messages
// that lack what every release requires; else what the system said.
class Writer {
 public:
  // `work_dir` is absolute and exists. Only one writer at a time may use it.
  static absl::StatusOr<std::unique_ptr<Writer>> Open(std::string work_dir);

  // `files` are those of `work_dir`.
  Writer(std::string work_dir, std::unique_ptr<FileSystem> files);

  // When recovery is over: the boot that later ones compare with.
  absl::Status RecordBootId(absl::string_view boot_id);
  absl::Status RecordResources(const std::vector<wire::Resource>& resources);

  // `info` carries the agent's id. From now on this is the agent of the tree.
  absl::Status RecordAgent(const wire::SlaveInfo& info);
  // Nothing is recovered after this.
  absl::Status ForgetAgent();

  // Before its first launch, with the id in `info`; `pid` is "@0.0.0.0:0" if
  // there is none. The pid is replaced before the info.
  absl::Status RecordFramework(const std::string& agent,
                               const wire::FrameworkInfo& info,
                               absl::string_view pid);

  // The four steps of a container's life. Before Launch: the run is there, and
  // recovery will destroy it. ALREADY_EXISTS if the run is recorded as ended.
  absl::Status RecordLaunch(const RunId& run, const wire::ExecutorInfo& info);
  // After it returned OK and before anybody is told: the run becomes its
  // executor's latest, and recovery will hold it as running.
  absl::Status RecordLaunched(const RunId& run);
  // After Wait and before Destroy: how it ended.
  absl::Status RecordExit(const RunId& run, const wire::Termination& end);
  // After Destroy: nothing is left to do.
  absl::Status RecordCompleted(const RunId& run);

  // Its executor and all its runs, completed or not, are forgotten; the ids may
  // be used again. Sandboxes stay.
  absl::Status ForgetExecutor(const RunId& run);

  // The rest needs a launch that was recorded.
  absl::Status RecordTask(const RunId& run, const wire::Task& task);
  absl::Status RecordForkedPid(const RunId& run, pid_t pid);
  absl::Status RecordLibprocessPid(const RunId& run, absl::string_view upid);
  absl::Status RecordHttp(const RunId& run);
  // The task must have been recorded. The result must not outlive this.
  absl::StatusOr<UpdateAppender> OpenUpdates(const RunId& run,
                                             const std::string& task,
                                             Repair repair = Repair::kTorn);

 private:
  class Change;

  absl::Status RecordPid(const RunId& run, const char* file,
                         absl::string_view text);
  absl::Status Mark(const RunId& run, const char* file);

  const std::string work_dir_;
  const std::unique_ptr<FileSystem> files_;
  absl::Mutex removal_mutex_;
  absl::Mutex mutex_;
  // Directories that are known to be on the disk.
  std::set<std::string> durable_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_WRITER_H_
