// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How a Containerizer behaves. The defaults suit an agent.
//
//   Options options;
//   options.environment.work_directory = "/var/lib/my_agent";
//   options.timeouts.launch = absl::Hours(1);

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

// How long a command may take, from the moment at which it may run. `wait` may
// take for ever. Programs pull images inside `launch`.
struct Timeouts {
  absl::Duration launch = absl::Minutes(10);
  absl::Duration update = absl::Minutes(1);
  absl::Duration usage = absl::Seconds(15);
  absl::Duration destroy = absl::Minutes(2);
  absl::Duration containers = absl::Seconds(30);
  absl::Duration recover = absl::Minutes(2);

  absl::Duration Of(Command command) const;
};

// Bounds and times of the life of containers.
struct LifecycleOptions {
  // Commands at once. `destroy` has one place more, `containers` and `recover`
  // share another one, and `wait` needs none.
  size_t max_commands = 32;
  // `wait` commands at once. A transport may allow fewer.
  size_t max_waits = 1 << 20;
  // Calls that have not returned: for one container, and for all of them.
  size_t max_calls_per_container = 256;
  size_t max_calls = 100000;
  // Containers that are held, in any state.
  size_t max_containers = 100000;
  // Containers that have ended and that nobody has destroyed. The oldest is
  // destroyed when one more ends.
  size_t max_ended = 1024;
  // Orphans that are destroyed at once during recovery.
  size_t max_orphans_at_once = 16;

  // A launch has this long to finish after Destroy(); then it is cancelled.
  absl::Duration launch_grace = absl::Seconds(5);
  // `wait` has this long to deliver the true Termination after `destroy`.
  absl::Duration wait_grace = absl::Seconds(3);
  // `wait` has this long, at recovery, to deny a container that is not listed.
  absl::Duration unlisted_grace = absl::Seconds(2);
  // A launch, update or destroy of unknown outcome may go on for this long
  // after it was given up. Its container's id cannot be used again until then.
  absl::Duration unknown_grace = absl::Minutes(1);
  // A `wait` that ran for this long counts as the first attempt again.
  absl::Duration wait_stable = absl::Minutes(1);

  // A command fails after so many tries. `destroy` is repeated after any
  // failure, `launch` never, and others if the outcome is unknown or
  // UNAVAILABLE.
  int max_attempts = 4;
  // The same for `wait`, after any failure. There are more tries, because
  // `destroy` follows: a program whose runtime restarts must not lose its
  // containers. A `wait` that could not be started does not count. It is tried
  // for ever, and reported (ContainerEvent::Kind::kTrouble).
  int max_wait_attempts = 9;
  // Wait() fails, with the last reason, when `wait` could not be started so
  // often in a row. The container is still held, and Wait() may be called
  // again.
  int max_waits_not_started = 7;
  // The time before the second try. It doubles with each try, up to 30 s.
  absl::Duration retry_delay = absl::Milliseconds(200);

  OrphanPolicy orphans = OrphanPolicy::kOwn;
};

// Values for the variables of the protocol (environment.h).
struct EnvironmentOptions {
  std::string libexec_directory;  // MESOS_LIBEXEC_DIRECTORY
  std::string work_directory;     // MESOS_WORK_DIRECTORY; tells agents apart.
  // More variables for `launch`, for example LIBPROCESS_IP, HADOOP_HOME,
  // MESOS_AGENT_ENDPOINT or MESOS_NATIVE_LIBRARY. The protocol's own ones win.
  Environment executor_environment;
  bool http_command_executor = false;
  absl::Duration executor_shutdown_grace_period = absl::Seconds(5);
  absl::Duration recovery_timeout = absl::Minutes(15);
};

struct Options {
  Timeouts timeouts;
  LifecycleOptions lifecycle;
  EnvironmentOptions environment;
  // How the program writes Termination.status. Callers always get a status as
  // waitpid() gives it.
  wire::ExitConvention exits = wire::ExitConvention::kWaitStatus;
  // Called on the Containerizer's thread; must return soon.
  std::function<void(const ContainerEvent&)> on_event;
};

// INVALID_ARGUMENT, naming the option, if a bound is zero or a time negative.
absl::Status Validate(const Options& options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_OPTIONS_H_
