// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// Machines with very many mounts have a few hundred KiB.
constexpr size_t kMaxMountinfo = 16 << 20;
constexpr size_t kMaxCgroups = 1 << 20;

constexpr absl::string_view kUsualPlace = "/sys/fs/cgroup";

using Words = std::vector<std::string>;

// The kernel writes a space, tab, newline or backslash as \ and three octal
// digits.
std::string Unescape(absl::string_view text) {
  auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) &&
        octal(text[i + 2]) && octal(text[i + 3])) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 +
                                 (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

struct Mount {
  int id = 0;
  bool unified = false;
  std::string root;
  std::string mount_point;
  bool writable = false;
  Words options;  // the file system's; version 1 names controllers
};

// "36 31 0:35 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup
// rw,memory": optional fields stand before the "-".
std::optional<Mount> ParseMount(absl::string_view line) {
  const Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  const auto dash = std::find(words.begin(), words.end(), "-");
  if (words.end() - dash < 4 || dash - words.begin() < 6) return std::nullopt;
  Mount mount;
  if (!absl::SimpleAtoi(words[0], &mount.id)) return std::nullopt;
  mount.unified = dash[1] == "cgroup2";
  if (!mount.unified && dash[1] != "cgroup") return std::nullopt;
  mount.root = Unescape(words[3]);
  mount.mount_point = Unescape(words[4]);
  mount.options = absl::StrSplit(dash[3], ',');
  const Words own_options = absl::StrSplit(words[5], ',');
  auto has = [](const Words& options, const char* option) {
    return std::find(options.begin(), options.end(), option) != options.end();
  };
  mount.writable = has(own_options, "rw") && has(mount.options, "rw");
  return mount;
}

bool IsMountOf(const Mount& mount, const CgroupHierarchy& hierarchy) {
  if (mount.unified || hierarchy.unified) {
    return mount.unified && hierarchy.unified;
  }
  return !hierarchy.controllers.empty() &&
         std::all_of(hierarchy.controllers.begin(), hierarchy.controllers.end(),
                     [&mount](const std::string& controller) {
                       return std::find(mount.options.begin(),
                                        mount.options.end(),
                                        controller) != mount.options.end();
                     });
}

// The mount with the greatest rank is used.
std::tuple<bool, bool, bool> Rank(const CgroupHierarchy& hierarchy) {
  const std::string& path = hierarchy.mount_point;
  return {hierarchy.writable, hierarchy.root == "/",
          path == kUsualPlace ||
              absl::StartsWith(path, absl::StrCat(kUsualPlace, "/"))};
}

// Only an open() tells where a path leads with all mounts in place.
bool LeadsToMount(const std::string& path, int id) {
  const UniqueFd fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return false;
  const std::optional<std::string> info =
      ReadSmallFile(absl::StrCat("/proc/self/fdinfo/", fd.get()));
  // "mnt_id:\t26"
  const std::optional<uint64_t> mount =
      info.has_value() ? NumberAfter(*info, "mnt_id:") : std::nullopt;
  return mount == static_cast<uint64_t>(id);
}

}  // namespace

std::vector<CgroupHierarchy> ParseCgroupHierarchies(
    const std::string& mountinfo, const std::string& cgroups,
    IsReachable is_reachable) {
  std::vector<Mount> mounts;
  for (const absl::string_view line :
       absl::StrSplit(mountinfo, '\n', absl::SkipEmpty())) {
    std::optional<Mount> mount = ParseMount(line);
    if (mount.has_value() && is_reachable(mount->mount_point, mount->id)) {
      mounts.push_back(*std::move(mount));
    }
  }
  std::vector<CgroupHierarchy> found;
  for (const absl::string_view line :
       absl::StrSplit(cgroups, '\n', absl::SkipEmpty())) {
    // "4:cpu,cpuacct:/some:where"
    const Words fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3 || !absl::StartsWith(fields[2], "/")) continue;
    CgroupHierarchy hierarchy;
    hierarchy.unified = fields[0] == "0" && fields[1].empty();
    hierarchy.own = fields[2];
    if (!hierarchy.unified) {
      if (fields[1].empty() || absl::StartsWith(fields[1], "name=")) continue;
      hierarchy.controllers = absl::StrSplit(fields[1], ',', absl::SkipEmpty());
    }
    std::optional<CgroupHierarchy> best;
    for (const Mount& mount : mounts) {
      if (!IsMountOf(mount, hierarchy)) continue;
      CgroupHierarchy here = hierarchy;
      here.root = mount.root;
      here.mount_point = mount.mount_point;
      here.writable = mount.writable;
      if (!CgroupPath(here, here.own).has_value()) continue;
      if (!best.has_value() || Rank(here) > Rank(*best)) best = here;
    }
    if (best.has_value()) found.push_back(*std::move(best));
  }
  return found;
}

std::vector<CgroupHierarchy> FindCgroupHierarchies() {
  const std::optional<std::string> mountinfo =
      ReadSmallFile("/proc/self/mountinfo", kMaxMountinfo);
  const std::optional<std::string> cgroups =
      ReadSmallFile("/proc/self/cgroup", kMaxCgroups);
  if (!mountinfo.has_value() || !cgroups.has_value()) return {};
  return ParseCgroupHierarchies(*mountinfo, *cgroups, LeadsToMount);
}

std::optional<std::string> CgroupPath(const CgroupHierarchy& hierarchy,
                                      const std::string& cgroup) {
  absl::string_view rest = cgroup;
  // The kernel names a cgroup outside of our namespace "/../other".
  for (const absl::string_view part : absl::StrSplit(cgroup, '/')) {
    if (part == "..") return std::nullopt;
  }
  const absl::string_view root =
      absl::StripSuffix(absl::string_view(hierarchy.root), "/");
  if (!absl::ConsumePrefix(&rest, root) || (!rest.empty() && rest[0] != '/')) {
    return std::nullopt;
  }
  rest = absl::StripSuffix(rest, "/");
  return absl::StrCat(hierarchy.mount_point, rest);
}

}  // namespace posix_internal
}  // namespace external_containerizer
