// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The floor of the fork/exec transport: commands as a careful C programmer
// would run them who needs nothing else. posix_spawn, three pipes, a record
// in, a record out, reap. No sandbox, no session, no deadline, no bounds.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_COMMANDS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_COMMANDS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace external_containerizer {

enum class BareSession { kOurs, kItsOwn };

// Time per call of `calls` usage commands of `program`, with `at_once` of them
// running all the time: as many threads, each of which runs one after the
// other. (Measured on two processors, that is as fast as one thread that polls
// them all where the machine is idle, and twice as fast where it is not.)
absl::StatusOr<absl::Duration> BareTimePerCall(const std::string& program,
                                               int calls, int at_once,
                                               BareSession session);

// Runs so many `wait` commands of `program`, of each of which this process
// holds what an agent has to hold: the pipe that it will answer on, and a
// pidfd. Ends them all at the end of its life.
class BareWaits {
 public:
  BareWaits(const std::string& program, int count);
  BareWaits(const BareWaits&) = delete;
  BareWaits& operator=(const BareWaits&) = delete;
  ~BareWaits();

  bool ok() const { return ok_; }

 private:
  struct Wait {
    pid_t pid;
    int stdout_fd, pidfd;
  };
  std::vector<Wait> waits_;
  bool ok_ = true;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_COMMANDS_H_
