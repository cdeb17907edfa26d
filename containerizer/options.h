// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How a Containerizer behaves. The defaults suit an agent.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_OPTIONS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_OPTIONS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// How long a command may take, counted from when it may run. `wait` may take
// for ever. Image pulls happen inside `launch`.
struct Timeouts {
  absl::Duration launch = absl::Minutes(10);
  absl::Duration update = absl::Minutes(1);
  absl::Duration usage = absl::Seconds(15);
  absl::Duration destroy = absl::Minutes(2);
  absl::Duration containers = absl::Seconds(30);
  absl::Duration recover = absl::Minutes(2);

  absl::Duration Of(Command command) const;
};

// What Lifecycle goes by.
struct LifecycleOptions {
  // Commands at once. `destroy` has one place more, `containers` and `recover`
  // together another one, and `wait` needs none.
  size_t max_commands = 32;
  // `wait` commands at once; the transport may hold fewer.
  size_t max_waits = 1 << 20;
  // Calls that have not returned: of one container, and of all.
  size_t max_calls_per_container = 256;
  size_t max_calls = 100000;
  // Containers that are held, in any state.
  size_t max_containers = 100000;
  // Containers that ended and were not destroyed by the caller; beyond, the
  // oldest is destroyed.
  size_t max_ended = 1024;
  // Orphans that are destroyed at once during recovery.
  size_t max_orphans_at_once = 16;

  // Destroy() during a launch lets it finish for this long, then cancels it.
  absl::Duration launch_grace = absl::Seconds(5);
  // After `destroy`, how long `wait` has to deliver the true Termination.
  absl::Duration wait_grace = absl::Seconds(3);
  // At recovery, how long `wait` has to deny a container that is not listed.
  absl::Duration unlisted_grace = absl::Seconds(2);
  // A launch, update or destroy of unknown outcome may be at work for this long
  // after it was given up; while it may, its container's id is not used again.
  absl::Duration unknown_grace = absl::Minutes(1);
  // A `wait` that ran for this long counts as the first attempt again.
  absl::Duration wait_stable = absl::Minutes(1);

  // How often a command is tried in all before its failure counts. `destroy`:
  // whatever the failure; others: only if it is worth another try (outcome
  // unknown, or UNAVAILABLE). `launch` is never repeated.
  int max_attempts = 4;
  // The same for `wait`, whatever the failure. More, because what follows is
  // `destroy`: a program whose runtime restarts must not lose its containers.
  // A `wait` that could not be started does not count: it is tried for ever,
  // and reported (ContainerEvent::Kind::kTrouble).
  int max_wait_attempts = 9;
  // Wait() fails once `wait` could not be started so often in a row, with the
  // last reason. The container is still held; call Wait() again.
  int max_waits_not_started = 7;
  // Before the second attempt; doubles from one to the next, up to 30 s.
  absl::Duration retry_delay = absl::Milliseconds(200);

  OrphanPolicy orphans = OrphanPolicy::kOwn;
};

// What the variables of the protocol are made from (environment.h).
struct EnvironmentOptions {
  std::string libexec_directory;  // MESOS_LIBEXEC_DIRECTORY
  std::string work_directory;     // MESOS_WORK_DIRECTORY; tells agents apart.
  std::string agent_endpoint;     // "ip:port"; empty: not sent.
  std::string libprocess_ip;      // Empty: not sent.
  std::string default_container_image;  // Empty: not sent.
  std::string hadoop_home;              // Empty: not sent.
  std::string native_library;           // MESOS_NATIVE_LIBRARY; ditto.
  Environment executor_environment;     // --executor_environment_variables
  bool http_command_executor = false;
  absl::Duration executor_shutdown_grace_period = absl::Seconds(5);
  absl::Duration recovery_timeout = absl::Minutes(15);
};

struct Options {
  Timeouts timeouts;
  LifecycleOptions lifecycle;
  EnvironmentOptions environment;
  // What the program means by Termination.status. Whatever it is, callers get a
  // waitpid() status.
  wire::ExitConvention exits = wire::ExitConvention::kWaitStatus;
  // Called on the loop's thread; must return soon and must not throw.
  std::function<void(const ContainerEvent&)> on_event;
};

// INVALID_ARGUMENT, naming the option, if a bound is zero or a time negative.
absl::Status Validate(const Options& options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_OPTIONS_H_
