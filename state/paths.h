// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The layout of an agent's work_dir: that of Mesos 0.20 to 1.11. Ids are names
// of directories, unchanged.
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
// All paths are relative to the work_dir.
//
//   RunId run = {"agent-1", "framework-1", "executor-1", "8f14e45f"};
//   std::string sandbox = RunPath(run);
//   std::string records = MetaPath(RunPath(run));

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

// Since Mesos 1.8. Where it exists, resources.info does not count.
inline constexpr char kResourceStateFile[] = "resources_and_operations.state";
inline constexpr char kResourceStateTargetFile[] =
    "resources_and_operations.target";
// Since Mesos 1.10.
inline constexpr char kGeneratedExecutorFile[] =
    "executor_generated_for_command_task";
// These are ours, and Mesos does not look at them: a Termination that says how
// the container ended, and an empty file that says that it was to be destroyed.
inline constexpr char kTerminationFile[] = "executor.termination";
inline constexpr char kUnwantedFile[] = "executor.unwanted";

// One run of an executor, which is a container.
struct RunId {
  std::string agent;
  std::string framework;
  std::string executor;
  std::string container;
};

// OK if the ids can be names of directories: wire::ValidateId accepts them, and
// they are not "latest", which is the name of the link. INVALID_ARGUMENT says
// which one is not.
absl::Status Validate(const RunId& run);
absl::Status ValidateDirectoryId(absl::string_view kind, absl::string_view id);

// Directories: of sandboxes below the work_dir, and of records below meta/.
std::string AgentPath(absl::string_view agent);
std::string FrameworkPath(absl::string_view agent, absl::string_view framework);
std::string ExecutorPath(const RunId& run);
std::string RunsPath(const RunId& run);
std::string RunPath(const RunId& run);

// `path` below meta/.
std::string MetaPath(absl::string_view path);

// The run whose directory is `path`, or contains it. `root` is the work_dir or
// its meta directory. Both paths are absolute, or both are relative to the same
// place; slashes may be repeated. INVALID_ARGUMENT if `path` does not lie below
// `root`, is too short, or has other names between the ids.
absl::StatusOr<RunId> ParseRunPath(absl::string_view root,
                                   absl::string_view path);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_PATHS_H_
