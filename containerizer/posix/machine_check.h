// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What this machine lets this process enforce on containers, found by trying.
// Who asks must stand where posix would: same user, same cgroup.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_MACHINE_CHECK_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_MACHINE_CHECK_H_

#include <string>
#include <vector>

namespace external_containerizer {
namespace posix_internal {

struct Finding {
  enum class Level {
    kOk,
    kWarn,  // containers run, without something
    kFail,  // none would
  };

  Level level = Level::kOk;
  std::string subject;  // one or two words
  std::string text;     // what is so, and why
  std::string advice;   // what to do; empty if nothing is to be done
};

// "ok", "warn", "fail".
const char* LevelName(Finding::Level level);

// "warn  memory: limits are not enforced: ... (run as root)". One line. Parts
// that came from elsewhere are escaped.
std::string FindingLine(const Finding& finding);

// Makes cgroups below `cgroup_parent` (PosixProgram::Options) for a moment.
std::vector<Finding> CheckMachine(const std::string& cgroup_parent);

}  // namespace posix_internal

// For agents.
namespace posix {
using posix_internal::CheckMachine;
using posix_internal::Finding;
}  // namespace posix
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_MACHINE_CHECK_H_
