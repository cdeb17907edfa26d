// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The floor of the fork/exec transport: commands as a careful C programmer
// would run them who needs nothing else. posix_spawn, three pipes, a record
// in, a record out, reap. No sandbox, no session, no deadline, no bounds.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_COMMANDS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_COMMANDS_H_

#include <string>

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

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_COMMANDS_H_
