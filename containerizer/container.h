// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The types in which callers speak about containers, and in which they are
// answered.
//
//   LaunchRequest request;
//   request.id = "8f14e45f";
//   request.executor.mutable_executor_id()->set_value("web");
//   request.executor.mutable_command()->set_value("exec ./server");
//   request.sandbox = {"/var/lib/agent", "sandboxes/8f14e45f", std::nullopt};

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_CONTAINER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_CONTAINER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// The name of one launch, for the program. It is fit to be a file name and an
// argument (wire/validate.h), and new for each launch.
using ContainerId = std::string;

// All of a container's resources, never a difference.
using Resources = std::vector<wire::Resource>;

// A container to launch.
struct LaunchRequest {
  ContainerId id;
  // Set only for a task that brings no executor of its own (`task_info`).
  std::optional<wire::TaskInfo> task;
  // The executor is always sent. Its resources include the first task's.
  wire::ExecutorInfo executor;
  // The directory of the container's files, in which every command about it
  // runs. It must exist.
  Sandbox sandbox;
  // The user whom the program is to run it as. Unset: the agent's user.
  std::optional<std::string> user;
  std::string agent_id;   // MESOS_SLAVE_ID; may be empty.
  std::string agent_pid;  // "slave(1)@ip:port"; may be empty.
  // The framework wants its executors to be recovered (MESOS_CHECKPOINT).
  bool checkpoint = false;
};

// A container that an earlier life of the agent has written down.
struct KnownContainer {
  enum class State {
    kRunning,         // Launch() returned OK, and no exit was seen.
    kUnacknowledged,  // Launch() was called, and did not return OK.
    kCompleted,       // Its exit was seen and recorded.
  };

  ContainerId id;
  State state = State::kRunning;
  std::optional<Sandbox> sandbox;
};

// How Recover() treats containers that the program lists and that this agent
// does not hold as running.
enum class OrphanPolicy {
  // Destroy the ones that `known` names as completed, and leave all others
  // alone: programs list containers of other agents, too (D30).
  kOwn,
  // Destroy all of them, as Mesos did. This kills what other agents run.
  kAll,
  // Touch none, but hold all of them, so that Destroy() works on them.
  kReport,
};

// "own", "all" or "report".
absl::string_view OrphanPolicyName(OrphanPolicy policy);

// The result of Recover(). Each list is sorted.
struct RecoverySummary {
  std::vector<ContainerId> recovered;  // Held again, as running or as ended.
  std::vector<ContainerId> lost;       // Known as running, and gone meanwhile.
  std::vector<ContainerId> destroyed;  // Orphans and unacknowledged launches.
  // Listed and not destroyed: the policy says so, or `destroy` failed.
  std::vector<ContainerId> surviving;
};

// The life of a container, as the agent sees it:
//
//   launching ──▶ running ──▶ ended
//       │            │          │
//       └────────────┴──────────┴──▶ destroying ──▶ gone
//
// The program still holds a container that has ended, until it is destroyed.
enum class ContainerState { kLaunching, kRunning, kEnded, kDestroying, kGone };

// "launching", "running", and so on.
absl::string_view ContainerStateName(ContainerState state);

// News for the operator (Options::on_event).
struct ContainerEvent {
  enum class Kind {
    kCommandStarted,  // `command` was handed to the transport.
    // `command` is over: `status`, `queued` and `took`. `detail` names an
    // oddity of its answer that does no harm.
    kCommandEnded,
    // The container is in `state`. `detail` says why, and `status` names the
    // error behind it.
    kStateChanged,
    // Something else, in `detail`: a retry, for example.
    kNotice,
    // `command` begins to fail for the reason `status`, and is tried again.
    // Each later failure is a kNotice. The trouble is over when `status` is OK,
    // or when the container is gone.
    kTrouble,
  };

  Kind kind = Kind::kNotice;
  ContainerId container;  // Empty for containers and recover.
  Command command = Command::kRecover;
  ContainerState state = ContainerState::kGone;
  absl::Status status;
  absl::Duration queued;  // How long the command waited for its turn.
  absl::Duration took;    // How long it then ran.
  // As waitpid() gives it, where the command had a process of its own.
  std::optional<int> wait_status;
  std::string detail;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_CONTAINER_H_
