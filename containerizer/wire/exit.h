// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads and makes a Termination, whichever generation of program wrote it.
//
//   Exit exit = ExitOf(termination);
//   if (exit.kind == Exit::Kind::kExited) return exit.number;
//   return absl::StrCat("the task was ", exit.ToString());

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
    kUnknown,   // Nobody saw it, or the number makes no sense.
    kExited,    // It exited; `number` is the exit code, 0 to 255.
    kSignaled,  // A signal ended it; `number` is the signal, 1 to 64.
  };

  Kind kind = Kind::kUnknown;
  int number = 0;

  // For example "exited with code 3", "killed by signal 9 (Killed)" or "ended
  // in an unknown way".
  std::string ToString() const;

  friend bool operator==(const Exit& a, const Exit& b) {
    return a.kind == b.kind && a.number == b.number;
  }
  friend bool operator!=(const Exit& a, const Exit& b) { return !(a == b); }
};

// The meaning of Termination.status. A negative status is a negated signal in
// both conventions: programs in Python send it, as their subprocess module
// does.
enum class ExitConvention {
  kWaitStatus,  // A status as waitpid() gives it. The protocol means this.
  kExitCode,    // A bare exit code, 0 to 255. A few programs send this.
};

// How the container ended, by the convention kWaitStatus. A number that means
// nothing there (a stopped process, 70000) counts as unknown, like no number: a
// program sent it, and programs are not trusted.
Exit ExitOf(const Termination& termination);

// Rewrites `termination.status` from `convention` to kWaitStatus, so that all
// later readers agree. A number that makes no sense is removed.
void NormalizeStatus(ExitConvention convention, Termination& termination);

// Why a container ended, with the most important reason first; empty if that is
// not known. Programs for 0.19 to 0.25 set `killed` when a limit was exceeded,
// without saying which limit. That counts as REASON_CONTAINER_LIMITATION.
std::vector<TaskStatus::Reason> ReasonsOf(const Termination& termination);

// For programs: a Termination that agents of all releases accept. `wait_status`
// is a status as waitpid() gives it. `message` is for people.
Termination MakeTermination(int wait_status, absl::string_view message);

}  // namespace wire
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_EXIT_H_
