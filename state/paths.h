// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Where an agent keeps what, below its work_dir. The layout is that of Mesos
// 0.20 to 1.11; ids are names of directories, as they are.
//
//   meta/boot_id
//   meta/resources/resources.info
//   meta/slaves/latest -> meta/slaves/<agent>
//   meta/slaves/<agent>/slave.info
//     frameworks/<framework>/framework.info, framework.pid
//       executors/<executor>/executor.info
//         runs/latest -> .../runs/<container>
//         runs/<container>/executor.sentinel, executor.termination,
//           executor.unwanted, http.marker
//           pids/forked.pid, libprocess.pid
//           tasks/<task>/task.info, task.updates
//   slaves/<agent>/frameworks/.../runs/<container>    the sandbox
//
// All paths here are relative to the work_dir unless said otherwise.

#ifndef EXTERNAL_CONTAINERIZER_STATE_PATHS_H_
#define EXTERNAL_CONTAINERIZER_STATE_PATHS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace state {

inline constexpr char kMetaDirectory[] = "meta";
inline constexpr char kBootIdFile[] = "boot_id";
inline constexpr char kResourcesDirectory[] = "resources";
inline constexpr char kResourcesInfoFile[] = "resources.info";
inline constexpr char kResourcesTargetFile[] = "resources.target";
inline constexpr char kAgentsDirectory[] = "slaves";
inline constexpr char kAgentInfoFile[] = "slave.info";
inline constexpr char kFrameworksDirectory[] = "frameworks";
inline constexpr char kFrameworkInfoFile[] = "framework.info";
inline constexpr char kFrameworkPidFile[] = "framework.pid";
inline constexpr char kExecutorsDirectory[] = "executors";
inline constexpr char kExecutorInfoFile[] = "executor.info";
inline constexpr char kRunsDirectory[] = "runs";
inline constexpr char kSentinelFile[] = "executor.sentinel";
inline constexpr char kHttpMarkerFile[] = "http.marker";
inline constexpr char kPidsDirectory[] = "pids";
inline constexpr char kForkedPidFile[] = "forked.pid";
inline constexpr char kLibprocessPidFile[] = "libprocess.pid";
inline constexpr char kTasksDirectory[] = "tasks";
inline constexpr char kTaskInfoFile[] = "task.info";
inline constexpr char kTaskUpdatesFile[] = "task.updates";
inline constexpr char kLatestLink[] = "latest";

// Since Mesos 1.8. If it is there it counts, and resources.info does not.
inline constexpr char kResourceStateFile[] = "resources_and_operations.state";
inline constexpr char kResourceStateTargetFile[] =
    "resources_and_operations.target";
// Since Mesos 1.10.
inline constexpr char kGeneratedExecutorFile[] =
    "executor_generated_for_command_task";
// Ours; Mesos does not look at them: how the container ended, one Termination;
// and that it was to be destroyed, an empty file.
inline constexpr char kTerminationFile[] = "executor.termination";
inline constexpr char kUnwantedFile[] = "executor.unwanted";

// One run of an executor: what a container belongs to.
struct RunId {
  std::string agent;
  std::string framework;
  std::string executor;
  std::string container;
};

// INVALID_ARGUMENT, saying which, if an id cannot be a directory's name here:
// wire::ValidateId, and not "latest", which is the link's name.
absl::Status Validate(const RunId& run);
absl::Status ValidateDirectoryId(absl::string_view kind, absl::string_view id);

// Each is a directory, relative to the work_dir for sandboxes and to meta/ for
// what is remembered of them.
std::string AgentPath(absl::string_view agent);
std::string FrameworkPath(absl::string_view agent, absl::string_view framework);
std::string ExecutorPath(const RunId& run);
std::string RunsPath(const RunId& run);
std::string RunPath(const RunId& run);
std::string TaskPath(const RunId& run, absl::string_view task);

// `path` below meta/.
std::string MetaPath(absl::string_view path);

// The run that `path` is, or is below. Both are absolute, or both relative to
// the same place; slashes may be repeated. `root` is the work_dir or its meta
// directory. INVALID_ARGUMENT if `path` does not lie below `root`, is too short
// or has other names in between.
absl::StatusOr<RunId> ParseRunPath(absl::string_view root,
                                   absl::string_view path);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_PATHS_H_
