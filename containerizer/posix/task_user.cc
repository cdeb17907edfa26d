// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/task_user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr size_t kMaxEntry = 1 << 20;
constexpr int kMaxGroups = 65536;  // the kernel's NGROUPS_MAX

struct Entry {
  passwd fields = {};
  std::vector<char> strings;
};

// `lookup` is getpwnam_r() or getpwuid_r() without the first argument. Returns
// 0 and no entry if the user does not exist.
template <typename Lookup>
int Find(const Lookup& lookup, std::optional<Entry>& entry) {
  entry.emplace();
  for (size_t size = 16 << 10; size <= kMaxEntry; size *= 2) {
    entry->strings.resize(size);
    passwd* found = nullptr;
    const int error =
        lookup(&entry->fields, entry->strings.data(), size, &found);
    if (error == ERANGE) continue;
    if (found != nullptr) return 0;
    entry.reset();
    // Name services report an unknown user with one of these.
    return error == ENOENT || error == ESRCH || error == EBADF || error == EPERM
               ? 0
               : error;
  }
  entry.reset();
  return ERANGE;
}

using Capabilities = __user_cap_data_struct[_LINUX_CAPABILITY_U32S_3];

// A header that names this thread.
__user_cap_header_struct CapabilityHeader() {
  __user_cap_header_struct header = {};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  return header;
}

// Drops the inheritable and ambient capabilities, or `all`. The kernel does
// that for a process that ceases to be root, but not for an agent of another
// user that was given capabilities. A task of root gets the others back by its
// exec.
bool DropCapabilities(bool all) {
  __user_cap_header_struct header = CapabilityHeader();
  Capabilities sets = {};
  if (!all && syscall(SYS_capget, &header, sets) != 0) return false;
  for (__user_cap_data_struct& set : sets) set.inheritable = 0;
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
         syscall(SYS_capset, &header, sets) == 0;
}

}  // namespace

bool MayBecomeOthers() {
  constexpr uint32_t kNeeded = 1u << CAP_SETGID | 1u << CAP_SETUID;
  __user_cap_header_struct header = CapabilityHeader();
  Capabilities sets = {};
  if (syscall(SYS_capget, &header, sets) != 0) return geteuid() == 0;
  return (sets[0].effective & kNeeded) == kNeeded;
}

absl::StatusOr<std::optional<TaskUser>> FindTaskUser(const std::string& user) {
  const std::string shown =
      absl::StrCat("\"", absl::CHexEscape(user.substr(0, 100)), "\"");
  const absl::Status unknown = absl::FailedPreconditionError(absl::StrCat(
      "it is to run as the user ", shown, ", whom this machine does not know"));
  if (user.empty() || user.find('\0') != std::string::npos) return unknown;

  std::optional<Entry> entry;
  int error = Find(
      [&user](auto... arguments) {
        return getpwnam_r(user.c_str(), arguments...);
      },
      entry);
  uid_t uid = 0;
  // " 0" and "+0" must not be names for root.
  const bool is_number = user.find_first_not_of("0123456789") == user.npos &&
                         absl::SimpleAtoi(user, &uid);
  if (error == 0 && !entry.has_value() && is_number) {
    error =
        Find([uid](auto... arguments) { return getpwuid_r(uid, arguments...); },
             entry);
    if (error == 0 && !entry.has_value() && uid == geteuid()) {
      return std::optional<TaskUser>();
    }
  }
  if (error != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot look up the user ", shown, ": ", strerror(error)));
  }
  if (!entry.has_value()) return unknown;
  if (entry->fields.pw_uid == geteuid()) return std::optional<TaskUser>();
  if (!MayBecomeOthers()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it is to run as the user ", shown, " (uid ", entry->fields.pw_uid,
        "), but this process, with uid ", geteuid(),
        ", may not become another user; that takes root"));
  }
  TaskUser found;
  found.set_uid(entry->fields.pw_uid);
  found.set_gid(entry->fields.pw_gid);
  found.set_name(entry->fields.pw_name);
  found.set_home(entry->fields.pw_dir);
  int count = 64;
  do {
    std::vector<gid_t> groups(static_cast<size_t>(count));
    if (getgrouplist(entry->fields.pw_name, entry->fields.pw_gid, groups.data(),
                     &count) >= 0) {
      groups.resize(static_cast<size_t>(count));
      found.mutable_groups()->Add(groups.begin(), groups.end());
      return std::optional<TaskUser>(found);
    }
    if (count <= static_cast<int>(groups.size())) break;
  } while (count <= kMaxGroups);
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot look up the groups of the user ", shown));
}

bool BecomeTaskUser(const TaskUser& user) {
  // The kernel takes -1 for "no change".
  if (user.uid() == static_cast<uid_t>(-1) ||
      user.gid() == static_cast<gid_t>(-1)) {
    errno = EINVAL;
    return false;
  }
  return setgroups(static_cast<size_t>(user.groups_size()),
                   user.groups().data()) == 0 &&
         setresgid(user.gid(), user.gid(), user.gid()) == 0 &&
         setresuid(user.uid(), user.uid(), user.uid()) == 0 &&
         DropCapabilities(/*all=*/user.uid() != 0);
}

}  // namespace posix_internal
}  // namespace external_containerizer
