// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The floor of the fork/exec transport: commands as a careful C programmer
// would run them. It has posix_spawn, three pipes, a record in, a record out,
// and waitpid. It has no sandbox, no session, no deadline and no bounds.
//
//   absl::StatusOr<absl::Duration> floor =
//       BareTimePerCall(program, 1000, 4, BareSession::kOurs);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_COMMANDS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_COMMANDS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace external_containerizer {

enum class BareSession { kOurs, kItsOwn };

// The time per call of `calls` usage commands of `program`, with `at_once` of
// them at a time. Each of `at_once` threads runs one command after another. (On
// two processors, this is as fast as one thread that polls all commands if the
// machine is idle, and twice as fast if it is not.)
absl::StatusOr<absl::Duration> BareTimePerCall(const std::string& program,
                                               int calls, int at_once,
                                               BareSession session);

// Runs a number of `wait` commands of `program`. For each of them this process
// holds what an agent must hold: the pipe for the answer, and a pidfd. The
// destructor ends them all.
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
