// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/transport/linux/checksum.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// The controllers that are used.
constexpr const char* kControllers[] = {"memory", "cpu", "cpuacct", "pids"};

constexpr size_t kMaxPath = 2048;
constexpr size_t kMaxProcs = 4 << 20;  // half a million processes
// Bounds of one walk through the cgroups below a container's.
constexpr size_t kMaxCgroups = 1 << 16;
constexpr absl::Duration kMaxWalk = absl::Seconds(2);
constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(50);

bool Has(const std::vector<std::string>& list, absl::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string Directory(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

UniqueFd OpenCgroup(int above, const std::string& name) {
  return UniqueFd(openat(above, name.c_str(),
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Returns the names of at most `most` cgroups in it, and takes their number off
// `most`.
std::vector<std::string> CgroupsIn(const UniqueFd& cgroup, size_t& most) {
  const auto names = NamesIn(cgroup.get(), ".", most, DT_DIR)
                         .value_or(std::vector<std::string>());
  most -= names.size();
  return names;
}

// Calls `visit` with each cgroup below, and then with the cgroup itself: with
// the directory above it and its name there. A task may have made any number of
// cgroups, nested deeper than a path can be. So the walk ends after kMaxWalk,
// without the cgroup itself, and has one directory open at a time.
template <typename Visit>
void ForEachCgroup(const std::string& path, const Visit& visit) {
  struct Level {
    std::string name;
    std::vector<std::string> below;
  };
  const Deadline deadline(kMaxWalk);
  size_t most = kMaxCgroups;
  UniqueFd current = OpenCgroup(AT_FDCWD, path);
  std::vector<Level> levels = {{path, CgroupsIn(current, most)}};
  while (!deadline.Expired()) {
    if (std::vector<std::string>& below = levels.back().below; !below.empty()) {
      std::string name = std::move(below.back());
      below.pop_back();
      UniqueFd next = OpenCgroup(current.get(), name);
      if (!next.valid()) continue;  // gone
      current = std::move(next);
      levels.push_back({std::move(name), CgroupsIn(current, most)});
      continue;
    }
    const std::string name = std::move(levels.back().name);
    levels.pop_back();
    if (levels.empty()) return visit(AT_FDCWD, name);
    current = OpenCgroup(current.get(), "..");
    if (!current.valid()) return;
    visit(current.get(), name);
  }
}

std::string ProcsFile(int above, const std::string& name) {
  return absl::StrCat(
      above == AT_FDCWD ? "" : absl::StrCat("/proc/self/fd/", above, "/"), name,
      "/cgroup.procs");
}

std::vector<std::string> PidsIn(const std::string& file) {
  return WordsOf(ReadSmallFile(file, kMaxProcs).value_or(""));
}

// Kills the processes in a list. `name` is in the paths of the container's
// cgroup and of those below it, and in no other path.
void KillPidsIn(const std::string& file, const std::string& name) {
  for (const std::string& process : PidsIn(file)) {
    int pid = 0;
    if (!absl::SimpleAtoi(process, &pid) || pid <= 0) continue;
    const UniqueFd fd = OpenPidfd(pid);
    if (!fd.valid()) continue;
    // The process may have ended before the pidfd was opened, and another may
    // have its pid; so its cgroup is looked at again. A few kernels do not show
    // a path that is too long.
    const std::optional<std::string> cgroups =
        ReadSmallFile(absl::StrCat("/proc/", pid, "/cgroup"));
    if (cgroups.has_value() ? absl::StrContains(*cgroups, name)
                            : Has(PidsIn(file), process)) {
      SendSignal(fd.get(), SIGKILL);
    }
  }
}

bool IsPopulated(const ContainerCgroup& cgroup) {
  const std::optional<bool> known =
      CgroupVersion::Of(cgroup).IsPopulated(cgroup.path());
  if (known.has_value()) return *known;
  bool populated = false;
  auto look = [&populated](int above, const std::string& name) {
    const std::optional<std::string> procs =
        ReadSmallFile(ProcsFile(above, name), 1);
    if (procs.has_value() && !procs->empty()) populated = true;
  };
  look(AT_FDCWD, cgroup.path());
  if (!populated) ForEachCgroup(cgroup.path(), look);
  return populated;
}

bool IsRemoved(const std::string& path) {
  if (rmdir(path.c_str()) == 0) return true;
  // On a read-only mount rmdir() fails with EROFS, also if there is no cgroup.
  const int error = errno;
  if (error == ENOENT || error == ENOTDIR) return true;
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return true;
  errno = error;
  return false;
}

// Pauses that double from one to the next.
class Pauses {
 public:
  explicit Pauses(absl::Duration timeout) : deadline_(timeout) {}

  // False if there is no time left.
  bool Pause() {
    if (deadline_.Expired()) return false;
    absl::SleepFor(pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
    return true;
  }

 private:
  const Deadline deadline_;
  absl::Duration pause_ = kFirstPause;
};

}  // namespace

CgroupPlan PlanCgroups(const std::vector<CgroupHierarchy>& hierarchies,
                       const std::string& parent, const std::string& name,
                       bool want_pids) {
  CgroupPlan plan;
  ContainerCgroups first;  // version 1
  for (const char* controller : kControllers) {
    plan.missing[controller] =
        hierarchies.empty()
            ? "this process sees no cgroups"
            : "no hierarchy of cgroups that it sees has the controller";
  }
  bool has_unified = false;
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    const std::optional<std::string> above =
        CgroupPath(hierarchy, parent.empty() ? hierarchy.own : parent);
    std::string why;
    if (!above.has_value()) {
      why = absl::StrCat("the cgroup ", parent, " is not below ",
                         hierarchy.mount_point);
    } else if (!hierarchy.writable) {
      why = absl::StrCat(hierarchy.mount_point, " is mounted read-only");
    } else if (above->size() + name.size() > kMaxPath) {
      why = "its path is too long";
    }
    ContainerCgroup cgroup;
    cgroup.set_unified(hierarchy.unified);
    std::vector<std::string> offered = hierarchy.controllers;
    std::string not_offered;
    if (above.has_value()) {
      absl::StatusOr<std::vector<std::string>> below =
          CgroupVersion::Of(cgroup).ControllersBelow(*above, offered);
      if (below.ok()) {
        not_offered = absl::StrCat("the cgroup ", *above, " was not given it");
        offered = *std::move(below);
      } else {
        not_offered = std::string(below.status().message());
      }
    }
    for (const char* controller : kControllers) {
      if (!Has(offered, controller)) {
        const auto missing = plan.missing.find(controller);
        // A hierarchy of version 1 names all controllers that it has.
        if (missing != plan.missing.end() && hierarchy.controllers.empty() &&
            !not_offered.empty()) {
          missing->second = not_offered;
        }
        continue;
      }
      if (why.empty()) {
        cgroup.add_controllers(controller);
        plan.missing.erase(controller);
      } else {
        plan.missing[controller] = why;
      }
    }
    if (!why.empty()) continue;
    cgroup.set_path(absl::StrCat(*above, "/", name));
    if (cgroup.unified()) {
      has_unified = true;
      plan.unified_own = CgroupPath(hierarchy, hierarchy.own).value_or("");
      plan.cgroups.push_back(std::move(cgroup));
    } else {
      first.push_back(std::move(cgroup));
    }
  }
  for (ContainerCgroup& cgroup : first) {
    auto use = [&](const char* controller, bool wanted) {
      return wanted && Has(cgroup, controller);
    };
    if (use("memory", true) || use("cpu", true) ||
        use("cpuacct", !has_unified) ||
        use("pids", want_pids || !has_unified)) {
      plan.cgroups.push_back(std::move(cgroup));
    }
  }
  plan.missing.erase("cpuacct");  // /proc counts the time, too
  if (!want_pids) plan.missing.erase("pids");
  return plan;
}

std::string NewCgroupName(const std::string& work_directory) {
  return absl::StrCat("posix-",
                      absl::Hex(Checksum(work_directory), absl::kZeroPad16),
                      "-", RandomName(), RandomName());
}

bool MakeCgroups(CgroupPlan& plan) {
  bool all = true;
  ContainerCgroups made;
  for (ContainerCgroup& cgroup : plan.cgroups) {
    const CgroupVersion& version = CgroupVersion::Of(cgroup);
    const std::string above = Directory(cgroup.path());
    std::string why;
    if (mkdir(cgroup.path().c_str(), 0755) != 0) {
      why = absl::StrCat("cannot make a cgroup in ", above, ": ",
                         strerror(errno));
    } else {
      why = version.WhyNoneCanJoin(plan.unified_own, cgroup.path());
      if (!why.empty()) rmdir(cgroup.path().c_str());
    }
    std::vector<std::string> on;
    for (const std::string& controller : cgroup.controllers()) {
      const std::string reason =
          why.empty() ? version.TurnOn(above, controller) : why;
      if (reason.empty()) {
        on.push_back(controller);
      } else if (controller != "cpuacct") {
        plan.missing[controller] = reason;
      }
    }
    all = all && on.size() == static_cast<size_t>(cgroup.controllers_size());
    if (!why.empty()) continue;
    *cgroup.mutable_controllers() = {on.begin(), on.end()};
    made.push_back(std::move(cgroup));
  }
  all = all && made.size() == plan.cgroups.size();
  plan.cgroups = std::move(made);
  return all;
}

std::vector<std::string> ProcsFiles(const ContainerCgroups& cgroups) {
  std::vector<std::string> files;
  for (const ContainerCgroup& cgroup : cgroups) {
    files.push_back(cgroup.path() + "/cgroup.procs");
  }
  return files;
}

bool KillCgroupsOnce(const ContainerCgroups& cgroups) {
  bool any = false;
  for (const ContainerCgroup& cgroup : cgroups) {
    if (!IsPopulated(cgroup)) continue;
    any = true;
    if (CgroupVersion::Of(cgroup).KillAll(cgroup.path())) continue;
    // Without forks the processes cannot become more. A cgroup without the
    // controller pids is killed in several rounds.
    (void)WriteSmallFile(cgroup.path() + "/pids.max", "0");
    const std::string name = cgroup.path().substr(cgroup.path().rfind('/'));
    auto kill = [&name](int above, const std::string& below) {
      KillPidsIn(ProcsFile(above, below), name);
    };
    kill(AT_FDCWD, cgroup.path());
    ForEachCgroup(cgroup.path(), kill);
  }
  return any;
}

absl::Status KillCgroups(const ContainerCgroups& cgroups,
                         absl::Duration timeout) {
  Pauses pauses(timeout);
  while (KillCgroupsOnce(cgroups)) {
    if (pauses.Pause()) continue;
    for (const ContainerCgroup& cgroup : cgroups) {
      if (!IsPopulated(cgroup)) continue;
      return absl::DeadlineExceededError(
          absl::StrCat("processes in its cgroup ", cgroup.path(),
                       ", or below, do not die yet; destroy it again"));
    }
  }
  return absl::OkStatus();
}

absl::Status RemoveCgroups(const ContainerCgroups& cgroups,
                           absl::Duration timeout) {
  Pauses pauses(timeout);
  for (const ContainerCgroup& cgroup : cgroups) {
    while (!IsRemoved(cgroup.path())) {
      ForEachCgroup(cgroup.path(), [](int above, const std::string& name) {
        unlinkat(above, name.c_str(), AT_REMOVEDIR);
      });
      if (IsRemoved(cgroup.path())) break;
      const int error = errno;
      if ((error == EBUSY || error == ENOTEMPTY) && pauses.Pause()) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          "cannot remove its cgroup ", cgroup.path(), ": ", strerror(error),
          "; destroy it again, or end what is in it, and in those below, and "
          "remove it by hand"));
    }
  }
  return absl::OkStatus();
}

}  // namespace posix_internal
}  // namespace external_containerizer
