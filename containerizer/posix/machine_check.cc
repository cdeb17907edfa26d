// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/machine_check.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"
#include "external_containerizer/containerizer/posix/cgroup_limits.h"
#include "external_containerizer/containerizer/posix/cgroup_version.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/task_user.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using Level = Finding::Level;

constexpr absl::Duration kRemoveTime = absl::Seconds(2);
// A process that waits needs two descriptors for a container.
constexpr rlim_t kFewDescriptors = 1024;

const struct {
  const char* controller;
  const char* subject;
  const char* what;
} kLimits[] = {{"memory", "memory limits", "mem"},
               {"cpu", "cpu limits", "cpus"},
               {"pids", "process limits", "--pids_max of posix"}};

std::string Advice() {
  return geteuid() == 0
             ? "needs cgroups that are mounted writable, or a delegated one "
               "(posix --cgroup_parent)"
             : "run it as root, or give this user a cgroup (posix "
               "--cgroup_parent)";
}

void CheckCgroups(const std::string& parent, std::vector<Finding>& findings) {
  CgroupPlan plan = PlanCgroups(FindCgroupHierarchies(), parent,
                                NewCgroupName("check"), /*want_pids=*/true);
  MakeCgroups(plan);
  CgroupLimits limits;
  limits.memory_bytes = 64 << 20;
  limits.cpus = 0.5;
  limits.pids = 100;
  for (const auto& limit : kLimits) {
    const ContainerCgroup* const found =
        CgroupWith(plan.cgroups, limit.controller);
    if (found == nullptr) {
      findings.push_back({Level::kWarn, limit.subject,
                          absl::StrCat(limit.what, " is not enforced: ",
                                       plan.missing[limit.controller]),
                          Advice()});
      continue;
    }
    ContainerCgroup alone = *found;
    alone.clear_controllers();
    alone.add_controllers(limit.controller);
    if (absl::Status set = SetCgroupLimits({alone}, limits); !set.ok()) {
      findings.push_back(
          {Level::kWarn, limit.subject,
           absl::StrCat(limit.what, " is not enforced: ", set.message()), ""});
      continue;
    }
    findings.push_back(
        {Level::kOk, limit.subject,
         absl::StrCat(limit.what, " is enforced, by cgroups of version ",
                      CgroupVersion::Of(*found).number(), " below ",
                      found->path().substr(0, found->path().rfind('/'))),
         ""});
  }
  if (plan.cgroups.empty()) {
    findings.push_back(
        {Level::kWarn, "ending all",
         "what hides from its parents and clears its environment is not found "
         "once posix's supervisor was killed: no cgroup can be made",
         Advice()});
  } else {
    findings.push_back(
        {Level::kOk, "ending all",
         "a destroyed container's processes are found by its cgroup", ""});
  }
  if (absl::Status removed = RemoveCgroups(plan.cgroups, kRemoveTime);
      !removed.ok()) {
    findings.push_back(
        {Level::kWarn, "cgroups", std::string(removed.message()), ""});
  }
}

Finding CheckUsers() {
  if (MayBecomeOthers()) {
    return {Level::kOk, "users", "tasks can run as other users", ""};
  }
  return {Level::kWarn, "users",
          absl::StrCat("tasks run as this user only (uid ", geteuid(),
                       "), which may not become another"),
          "run it as root to use --user"};
}

Finding CheckPidfds() {
  if (!ReadProcStat(getpid()).has_value()) {
    return {Level::kFail, "processes", "/proc shows no processes",
            "mount it: mount -t proc proc /proc"};
  }
  const UniqueFd fd = OpenPidfd(getpid());
  if (!fd.valid()) {
    return {Level::kFail, "processes",
            absl::StrCat("there are no pidfds: ", strerror(errno)),
            "needs Linux 5.3, and a seccomp filter that lets them through"};
  }
  return {Level::kOk, "processes", "are watched and signalled by pidfd", ""};
}

Finding CheckBootId() {
  if (!BootId().empty()) {
    return {Level::kOk, "boot id", "tells processes of other boots apart", ""};
  }
  return {Level::kFail, "boot id",
          "/proc/sys/kernel/random/boot_id cannot be read, so that processes "
          "of other boots cannot be told apart",
          "make /proc/sys visible"};
}

Finding CheckDescriptors() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  Finding finding;
  finding.subject = "descriptors";
  finding.text = absl::StrFormat("%u may be open at once, at most %u",
                                 limit.rlim_cur, limit.rlim_max);
  if (limit.rlim_max <= kFewDescriptors) {
    finding.level = Level::kWarn;
    finding.text += absl::StrCat(", which bounds the number of containers");
    finding.advice = "raise the hard limit (ulimit -Hn)";
  }
  return finding;
}

}  // namespace

const char* LevelName(Finding::Level level) {
  return level == Level::kOk ? "ok" : level == Level::kWarn ? "warn" : "fail";
}

std::string FindingLine(const Finding& finding) {
  const std::string line = absl::StrCat(
      absl::StrFormat("%-4s  ", LevelName(finding.level)), finding.subject,
      ": ", finding.text,
      finding.advice.empty() ? "" : absl::StrCat(" (", finding.advice, ")"));
  std::string escaped;
  for (const char c : line) {
    const bool plain = c >= ' ' && c < 0x7f;
    escaped +=
        plain ? std::string(1, c) : absl::CHexEscape(absl::string_view(&c, 1));
  }
  return escaped;
}

std::vector<Finding> CheckMachine(const std::string& cgroup_parent) {
  std::vector<Finding> findings = {CheckPidfds(), CheckBootId()};
  CheckCgroups(cgroup_parent, findings);
  findings.push_back(CheckUsers());
  findings.push_back(CheckDescriptors());
  return findings;
}

}  // namespace posix_internal
}  // namespace external_containerizer
