// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/posix_flags.h"

#include <sys/resource.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using Options = PosixOptions;

const struct {
  const char* name;
  int resource;
} kResources[] = {
    {"as", RLIMIT_AS},         {"core", RLIMIT_CORE},
    {"cpu", RLIMIT_CPU},       {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},   {"memlock", RLIMIT_MEMLOCK},
    {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},
    {"stack", RLIMIT_STACK},
};

// These functions return whether they understand the value.

bool Grace(const std::string& value, Options& options) {
  return absl::ParseDuration(value, &options.grace) &&
         options.grace >= absl::ZeroDuration();
}

bool CgroupParent(const std::string& value, Options& options) {
  options.cgroup_parent = value;
  if (!absl::StartsWith(value, "/")) return false;
  for (const absl::string_view part : absl::StrSplit(value, '/')) {
    if (part == "..") return false;
  }
  return true;
}

bool PidsMax(const std::string& value, Options& options) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(value, &number) || number == 0) return false;
  options.pids_max = number;
  return true;
}

bool ParseLimit(absl::string_view text, rlim_t& limit) {
  limit = RLIM_INFINITY;
  return text == "unlimited" || absl::SimpleAtoi(text, &limit);
}

// "nofile=1024" or "nofile=1024:4096".
bool Rlimit(const std::string& value, Options& options) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(value, absl::MaxSplits('=', 1));
  const std::vector<absl::string_view> numbers =
      absl::StrSplit(parts.second, ':');
  rlim_t soft = 0;
  rlim_t hard = 0;
  if (numbers.empty() || numbers.size() > 2 ||
      !ParseLimit(numbers.front(), soft) || !ParseLimit(numbers.back(), hard) ||
      soft > hard) {
    return false;
  }
  for (const auto& resource : kResources) {
    if (parts.first != resource.name) continue;
    ResourceLimit& limit = options.rlimits.emplace_back();
    limit.set_resource(resource.resource);
    limit.set_soft(soft);
    limit.set_hard(hard);
    return true;
  }
  return false;
}

template <bool Options::*option>
bool Switch(const std::string& value, Options& options) {
  options.*option = value == "true" || value == "yes";  // as Flags::On()
  return true;
}

struct PosixFlag {
  Flag flag;
  bool (*parse)(const std::string& value, Options& options);
};

const std::vector<PosixFlag>& AllFlags() {
  static const auto& flags = *new std::vector<PosixFlag>{
      {{"grace", "3s",
        "Between SIGTERM and SIGKILL, when it destroys a container."},
       Grace},
      {{"pids_max", "N", "The most processes and threads of one container."},
       PidsMax},
      {{"cgroup_parent", "/PATH",
        "The cgroup to make them in, as /proc/PID/cgroup names it; default: "
        "its own."},
       CgroupParent},
      {{"rlimit", "NAME=SOFT[:HARD]",
        "A resource limit of tasks (setrlimit): as, core, cpu, data, fsize, "
        "memlock, nofile, nproc or stack, in its unit or \"unlimited\"; as "
        "often as needed."},
       Rlimit},
      {{"cpu_quota", "",
        "=no: the resource cpus is only a share of a busy machine. Default: "
        "it is a maximum, too."},
       Switch<&Options::cpu_quota>},
      {{"require_limits", "",
        "A launch or an update fails whose limits (mem, cpus, --pids_max) "
        "cannot be enforced. Default: it runs without them, and usage does "
        "not show them."},
       Switch<&Options::require_limits>},
      {{"cgroups", "",
        "=no: make no cgroups, without which nothing is enforced."},
       Switch<&Options::cgroups>},
      {{"no_new_privileges", "", "Setuid programs give tasks nothing."},
       Switch<&Options::no_new_privileges>}};
  return flags;
}

std::vector<Flag> Known() {
  std::vector<Flag> known;
  for (const PosixFlag& flag : AllFlags()) known.push_back(flag.flag);
  return known;
}

}  // namespace

absl::StatusOr<PosixFlags> ParsePosixFlags(
    const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> given = Flags::Parse(Known(), arguments);
  if (!given.ok()) return given.status();
  PosixFlags flags;
  for (const PosixFlag& known : AllFlags()) {
    const Flag& flag = known.flag;
    for (const std::string& value : given->Values(flag.name)) {
      if (known.parse(value, flags.options)) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "--", flag.name, " needs to be like --", flag.name, "=", flag.value));
    }
  }
  flags.rest = given->rest();
  if (given->On("help")) flags.rest = {"--help"};
  return flags;
}

std::string PosixHelp() {
  return absl::StrCat(
      "\nposix runs containers as plain processes; `posix doctor` says what it "
      "can\nenforce here. Options, before COMMAND:\n",
      HelpOn(Known()));
}

}  // namespace posix_internal
}  // namespace external_containerizer
