// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What an agent remembers, as its work_dir has it. Plain data.
//
// Lists are sorted by id; an id is the name of a directory. An optional that
// is unset stands for a file that is not there, is empty, or is listed in
// `problems`. Nothing else is lost with it: what lies below is here.

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

struct TaskState {
  std::string id;
  std::optional<wire::Task> info;           // As it was when it was accepted.
  std::vector<wire::StatusUpdate> updates;  // All, in order.
  std::set<std::string> acks;  // The uuids, 16 bytes, of acknowledged ones.
};

// A container.
struct RunState {
  std::string id;
  std::vector<TaskState> tasks;
  // Not read after a reboot. It says nothing about who has that pid now.
  std::optional<pid_t> forked_pid;
  // Only of an executor that has registered over libprocess.
  std::optional<std::string> libprocess_pid;
  // How the executor registered; unset if it has not.
  std::optional<bool> http;
  // How it ended, if this agent and not Mesos recorded that.
  std::optional<wire::Termination> termination;
  // It has ended, and there is nothing left to do for it.
  bool completed = false;
  // Somebody had asked this agent to destroy it.
  bool unwanted = false;
};

struct ExecutorState {
  std::string id;
  std::optional<wire::ExecutorInfo> info;
  std::optional<std::string> latest;  // One of `runs`.
  std::vector<RunState> runs;
  // Made by the agent for a task that had only a command (Mesos 1.10).
  std::optional<bool> generated_for_command_task;
};

struct FrameworkState {
  std::string id;
  std::optional<wire::FrameworkInfo> info;
  std::optional<std::string> pid;  // "@0.0.0.0:0" if it speaks HTTP.
  std::vector<ExecutorState> executors;
};

struct SlaveState {
  std::string id;
  std::optional<wire::SlaveInfo> info;
  std::vector<FrameworkState> frameworks;
};

struct ResourcesState {
  std::vector<wire::Resource> committed;
  // A change that was under way. Counts only with a committed file.
  std::optional<std::vector<wire::Resource>> target;
};

// Something in the tree that is not as it should be. `path` is relative to the
// work_dir; neither string is escaped except for what `why` quotes.
struct Problem {
  enum class Kind {
    kDamage,  // Something that was there cannot be read. Strict: an error.
    kNotice,  // Read as absent, as Mesos does, in both modes.
  };

  Kind kind;
  std::string path;
  std::string why;
};

// The end of a file that a writer is to cut off before it appends (Mesos does
// so while reading). If it is damage and not the trace of a crash, it is a
// problem as well.
struct Truncation {
  std::string path;
  uint64_t size;
  uint64_t good_bytes;
};

struct AgentState {
  std::string work_dir;
  // The machine has been booted since. No process of then is left.
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
