// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The smallest possible program. Its containers are only names, and run until
// they are destroyed.

#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

namespace {

// The record on stdin, which is small here; empty without a record.
bool ReadRecord() {
  char buffer[4096];
  size_t size = 0;
  for (;;) {
    const ssize_t count = read(0, buffer + size, sizeof(buffer) - size);
    if (count < 0) return false;
    size += static_cast<size_t>(count);
    uint32_t length;
    if (size >= sizeof(length)) {
      memcpy(&length, buffer, sizeof(length));
      if (size >= sizeof(length) + length) return true;
    }
    if (count == 0) return size == 0;
  }
}

bool WriteRecord(const void* payload, uint32_t length) {
  char record[64];
  memcpy(record, &length, sizeof(length));
  memcpy(record + sizeof(length), payload, length);
  const size_t size = sizeof(length) + length;
  return write(1, record, size) == static_cast<ssize_t>(size);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !ReadRecord()) return 1;
  const char* const command = argv[1];
  if (strcmp(command, "usage") == 0) {
    // ResourceStatistics: timestamp (1, a double) and mem_rss_bytes (5).
    const unsigned char statistics[] = {0x09, 0,    0,    0,    0,    0,
                                        0,    0xf0, 0x3f, 0x28, 0x80, 0x20};
    return WriteRecord(statistics, sizeof(statistics)) ? 0 : 1;
  }
  if (strcmp(command, "containers") == 0) {
    return WriteRecord("", 0) ? 0 : 1;
  }
  if (strcmp(command, "wait") == 0) {
    // Waits until it is ended, or until the agent, which holds the other end,
    // is gone.
    struct pollfd output = {1, 0, 0};
    poll(&output, 1, -1);
    return 1;
  }
  return 0;
}
