// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/wire/exit.h"

#include <string.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace wire {
namespace {

constexpr int kMaxSignal = 64;

// For signals above this one, strsignal() writes to a shared buffer in older C
// libraries.
constexpr int kMaxNamedSignal = 31;

Exit BySignal(int signal) { return Exit{Exit::Kind::kSignaled, signal}; }
Exit WithCode(int code) { return Exit{Exit::Kind::kExited, code}; }

// The macros of <sys/wait.h> find a meaning in every int. The kernel gives only
// these values.
Exit FromWaitStatus(int status) {
  constexpr int kCoreDumped = 0x80;
  if ((status & ~0xff00) == 0) return WithCode(status >> 8);
  const int signal = status & ~kCoreDumped;
  if (signal >= 1 && signal <= kMaxSignal) return BySignal(signal);
  return Exit();
}

}  // namespace

std::string Exit::ToString() const {
  switch (kind) {
    case Kind::kExited:
      return absl::StrCat("exited with code ", number);
    case Kind::kSignaled:
      return absl::StrCat("killed by signal ", number,
                          number >= 1 && number <= kMaxNamedSignal
                              ? absl::StrCat(" (", strsignal(number), ")")
                              : "");
    case Kind::kUnknown:
      break;
  }
  return "ended in an unknown way";
}

Exit ExitOf(const Termination& termination) {
  if (!termination.has_status()) return Exit();
  const int status = termination.status();
  if (status < 0) return status >= -kMaxSignal ? BySignal(-status) : Exit();
  return FromWaitStatus(status);
}

void NormalizeStatus(ExitConvention convention, Termination& termination) {
  if (convention == ExitConvention::kWaitStatus) return;
  if (!termination.has_status()) return;
  const int status = termination.status();
  if (status >= 0 && status <= 255) {
    termination.set_status(status << 8);
  } else if (status < 0 && status >= -kMaxSignal) {
    termination.set_status(-status);
  } else {
    termination.clear_status();
  }
}

std::vector<TaskStatus::Reason> ReasonsOf(const Termination& termination) {
  std::vector<TaskStatus::Reason> reasons;
  for (int reason : termination.reasons()) {
    reasons.push_back(static_cast<TaskStatus::Reason>(reason));
  }
  if (reasons.empty() && termination.killed()) {
    reasons.push_back(TaskStatus::REASON_CONTAINER_LIMITATION);
  }
  return reasons;
}

Termination MakeTermination(int wait_status, absl::string_view message) {
  Termination termination;
  termination.set_killed(false);
  termination.set_message(std::string(message));
  termination.set_status(wait_status);
  return termination;
}

}  // namespace wire
}  // namespace external_containerizer
