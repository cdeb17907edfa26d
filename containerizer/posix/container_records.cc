// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_records.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// A launch and two ends are below 1 KiB; of cgroups there are at most five,
// with paths below 2 KiB, escaped.
constexpr size_t kMaxFile = 64 << 10;

// So that a path is one word.
std::string EscapeWord(const std::string& text) {
  std::string word;
  for (const char c : text) {
    if (c > ' ' && c < 0x7f && c != '%') {
      word += c;
    } else {
      char buffer[4];
      snprintf(buffer, sizeof(buffer), "%%%02x",
               unsigned{static_cast<unsigned char>(c)});
      word += buffer;
    }
  }
  return word;
}

std::string UnescapeWord(const std::string& word) {
  std::string text;
  for (size_t i = 0; i < word.size(); ++i) {
    unsigned code = 0;
    if (word[i] == '%' &&
        sscanf(word.substr(i + 1, 2).c_str(), "%2x", &code) == 1) {
      text += static_cast<char>(code);
      i += 2;
    } else {
      text += word[i];
    }
  }
  return text;
}

// "cgroup 1 cpu,cpuacct /sys/fs/cgroup/cpu/posix-...". "-" for no controllers.
std::string CgroupText(const ContainerCgroup& cgroup) {
  std::string controllers;
  for (const std::string& controller : cgroup.controllers) {
    controllers += (controllers.empty() ? "" : ",") + controller;
  }
  return std::string("cgroup ") + (cgroup.unified ? "2 " : "1 ") +
         (controllers.empty() ? "-" : controllers) + " " +
         EscapeWord(cgroup.path);
}

bool ParseCgroup(const std::string& text, ContainerCgroup& cgroup) {
  std::istringstream words(text);
  std::string kind, version, controllers, path, more;
  if (!(words >> kind >> version >> controllers >> path) || words >> more ||
      kind != "cgroup") {
    return false;
  }
  cgroup.unified = version == "2";
  cgroup.path = UnescapeWord(path);
  std::istringstream list(controllers);
  for (std::string controller; std::getline(list, controller, ',');) {
    if (controller != "-") cgroup.controllers.push_back(controller);
  }
  return true;
}

std::string Checksum(const std::string& text) {  // FNV-1a
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211u;
  }
  char buffer[17];
  snprintf(buffer, sizeof(buffer), "%016" PRIx64, hash);
  return buffer;
}

// It also ends whatever a crash left before it.
std::string Line(const std::string& text) {
  return "\n" + text + " " + Checksum(text) + "\n";
}

// False if it is none of ours.
bool ParseLine(const std::string& line, ContainerRecords& records) {
  const size_t space = line.rfind(' ');
  if (space == std::string::npos) return line.empty();
  const std::string text = line.substr(0, space);
  if (line.substr(space + 1) != Checksum(text)) return false;

  char boot[65] = "";
  char token[129] = "";
  LaunchRecord launch;
  if (sscanf(text.c_str(), "launched %d %" SCNu64 " %d %" SCNu64 " %64s %128s",
             &launch.supervisor.pid, &launch.supervisor.start_ticks,
             &launch.task.pid, &launch.task.start_ticks, boot, token) == 6) {
    launch.boot_id = boot;
    launch.token = token;
    records.launch = launch;
    return true;
  }
  EndRecord end;
  int destroyed = 0;
  int complete = 0;
  int at_limit = 0;
  // The rest was not always there.
  if (sscanf(text.c_str(),
             "ended %d %d %d %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
             " %d %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
             &end.wait_status, &destroyed, &complete, &end.user_microseconds,
             &end.system_microseconds, &end.max_rss_bytes, &end.memory.kills,
             &at_limit, &end.memory.peak_bytes, &end.memory.limit_bytes,
             &end.periods, &end.throttled_periods,
             &end.throttled_microseconds) >= 6) {
    end.destroyed = destroyed != 0;
    end.complete = complete != 0;
    end.memory.at_limit = at_limit != 0;
    records.end = end;
    return true;
  }
  ContainerCgroup cgroup;
  if (!ParseCgroup(text, cgroup)) return false;
  for (ContainerCgroup& known : records.cgroups) {
    if (known.path != cgroup.path) continue;
    known = cgroup;
    return true;
  }
  records.cgroups.push_back(cgroup);
  return true;
}

