// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Writes down what an agent must not forget, in the tree that Mesos would read.
//
//   auto writer = Writer::Open("/var/lib/my_agent");
//   (*writer)->RecordLaunch(run, executor);  // Then launch it,
//   (*writer)->RecordLaunched(run);          // and tell people that it runs.
//
// When a call has returned OK, its record is on the disk. If the call was
// interrupted, even by a power failure, the reader finds either the record or
// what was there before, and nothing else. A call that fails has changed
// nothing, with one exception: if its last step fails, the fsync of a
// directory, the disk may have either. Every call may be repeated.
//
// A call costs one fsync for each file and for each directory that it changes.
// Directories that all runs of a framework share are synced once in the life of
// a Writer. A file that has the right contents is not written again.
// Directories that somebody has removed are made again.

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

// Blocks for as long as the disk does. Calls about different executors may run
// at the same time, on different threads.
//
// INVALID_ARGUMENT: an id cannot be the name of a directory, or a message lacks
// a field that every release requires. Other errors are the system's.
class Writer {
 public:
  // `work_dir` is absolute and exists. One writer at a time may use it.
  static absl::StatusOr<std::unique_ptr<Writer>> Open(std::string work_dir);

  // `files` is the file system below `work_dir`.
  Writer(std::string work_dir, std::unique_ptr<FileSystem> files);

  // To be called when recovery is over. Later recoveries compare this boot with
  // theirs.
  absl::Status RecordBootId(absl::string_view boot_id);

  // `info` has the agent's id. From now on this is the agent of the tree.
  absl::Status RecordAgent(const wire::SlaveInfo& info);

  // To be called before the framework's first launch. `info` has its id. `pid`
  // is "@0.0.0.0:0" for a framework without one, and is replaced before the
  // info.
  absl::Status RecordFramework(const std::string& agent,
                               const wire::FrameworkInfo& info,
                               absl::string_view pid);

  // The steps of a container's life. Before Launch: from now on the run exists,
  // and recovery would destroy it. ALREADY_EXISTS if it is recorded as ended.
  absl::Status RecordLaunch(const RunId& run, const wire::ExecutorInfo& info);
  // After Launch has returned OK, before anybody is told: from now on the run
  // is its executor's latest, and recovery would hold it as running.
  absl::Status RecordLaunched(const RunId& run);
  // After Update: the executor's resources are these. NOT_FOUND if no launch is
  // recorded.
  absl::Status RecordUpdated(const RunId& run,
                             const std::vector<wire::Resource>& resources);
  // Before a Destroy that somebody asked for while it runs: recovery would
  // destroy it, too.
  absl::Status RecordUnwanted(const RunId& run);
  // After Wait and before Destroy: how it ended.
  absl::Status RecordExit(const RunId& run, const wire::Termination& end);
  // After Destroy: nothing is left to do.
  absl::Status RecordCompleted(const RunId& run);

  // Forgets the run's executor with all of its runs, completed or not. The ids
  // may be used again. Sandboxes stay.
  absl::Status ForgetExecutor(const RunId& run);

  // The pid of the launch. NOT_FOUND if no launch is recorded.
  absl::Status RecordForkedPid(const RunId& run, pid_t pid);

 protected:
  // The mode of files without contents, and of others, which mkstemp() makes
  // for Mesos.
  static constexpr mode_t kMarkerMode = 0644;
  static constexpr mode_t kFileMode = 0600;

  // A record with `message`. INVALID_ARGUMENT if it is incomplete or too large.
  static absl::StatusOr<std::string> Encode(
      const google::protobuf::Message& message);
  // Writes the file `name` in `base`/`below`. `base` is a directory below the
  // work_dir that is on the disk; `below` is made if it is missing.
  absl::Status WriteFile(const std::string& base, absl::string_view below,
                         absl::string_view name,
                         const absl::StatusOr<std::string>& bytes,
                         mode_t mode = kFileMode);
  FileSystem& files() { return *files_; }

 private:
  class Change;

  // `what` is for messages: it goes before the container's id.
  absl::Status WriteInRun(const RunId& run, absl::string_view name,
                          const absl::StatusOr<std::string>& bytes, mode_t mode,
                          absl::string_view what);
  absl::StatusOr<wire::ExecutorInfo> ReadExecutor(const std::string& path);

  const std::string work_dir_;
  const std::unique_ptr<FileSystem> files_;
  absl::Mutex removal_mutex_;
  absl::Mutex mutex_;
  // Directories that are on the disk unless somebody has removed them.
  std::set<std::string> durable_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_WRITER_H_
