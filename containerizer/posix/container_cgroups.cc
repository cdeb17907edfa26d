// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/transport/linux/unique_fd.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

namespace external_containerizer {
namespace posix_internal {
namespace {

// All that is used of them.
constexpr const char* kControllers[] = {"memory", "cpu", "cpuacct", "pids"};

constexpr size_t kMaxPath = 2048;
constexpr size_t kMaxProcs = 4 << 20;  // half a million processes
// Of one walk through the cgroups below a container's.
constexpr size_t kMaxCgroups = 1 << 16;
constexpr absl::Duration kMaxWalk = absl::Seconds(2);
constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(50);

bool Has(const std::vector<std::string>& list, absl::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::vector<std::string> Words(const std::string& text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

std::string Directory(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

bool MayWrite(const std::string& path) {
  return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

// Of version 2: a process can be moved by who may write to the cgroup.procs of
// the nearest cgroup that is above both.
std::string CommonAncestor(const std::string& a, const std::string& b) {
  size_t end = 0;
  size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) {
    if (a[i] == '/') end = i;
    ++i;
  }
  const bool a_ends = i == a.size() && (i == b.size() || b[i] == '/');
  const bool b_ends = i == b.size() && i < a.size() && a[i] == '/';
  return a.substr(0, a_ends || b_ends ? i : end);
}

// Turns a controller on for the cgroups below `parent`. 0 or the errno.
int TurnOn(const std::string& parent, const std::string& controller) {
  const std::string file = parent + "/cgroup.subtree_control";
  const std::optional<std::string> on = ReadSmallFile(file);
  if (!on.has_value()) return errno;
  if (Has(Words(*on), controller)) return 0;
  return WriteSmallFile(file, "+" + controller);
}

UniqueFd OpenCgroup(int above, const std::string& name) {
  return UniqueFd(openat(above, name.c_str(),
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// The names of at most `most` cgroups in it, by which `most` gets less.
std::vector<std::string> CgroupsIn(const UniqueFd& cgroup, size_t& most) {
  std::vector<std::string> names;
  const int fd = openat(cgroup.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* dir = fd < 0 ? nullptr : fdopendir(fd);
  if (dir == nullptr) {
    if (fd >= 0) close(fd);
    return names;
  }
  while (const dirent* entry = most > 0 ? readdir(dir) : nullptr) {
    const std::string name = entry->d_name;
    if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
    names.push_back(name);
    --most;
  }
  closedir(dir);
  return names;
}

// Calls `visit` with the cgroup and all below it, those first, as the directory
// above and the name there. A task may have made as many as it liked, deeper
// than a path can be: no more than there is time for are visited, perhaps not
// the first, and one directory is open at a time.
template <typename Visit>
void ForEachCgroup(const std::string& path, const Visit& visit) {
  struct Level {
    std::string name;
    std::vector<std::string> below;
  };
  const absl::Time deadline = absl::Now() + kMaxWalk;
  size_t most = kMaxCgroups;
  UniqueFd current = OpenCgroup(AT_FDCWD, path);
  std::vector<Level> levels = {{path, CgroupsIn(current, most)}};
  while (absl::Now() < deadline) {
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

std::vector<std::string> Listed(const std::string& file) {
  return Words(ReadSmallFile(file, kMaxProcs).value_or(""));
}

// Of the container's cgroup and those below it, which have `name` in their
// paths, as nobody else's have.
void KillListed(const std::string& file, const std::string& name) {
  for (const std::string& process : Listed(file)) {
    int pid = 0;
    if (!absl::SimpleAtoi(process, &pid) || pid <= 0) continue;
    const UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!fd.valid()) continue;
    // It may have ended since, and its pid be another's: what the descriptor
    // names cannot change any more. Some kernels do not tell a path that is
    // too long.
    const std::optional<std::string> cgroups =
        ReadSmallFile(absl::StrCat("/proc/", pid, "/cgroup"));
    if (cgroups.has_value() ? absl::StrContains(*cgroups, name)
                            : Has(Listed(file), process)) {
      syscall(SYS_pidfd_send_signal, fd.get(), SIGKILL, nullptr, 0);
    }
  }
}

bool IsPopulated(const ContainerCgroup& cgroup) {
  if (cgroup.unified) {
    // With all that is below it.
    const std::optional<uint64_t> populated =
        NumberAfter(ReadSmallFile(cgroup.path + "/cgroup.events").value_or(""),
                    "populated");
    if (populated.has_value()) return *populated != 0;
  }
  bool populated = false;
  auto look = [&populated](int above, const std::string& name) {
    const std::optional<std::string> procs =
        ReadSmallFile(ProcsFile(above, name), 1);
    if (procs.has_value() && !procs->empty()) populated = true;
  };
  look(AT_FDCWD, cgroup.path);
  if (!populated) ForEachCgroup(cgroup.path, look);
  return populated;
}

bool IsRemoved(const std::string& path) {
  if (rmdir(path.c_str()) == 0) return true;
  // Where it is mounted read-only, rmdir() says so before it looks whether the
  // cgroup is there.
  const int error = errno;
  if (error == ENOENT || error == ENOTDIR) return true;
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return true;
  errno = error;
  return false;
}

// Doubles from one to the next.
class Pauses {
 public:
  explicit Pauses(absl::Duration timeout) : deadline_(absl::Now() + timeout) {}

  // False if there is no time left.
  bool Pause() {
    if (absl::Now() >= deadline_) return false;
    absl::SleepFor(pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
    return true;
  }

 private:
  const absl::Time deadline_;
  absl::Duration pause_ = kFirstPause;
};

}  // namespace

CgroupPlan PlanCgroups(const std::vector<CgroupHierarchy>& hierarchies,
                       const std::string& parent, const std::string& name,
                       bool want_pids) {
  CgroupPlan plan;
  ContainerCgroups first;  // of version 1
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
    cgroup.unified = hierarchy.unified;
    std::vector<std::string> offered = hierarchy.controllers;
    std::string not_offered;
    if (hierarchy.unified && above.has_value()) {
      const std::optional<std::string> controllers =
          ReadSmallFile(*above + "/cgroup.controllers");
      not_offered =
          controllers.has_value()
              ? absl::StrCat("the cgroup ", *above, " was not given it")
              : absl::StrCat("cannot look into the cgroup ", *above, ": ",
                             strerror(errno));
      offered = Words(controllers.value_or(""));
    }
    for (const char* controller : kControllers) {
      if (!Has(offered, controller)) {
        const auto missing = plan.missing.find(controller);
        if (missing != plan.missing.end() && !not_offered.empty()) {
          missing->second = not_offered;
        }
        continue;
      }
      if (why.empty()) {
        cgroup.controllers.push_back(controller);
        plan.missing.erase(controller);
      } else {
        plan.missing[controller] = why;
      }
    }
    if (!why.empty()) continue;
    cgroup.path = absl::StrCat(*above, "/", name);
    if (cgroup.unified) {
      has_unified = true;
      plan.unified_own = CgroupPath(hierarchy, hierarchy.own).value_or("");
      plan.cgroups.push_back(std::move(cgroup));
    } else {
      first.push_back(std::move(cgroup));
    }
  }
  for (ContainerCgroup& cgroup : first) {
    auto use = [&](const char* controller, bool wanted) {
      return wanted && Has(cgroup.controllers, controller);
    };
    if (use("memory", true) || use("cpu", true) ||
        use("cpuacct", !has_unified) ||
        use("pids", want_pids || !has_unified)) {
      plan.cgroups.push_back(std::move(cgroup));
    }
  }
  plan.missing.erase("cpuacct");  // /proc does as well
  if (!want_pids) plan.missing.erase("pids");
  return plan;
}

std::string NewCgroupName(const std::string& work_directory) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const char c : work_directory) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211u;
  }
  uint64_t random[2] = {};
  if (getrandom(random, sizeof(random), GRND_NONBLOCK) !=
      static_cast<ssize_t>(sizeof(random))) {
    // A filter refuses it. The name has to be new, not to be secret: no other
    // process has this number at this time.
    static std::atomic<uint32_t> count{0};
    random[0] = static_cast<uint64_t>(absl::GetCurrentTimeNanos());
    random[1] = static_cast<uint64_t>(getpid()) << 32 | count++;
  }
  return absl::StrFormat("posix-%016x-%016x%016x", hash, random[0], random[1]);
}

void MakeCgroups(CgroupPlan& plan) {
  ContainerCgroups made;
  for (ContainerCgroup& cgroup : plan.cgroups) {
    const std::string parent = Directory(cgroup.path);
    std::string why;
    if (mkdir(cgroup.path.c_str(), 0755) != 0) {
      why = absl::StrCat("cannot make a cgroup in ", parent, ": ",
                         strerror(errno));
    } else if (cgroup.unified) {
      const std::string common = CommonAncestor(plan.unified_own, cgroup.path);
      if (!MayWrite(common + "/cgroup.procs")) {
        why =
            absl::StrCat("no process may be moved by this user below ", common);
        rmdir(cgroup.path.c_str());
      }
    }
    std::vector<std::string> on;
    for (const std::string& controller : cgroup.controllers) {
      std::string reason = why;
      if (reason.empty() && cgroup.unified && controller != "cpuacct") {
        const int error = TurnOn(parent, controller);
        if (error == EBUSY) {
          reason = absl::StrCat(
              "the cgroup ", parent,
              " has processes of its own, and version 2 then gives those below "
              "it no controllers: name an empty one that was delegated to this "
              "user (--cgroup_parent)");
        } else if (error != 0) {
          reason = absl::StrCat("cannot turn it on for cgroups below ", parent,
                                ": ", strerror(error));
        }
      }
      if (reason.empty()) {
        on.push_back(controller);
      } else if (controller != "cpuacct") {
        plan.missing[controller] = reason;
      }
    }
    if (!why.empty()) continue;
    cgroup.controllers = std::move(on);
    made.push_back(std::move(cgroup));
  }
  plan.cgroups = std::move(made);
}

std::vector<std::string> ProcsFiles(const ContainerCgroups& cgroups) {
  std::vector<std::string> files;
  for (const ContainerCgroup& cgroup : cgroups) {
    files.push_back(cgroup.path + "/cgroup.procs");
  }
  return files;
}

bool KillCgroupsOnce(const ContainerCgroups& cgroups) {
  bool any = false;
  for (const ContainerCgroup& cgroup : cgroups) {
    if (!IsPopulated(cgroup)) continue;
    any = true;
    // All at once, those below too; kernels before 5.14 do not know it.
    if (cgroup.unified &&
        WriteSmallFile(cgroup.path + "/cgroup.kill", "1") == 0) {
      continue;
    }
    // So that it does not fork faster than it is killed. Where there is no such
    // file, the rounds have to do.
    (void)WriteSmallFile(cgroup.path + "/pids.max", "0");
    const std::string name = cgroup.path.substr(cgroup.path.rfind('/'));
    auto kill = [&name](int above, const std::string& below) {
      KillListed(ProcsFile(above, below), name);
    };
    kill(AT_FDCWD, cgroup.path);
    ForEachCgroup(cgroup.path, kill);
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
          absl::StrCat("processes in its cgroup ", cgroup.path,
                       ", or below, do not die yet; destroy it again"));
    }
  }
  return absl::OkStatus();
}

absl::Status RemoveCgroups(const ContainerCgroups& cgroups,
                           absl::Duration timeout) {
  Pauses pauses(timeout);
  for (const ContainerCgroup& cgroup : cgroups) {
    while (!IsRemoved(cgroup.path)) {
      ForEachCgroup(cgroup.path, [](int above, const std::string& name) {
        unlinkat(above, name.c_str(), AT_REMOVEDIR);
      });
      if (IsRemoved(cgroup.path)) break;
      const int error = errno;
      if ((error == EBUSY || error == ENOTEMPTY) && pauses.Pause()) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          "cannot remove its cgroup ", cgroup.path, ": ", strerror(error),
          "; destroy it again, or end what is in it, and in those below, and "
          "remove it by hand"));
    }
  }
  return absl::OkStatus();
}

}  // namespace posix_internal
}  // namespace external_containerizer
