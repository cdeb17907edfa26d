// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What a Termination says, whichever generation of program wrote it.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_EXIT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_EXIT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"

namespace external_containerizer {
namespace wire {

// How a container's process ended.
struct Exit {
  enum class Kind {
    kUnknown,   // nobody saw it, or the number makes no sense
    kExited,    // by itself; `number` is the exit code, 0 to 255
    kSignaled,  // `number` is the signal, 1 to 64
  };

  Kind kind = Kind::kUnknown;
  int number = 0;

  // "exited with code 3", "killed by signal 9 (Killed)", "ended in an unknown
  // way".
  std::string ToString() const;

  friend bool operator==(const Exit& a, const Exit& b) {
    return a.kind == b.kind && a.number == b.number;
  }
  friend bool operator!=(const Exit& a, const Exit& b) { return !(a == b); }
};

// How to read Termination.status. A negative one is a negated signal in both:
// programs in Python send what its subprocess module calls the return code.
enum class ExitConvention {
  kWaitStatus,  // as waitpid() gives it; what the protocol means
  kExitCode,    // a bare exit code, 0 to 255; what some programs send
};

// A number that the convention does not know (a stopped process, 70000) is as
// unknown as none: it comes from a program and is not to be trusted.
Exit ExitOf(const Termination& termination,
            ExitConvention convention = ExitConvention::kWaitStatus);

// Rewrites `termination.status` as what waitpid() gives, so that all who read
// it later agree. A number that makes no sense is removed.
void NormalizeStatus(ExitConvention convention, Termination& termination);

// Why a container ended, the most important reason first; empty if nothing is
// known. `killed`, with which programs for 0.19 to 0.25 say that a limit was
// exceeded, but not which, counts as REASON_CONTAINER_LIMITATION.
std::vector<TaskStatus::Reason> ReasonsOf(const Termination& termination);

// For a program: the Termination that agents of all releases accept.
// `wait_status` is as waitpid() gives it. `message` is for people.
Termination MakeTermination(int wait_status, absl::string_view message);

}  // namespace wire
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_EXIT_H_
