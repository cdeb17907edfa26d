// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/container_records.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace external_containerizer {
namespace posix_internal {
namespace {

// A launch and two ends are below 1 KiB.
constexpr size_t kMaxFile = 64 << 10;

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

void ParseLine(const std::string& line, ContainerRecords& records) {
  const size_t space = line.rfind(' ');
  if (space == std::string::npos) return;
  const std::string text = line.substr(0, space);
  if (line.substr(space + 1) != Checksum(text)) return;

  char boot[65] = "";
  char token[65] = "";
  LaunchRecord launch;
  if (sscanf(text.c_str(), "launched %d %" SCNu64 " %d %" SCNu64 " %64s %64s",
             &launch.supervisor.pid, &launch.supervisor.start_ticks,
             &launch.task.pid, &launch.task.start_ticks, boot, token) == 6) {
    launch.boot_id = boot;
    launch.token = token;
    records.launch = launch;
    return;
  }
  EndRecord end;
  int destroyed = 0;
  int complete = 0;
  if (sscanf(text.c_str(), "ended %d %d %d %" SCNu64 " %" SCNu64 " %" SCNu64,
             &end.wait_status, &destroyed, &complete, &end.user_microseconds,
             &end.system_microseconds, &end.max_rss_bytes) == 6) {
    end.destroyed = destroyed != 0;
    end.complete = complete != 0;
    records.end = end;
  }
}

}  // namespace

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
              std::to_string(record.max_rss_bytes));
}

ContainerRecords ParseRecords(const std::string& contents) {
  ContainerRecords records;
  size_t begin = 0;
  while (begin < contents.size()) {
    const size_t end = contents.find('\n', begin);
    if (end == std::string::npos) break;
    ParseLine(contents.substr(begin, end - begin), records);
    begin = end + 1;
  }
  return records;
}

ContainerRecords ReadRecords(int fd) {
  std::string contents;
  char buffer[4096];
  while (contents.size() < kMaxFile) {
    const ssize_t n =
        pread(fd, buffer, sizeof(buffer), static_cast<off_t>(contents.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    contents.append(buffer, static_cast<size_t>(n));
  }
  return ParseRecords(contents);
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
