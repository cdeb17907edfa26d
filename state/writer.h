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
// runs of a framework share are synced once in the life of a Writer. A file
// that has what is to be recorded stays as it is.

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
#include "google/protobuf/message.h"

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

  // `info` carries the agent's id. From now on this is the agent of the tree.
  absl::Status RecordAgent(const wire::SlaveInfo& info);

  // Before its first launch, with the id in `info`; `pid` is "@0.0.0.0:0" if
  // there is none. The pid is replaced before the info.
  absl::Status RecordFramework(const std::string& agent,
                               const wire::FrameworkInfo& info,
                               absl::string_view pid);

  // The steps of a container's life. Before Launch: the run is there, and
  // recovery will destroy it. ALREADY_EXISTS if the run is recorded as ended.
  absl::Status RecordLaunch(const RunId& run, const wire::ExecutorInfo& info);
  // After it returned OK and before anybody is told: the run becomes its
  // executor's latest, and recovery will hold it as running.
  absl::Status RecordLaunched(const RunId& run);
  // After Update: its executor's resources are these now. NOT_FOUND without a
  // recorded launch.
  absl::Status RecordUpdated(const RunId& run,
                             const std::vector<wire::Resource>& resources);
  // Before a Destroy that somebody asked for while it ran: recovery will do it.
  absl::Status RecordUnwanted(const RunId& run);
  // After Wait and before Destroy: how it ended.
  absl::Status RecordExit(const RunId& run, const wire::Termination& end);
  // After Destroy: nothing is left to do.
  absl::Status RecordCompleted(const RunId& run);

  // Its executor and all its runs, completed or not, are forgotten; the ids may
  // be used again. Sandboxes stay.
  absl::Status ForgetExecutor(const RunId& run);

  // Needs a launch that was recorded.
  absl::Status RecordForkedPid(const RunId& run, pid_t pid);

 protected:
  // The mode of files without contents; that of others is 0600, as mkstemp()
  // makes them for Mesos.
  static constexpr mode_t kMarkerMode = 0644;

  // INVALID_ARGUMENT if `message` lacks what every release requires.
  static absl::StatusOr<std::string> Encode(
      const google::protobuf::Message& message);
  // Writes `name` in the directory `below`, which is made if it is missing,
  // below `base`, which is on the disk. All are below the work_dir.
  absl::Status WriteFile(const std::string& base, absl::string_view below,
                         absl::string_view name,
                         const absl::StatusOr<std::string>& bytes,
                         mode_t mode = 0600);
  FileSystem& files() { return *files_; }

 private:
  class Change;

  absl::StatusOr<wire::ExecutorInfo> ReadExecutor(const std::string& path);

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
