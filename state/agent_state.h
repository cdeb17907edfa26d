// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What an agent remembers, as its work_dir has it. Plain data.
//
//   for (const FrameworkState& framework : state.slave->frameworks) {
//     for (const ExecutorState& executor : framework.executors) {
//       for (const RunState& run : executor.runs) Print(run.id, run.completed);
//     }
//   }
//
// Lists are sorted by id, and an id is the name of a directory. An optional
// that is unset stands for a file that is missing, is empty, or is listed in
// `problems`. Nothing else is lost with that file: the rest of its directory is
// here.

#ifndef EXTERNAL_CONTAINERIZER_STATE_AGENT_STATE_H_
#define EXTERNAL_CONTAINERIZER_STATE_AGENT_STATE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"

namespace external_containerizer {
namespace state {

// A task of a run. Only Mesos writes these.
struct TaskState {
  std::string id;
  std::optional<wire::Task> info;           // As it was accepted.
  std::vector<wire::StatusUpdate> updates;  // All of them, in order.
  std::set<std::string> acks;  // The uuids (16 bytes) of acknowledged updates.
};

// A run of an executor, which is a container.
struct RunState {
  std::string id;
  std::vector<TaskState> tasks;
  // The pid of its launch; not read after a reboot. Another process may have it
  // now.
  std::optional<pid_t> forked_pid;
  // Set if the executor has registered over libprocess.
  std::optional<std::string> libprocess_pid;
  // Whether the executor registered over HTTP; unset if it has not registered.
  std::optional<bool> http;
  // How it ended. Mesos does not record that; this project's agent does.
  std::optional<wire::Termination> termination;
  // It has ended, and nothing is left to do for it.
  bool completed = false;
  // Somebody has asked this agent to destroy it.
  bool unwanted = false;
};

// An executor, and its runs.
struct ExecutorState {
  std::string id;
  std::optional<wire::ExecutorInfo> info;
  std::optional<std::string> latest;  // One of `runs`.
  std::vector<RunState> runs;
  // The agent made it for a task that had only a command (Mesos 1.10).
  std::optional<bool> generated_for_command_task;
};

// A framework, and its executors.
struct FrameworkState {
  std::string id;
  std::optional<wire::FrameworkInfo> info;
  // "@0.0.0.0:0" for a scheduler that speaks HTTP.
  std::optional<std::string> pid;
  std::vector<ExecutorState> executors;
};

// The agent itself, and its frameworks.
struct SlaveState {
  std::string id;
  std::optional<wire::SlaveInfo> info;
  std::vector<FrameworkState> frameworks;
};

// Resources that the agent has checkpointed, such as persistent volumes.
struct ResourcesState {
  std::vector<wire::Resource> committed;
  // The result of a change that was under way. It counts only if there is a
  // committed file.
  std::optional<std::vector<wire::Resource>> target;
};

// Something in the tree that is not as it should be. `path` is relative to the
// work_dir. Neither string is escaped, except for quotes in `why`.
struct Problem {
  enum class Kind {
    kDamage,  // A file cannot be read. With ReadOptions::strict: an error.
    kNotice,  // Read as absent, as Mesos does, strict or not.
  };

  Kind kind;
  std::string path;
  std::string why;
};

// The end of a file that a writer must cut off before it appends; Mesos does so
// while it reads. An end that is not the trace of a crash is a problem as well.
struct Truncation {
  std::string path;
  uint64_t size;
  uint64_t good_bytes;
};

// All of it.
struct AgentState {
  std::string work_dir;
  // The machine has been booted since, so no process of then is left.
  bool rebooted = false;
  std::optional<ResourcesState> resources;  // Unset if there is no meta/.
  std::optional<SlaveState> slave;
  std::vector<Problem> problems;
  uint64_t further_problems = 0;  // Beyond ReadOptions::max_problems.
  std::vector<Truncation> truncations;
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_AGENT_STATE_H_
