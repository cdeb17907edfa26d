// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/posix_flags.h"

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

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

// Each returns whether it understands the value.

bool Grace(const std::string& value, Options& options) {
  return absl::ParseDuration(value, &options.grace) &&
         options.grace >= absl::ZeroDuration();
}

bool ParseSwitch(const std::string& value, bool& on) {
  on = value.empty() || value == "yes" || value == "true";
  return on || value == "no" || value == "false";
}

bool Cgroups(const std::string& value, Options& options) {
  return ParseSwitch(value, options.cgroups);
}

bool CgroupParent(const std::string& value, Options& options) {
  options.cgroup_parent = value;
  if (!absl::StartsWith(value, "/")) return false;
  for (const absl::string_view part : absl::StrSplit(value, '/')) {
    if (part == "..") return false;
  }
  return true;
}

bool CpuQuota(const std::string& value, Options& options) {
  return ParseSwitch(value, options.cpu_quota);
}

bool PidsMax(const std::string& value, Options& options) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(value, &number) || number == 0) return false;
  options.pids_max = number;
  return true;
}

bool RequireLimits(const std::string& value, Options& options) {
  return ParseSwitch(value, options.require_limits);
}

bool NoNewPrivileges(const std::string& value, Options& options) {
  return ParseSwitch(value, options.no_new_privileges);
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

const struct {
  const char* name;
  bool is_switch;  // without "=" it is "yes"
  const char* form;
  bool (*parse)(const std::string& value, Options& options);
  const char* help;  // lines of at most 56 columns
} kFlags[] = {
    {"grace", false, "3s", Grace,
     "between SIGTERM and SIGKILL, when it destroys a\ncontainer"},
    {"cpu_quota", true, "yes|no", CpuQuota,
     "whether the resource cpus is a maximum (default), or\nonly a share of a "
     "busy machine"},
    {"pids_max", false, "N", PidsMax,
     "the most processes and threads of one container"},
    {"require_limits", true, "yes|no", RequireLimits,
     "whether a launch or an update fails whose limits (mem,\ncpus, "
     "--pids_max) cannot be enforced; default: it runs\nwithout them, and "
     "usage "
     "does not show them"},
    {"cgroups", true, "yes|no", Cgroups,
     "whether to make cgroups, without which nothing is\nenforced"},
    {"cgroup_parent", false, "/PATH", CgroupParent,
     "the cgroup to make them in, as /proc/PID/cgroup\nnames it; default: its "
     "own"},
    {"rlimit", false, "NAME=SOFT[:HARD]", Rlimit,
     "a resource limit of tasks (setrlimit): as, core, cpu,\ndata, fsize, "
     "memlock, nofile, nproc or stack, in its\nunit or \"unlimited\"; as often "
     "as needed"},
    {"no_new_privileges", true, "yes|no", NoNewPrivileges,
     "whether setuid programs give tasks nothing"},
};

}  // namespace

absl::StatusOr<PosixFlags> ParsePosixFlags(
    const std::vector<std::string>& arguments) {
  PosixFlags flags;
  for (const std::string& argument : arguments) {
    if (!absl::StartsWith(argument, "--") || argument == "--help" ||
        argument == "--version") {
      break;
    }
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(argument.substr(2), absl::MaxSplits('=', 1));
    bool known = false;
    for (const auto& flag : kFlags) {
      if (parts.first != flag.name) continue;
      known = true;
      const bool has_value = argument.find('=') != std::string::npos;
      if ((!has_value && !flag.is_switch) ||
          (has_value && parts.second.empty()) ||
          !flag.parse(parts.second, flags.options)) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", flag.name, " needs to be like --", flag.name,
                         "=", flag.form));
      }
    }
    if (!known) {
      return absl::InvalidArgumentError(absl::StrCat(
          "there is no option ", absl::CHexEscape(argument.substr(0, 100)),
          "; --help lists them"));
    }
    ++flags.count;
  }
  return flags;
}

std::string PosixHelp() {
  std::string text =
      "\nposix runs containers as plain processes; `posix doctor` says what it "
      "can\nenforce here. Options, before COMMAND:\n";
  for (const auto& flag : kFlags) {
    absl::StrAppend(&text, "  --", flag.name, "=", flag.form, "\n");
    for (const absl::string_view line : absl::StrSplit(flag.help, '\n')) {
      absl::StrAppend(&text, "      ", line, "\n");
    }
  }
  return text;
}

}  // namespace posix_internal
}  // namespace external_containerizer
