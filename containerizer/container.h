// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What callers say of containers, and what is said to them.

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

// Fit to be a file name and an argument; wire/validate.h says what that is.
using ContainerId = std::string;

// All of a container's resources, never a difference.
using Resources = std::vector<wire::Resource>;

struct LaunchRequest {
  ContainerId id;
  // Only for a task that brings no executor of its own (protocol: `task_info`).
  std::optional<wire::TaskInfo> task;
  // Always sent. Its resources are to include the first task's.
  wire::ExecutorInfo executor;
  // Must exist. The container's files; every later command runs in it.
  Sandbox sandbox;
  // The user to run as, for the program; unset: the agent's.
  std::optional<std::string> user;
  std::string agent_id;   // MESOS_SLAVE_ID; may be empty.
  std::string agent_pid;  // "slave(1)@ip:port"; may be empty.
  // The framework asked for recovery of its executors (MESOS_CHECKPOINT).
  bool checkpoint = false;
};

// What an agent that starts knows of a container from an earlier life.
struct KnownContainer {
  enum class State {
    kRunning,         // Launch() had returned OK, and no exit was seen.
    kUnacknowledged,  // Launch() had been called and had not returned OK.
    kCompleted,       // Its exit was seen and recorded.
  };

  ContainerId id;
  State state = State::kRunning;
  std::optional<Sandbox> sandbox;
};

// What Recover() does with containers that the program lists and that this
// agent does not hold as running.
enum class OrphanPolicy {
  // Destroy those that `known` names as completed; leave all others alone.
  // Programs list containers of other agents, too (D30).
  kOwn,
  // Destroy all of them. Kills what other agents on the machine run (Mesos).
  kAll,
  // Touch none, but enter all of them, so that Destroy() works on them.
  kReport,
};

absl::string_view OrphanPolicyName(OrphanPolicy policy);

struct RecoverySummary {
  std::vector<ContainerId> recovered;  // Held as running, or ended, again.
  std::vector<ContainerId> lost;       // Known as running, gone meanwhile.
  std::vector<ContainerId> destroyed;  // Orphans, and unacknowledged launches.
  std::vector<ContainerId> surviving;  // Listed, and still there: left alone by
                                       // the policy, or `destroy` failed.
};

// The life of a container, as the agent sees it.
//
//   launching ──▶ running ──▶ ended        ended: the program still holds it
//       │            │          │
//       └────────────┴──────────┴──▶ destroying ──▶ gone
enum class ContainerState { kLaunching, kRunning, kEnded, kDestroying, kGone };

absl::string_view ContainerStateName(ContainerState state);

// Something that an operator may want to see.
struct ContainerEvent {
  enum class Kind {
    kCommandStarted,  // `command` was handed to the transport.
    kCommandEnded,    // It is over: `status`, `queued`, `took`; `detail`:
                      // an oddity of its answer that does no harm.
    kStateChanged,    // `state`; `detail` says why, `status` of what error.
    kNotice,          // `detail`, e.g. a retry, or an ended one dropped.
    // `command` about the container begins to fail, for the reason `status`;
    // it is tried again. Each later failure is a kNotice. With status OK: the
    // trouble is over. A container that is gone has none.
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