// Whether all whole lines are ours.
bool ParseLines(const std::string& contents, ContainerRecords& records) {
  bool all = true;
  size_t begin = 0;
  while (begin < contents.size()) {
    const size_t end = contents.find('\n', begin);
    if (end == std::string::npos) break;
    if (!ParseLine(contents.substr(begin, end - begin), records)) all = false;
    begin = end + 1;
  }
  return all;
}

}  // namespace

std::string RecordLines(const ContainerCgroups& cgroups) {
  std::string lines;
  for (const ContainerCgroup& cgroup : cgroups) {
    lines += Line(CgroupText(cgroup));
  }
  return lines;
}

std::string RecordLine(const LaunchRecord& record) {
  return Line("launched " + std::to_string(record.supervisor.pid) + " " +
              std::to_string(record.supervisor.start_ticks) + " " +
              std::to_string(record.task.pid) + " " +
              std::to_string(record.task.start_ticks) + " " + record.boot_id +
              " " + record.token);
}

std::string RecordLine(const EndRecord& record) {
  return Line("ended " + std::to_string(record.wait_status) + " " +
              std::to_string(record.destroyed) + " " +
              std::to_string(record.complete) + " " +
              std::to_string(record.user_microseconds) + " " +
              std::to_string(record.system_microseconds) + " " +
              std::to_string(record.max_rss_bytes) + " " +
              std::to_string(record.memory.kills) + " " +
              std::to_string(record.memory.at_limit) + " " +
              std::to_string(record.memory.peak_bytes) + " " +
              std::to_string(record.memory.limit_bytes) + " " +
              std::to_string(record.periods) + " " +
              std::to_string(record.throttled_periods) + " " +
              std::to_string(record.throttled_microseconds));
}

ContainerRecords ParseRecords(const std::string& contents) {
  ContainerRecords records;
  ParseLines(contents, records);
  return records;
}

namespace {

absl::StatusOr<std::string> ReadContents(int fd) {
  std::string contents;
  char buffer[4096];
  while (contents.size() < kMaxFile) {
    const ssize_t n =
        pread(fd, buffer, sizeof(buffer), static_cast<off_t>(contents.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot read the container's file: ", strerror(errno)));
    }
    if (n == 0) break;
    contents.append(buffer, static_cast<size_t>(n));
  }
  return contents;
}

}  // namespace

absl::StatusOr<ContainerRecords> ReadRecords(int fd) {
  const absl::StatusOr<std::string> contents = ReadContents(fd);
  if (!contents.ok()) return contents.status();
  ContainerRecords records;
  const bool whole = ParseLines(*contents, records) &&
                     (contents->empty() || (*contents)[0] == '\n');
  const bool over = records.end.has_value() && records.end->complete;
  if (!whole && !records.launch.has_value() && !over) {
    return absl::DataLossError(
        "the container's file is damaged, so what runs of it is not known; "
        "destroy it: that ends what can be found");
  }
  return records;
}

ContainerRecords SalvageRecords(int fd) {
  return ParseRecords(ReadContents(fd).value_or(""));
}

std::string TokenPrefix(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return "";
  char buffer[40];
  snprintf(buffer, sizeof(buffer), "%jx-%jx-", uintmax_t{status.st_dev},
           uintmax_t{status.st_ino});
  return buffer;
}

bool AppendRecord(int fd, const std::string& line) {
  const ssize_t written = write(fd, line.data(), line.size());
  if (written < 0) return false;
  if (static_cast<size_t>(written) != line.size()) {
    errno = ENOSPC;
    return false;
  }
  return fsync(fd) == 0;
}

}  // namespace posix_internal
}  // namespace external_containerizer
