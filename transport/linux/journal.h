// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A file that names the processes of an agent while they run, so that the next
// agent can find and end them if the first one is killed.
//
//   auto journal = Journal::Open(directory.get(), "/var/lib/agent");
//   std::optional<Journal::Slot> slot = (*journal)->Add(child);
//   ...  // The child ends, and is reaped.
//   if (slot.has_value()) (*journal)->Remove(*slot);
//
// The file has a slot of 40 bytes for each process, with a checksum, and slots
// are written in place: it grows with the number of processes at once, not with
// time. It is not synced, because a crash of the machine ends the processes,
// too.

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

// Not thread-safe.
class Journal {
 public:
  using Slot = size_t;

  struct Leftover {
    Slot slot;
    pid_t pid;
    UniqueFd pidfd;  // Refers to the process that was written down.
  };

  // Opens or makes the journal in the directory `directory_fd`, whose name for
  // messages is `directory`, and locks it. Returns FAILED_PRECONDITION if
  // another transport, in this process or another one, keeps it locked for 2 s,
  // or if a newer version wrote it. Ignores damaged slots. Blocks for the lock.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(
      int directory_fd, const std::string& directory);

  // Whether the directory has a journal.
  static bool IsIn(int directory_fd);

  // The processes of earlier owners that still exist, running or as zombies.
  // Their slots stay taken until Remove(). A process that cannot be seen or
  // identified (it belongs to another PID namespace, or the boot is not known)
  // is not returned, and stays in the file. The second call returns none.
  std::vector<Leftover> TakeLeftovers();

  // Writes down a process that has not been reaped. Returns nullopt if that
  // fails, for example on a full disk.
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
