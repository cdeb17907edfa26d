// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/old_records.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/checksum.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using Words = std::vector<absl::string_view>;

// A space, a % and an unprintable character of a path are written as % and two
// hexadecimal digits.
std::string Unescape(absl::string_view word) {
  std::string text;
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '%' && i + 2 < word.size() &&
        absl::ascii_isxdigit(static_cast<unsigned char>(word[i + 1])) &&
        absl::ascii_isxdigit(static_cast<unsigned char>(word[i + 2]))) {
      int byte = 0;
      (void)absl::SimpleHexAtoi(word.substr(i + 1, 2), &byte);
      text += static_cast<char>(byte);
      i += 2;
    } else {
      text += word[i];
    }
  }
  return text;
}

// "launched SUPERVISOR START TASK START BOOT_ID TOKEN"
bool ParseLaunch(const Words& words, ContainerRecords& records) {
  LaunchRecord launch;
  if (words.size() != 7 ||
      !absl::SimpleAtoi(words[1], &launch.supervisor.pid) ||
      !absl::SimpleAtoi(words[2], &launch.supervisor.start_ticks) ||
      !absl::SimpleAtoi(words[3], &launch.task.pid) ||
      !absl::SimpleAtoi(words[4], &launch.task.start_ticks)) {
    return false;
  }
  launch.supervisor.boot_id = launch.task.boot_id = std::string(words[5]);
  launch.token = std::string(words[6]);
  records.launch = launch;
  return true;
}

// "ended", the wait status, and five to twelve other numbers.
bool ParseEnd(const Words& words, ContainerRecords& records) {
  int64_t status = 0;
  if (words.size() < 7 || words.size() > 14 ||
      !absl::SimpleAtoi(words[1], &status)) {
    return false;
  }
  uint64_t all[12] = {};
  for (size_t i = 2; i < words.size(); ++i) {
    if (!absl::SimpleAtoi(words[i], &all[i - 2])) return false;
  }
  TaskEnd& end = records.end.emplace();
  end.set_wait_status(static_cast<uint32_t>(status));
  end.set_destroyed(all[0] != 0);
  end.set_complete(all[1] != 0);
  end.set_user_microseconds(all[2]);
  end.set_system_microseconds(all[3]);
  end.set_max_rss_bytes(all[4]);
  end.set_memory_kills(all[5]);
  end.set_memory_at_limit(all[6] != 0);
  end.set_memory_peak_bytes(all[7]);
  end.set_memory_limit_bytes(all[8]);
  end.set_periods(all[9]);
  end.set_throttled_periods(all[10]);
  end.set_throttled_microseconds(all[11]);
  return true;
}

// "cgroup 1 cpu,cpuacct /sys/fs/cgroup/cpu/posix-...", with "-" for no
// controllers. The last line of a path counts.
bool ParseCgroup(const Words& words, ContainerRecords& records) {
  if (words.size() != 4) return false;
  ContainerCgroup cgroup;
  cgroup.set_unified(words[1] == "2");
  cgroup.set_path(Unescape(words[3]));
  if (words[2] != "-") {
    for (const absl::string_view controller :
         absl::StrSplit(words[2], ',', absl::SkipEmpty())) {
      cgroup.add_controllers(std::string(controller));
    }
  }
  for (ContainerCgroup& known : records.cgroups) {
    if (known.path() != cgroup.path()) continue;
    known = cgroup;
    return true;
  }
  records.cgroups.push_back(cgroup);
  return true;
}

// Returns false if that release did not write the line.
bool ParseLine(absl::string_view line, ContainerRecords& records) {
  const size_t space = line.rfind(' ');
  if (space == line.npos) return line.empty();
  const absl::string_view text = line.substr(0, space);
  if (line.substr(space + 1) !=
      absl::StrCat(absl::Hex(Checksum(text), absl::kZeroPad16))) {
    return false;
  }
  const Words words = absl::StrSplit(text, ' ');
  if (words[0] == "launched") return ParseLaunch(words, records);
  if (words[0] == "ended") return ParseEnd(words, records);
  return words[0] == "cgroup" && ParseCgroup(words, records);
}

}  // namespace

bool IsOldFile(absl::string_view file) {
  // Newer files begin with a small length of 4 bytes, so two of them are 0.
  return !file.empty() && file[0] == '\n' &&
         file.substr(0, 4).find('\0') == file.npos;
}

bool ParseOldFile(absl::string_view file, ContainerRecords& records) {
  bool all = true;
  for (size_t end = file.find('\n'); end != file.npos; end = file.find('\n')) {
    if (!ParseLine(file.substr(0, end), records)) all = false;
    file.remove_prefix(end + 1);
  }
  return all;
}

Limits ParseOldLimits(absl::string_view file) {
  Limits limits;
  for (const absl::string_view line : absl::StrSplit(file, '\n')) {
    const Words words = absl::StrSplit(line, ' ');
    double value = 0;
    if (words.size() != 2 || !absl::SimpleAtod(words[1], &value)) continue;
    if (words[0] == "cpus") limits.set_cpus(value);
    if (words[0] == "mem") limits.set_mem_mib(value);
  }
  return limits;
}

}  // namespace posix_internal
}  // namespace external_containerizer
