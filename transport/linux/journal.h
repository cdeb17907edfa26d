// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Which processes are running, written down so that those that a dead agent
// left behind can be found and ended.
//
// A file of small slots, each with a checksum and written in place: it grows
// with the number of processes at once, not with time. It is not synced: a
// crash of the machine ends the processes, too.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_JOURNAL_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_JOURNAL_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

class Journal {
 public:
  using Slot = size_t;

  struct Leftover {
    Slot slot;
    pid_t pid;
    UniqueFd pidfd;  // Proven to be the process that was written down.
  };

  // Opens the journal in the directory `directory_fd`, named `directory`, and
  // locks it: FAILED_PRECONDITION if another transport has it for longer than
  // 2 s, in this process or another one, or if a newer version wrote it. What
  // is damaged in it is ignored.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(
      int directory_fd, const std::string& directory);

  // Whether there is one.
  static bool IsIn(int directory_fd);

  // Processes of the previous owners that are still there, running or zombies.
  // Their slots are taken until they are removed. A process that this one
  // cannot see or be sure of (it counts in another PID namespace, or the boot
  // is not known) is not among them, and stays written down.
  std::vector<Leftover> TakeLeftovers();

  // Writes down a process that has not been reaped. nullopt if that failed.
  std::optional<Slot> Add(pid_t pid);
  void Remove(Slot slot);

 private:
  explicit Journal(UniqueFd file) : file_(std::move(file)) {}
  absl::Status Load(const std::string& path);
  void TruncateIfEmpty();
  bool Write(Slot slot, const void* data, size_t size);

  UniqueFd file_;
  std::vector<Leftover> leftovers_;
  std::set<Slot> free_;
  Slot end_ = 0;  // All slots are below.
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_JOURNAL_H_
