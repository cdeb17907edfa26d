// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Tries what this machine lets this process enforce on containers. The caller
// must be the user that posix would be, and in the same cgroup.
//
//   for (const Finding& finding : CheckMachine("/agents")) {
//     printf("%s\n", FindingLine(finding).c_str());
//   }

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_MACHINE_CHECK_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_MACHINE_CHECK_H_

#include <string>
#include <vector>

namespace external_containerizer {
namespace posix_internal {

struct Finding {
  enum class Level {
    kOk,
    kWarn,  // containers run, and something is not enforced
    kFail,  // no container can run
  };

  Level level = Level::kOk;
  std::string subject;  // one or two words
  std::string text;     // the finding, and its reason
  std::string advice;   // what to do about it; may be empty
};

// "ok", "warn", "fail".
const char* LevelName(Finding::Level level);

// Returns one line without its end, safe for a terminal: "warn  memory: limits
// are not enforced: ... (run as root)".
std::string FindingLine(const Finding& finding);

// Makes cgroups below `cgroup_parent` (PosixOptions) for a moment, and removes
// them. Blocks, at most 2 seconds.
std::vector<Finding> CheckMachine(const std::string& cgroup_parent);

}  // namespace posix_internal

// The names that the agent may use.
namespace posix {
using posix_internal::CheckMachine;
using posix_internal::Finding;
}  // namespace posix
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_MACHINE_CHECK_H_
