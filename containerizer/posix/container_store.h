// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The files in which posix keeps all that it knows of its containers.
//
//   <work directory>/program/posix/containers/<container id>
//   <work directory>/program/posix/limits/<container id>
//   <work directory>/program/posix/new/<container id>
//
// `containers` has a file for each container from its launch to its destroy
// (container_records.h). A lock on that file (flock) makes any number of
// processes agree. `limits` has the limits that launch or update has set. A
// file in `new` is being written.
//
//   absl::StatusOr<std::shared_ptr<ContainerStore>> store =
//       ContainerStore::Open(StorePlaceOf(context));
//   absl::StatusOr<UniqueFd> file = (*store)->Lock(id);
//   if (absl::IsNotFound(file.status())) ...

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_STORE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

// The directory that has the containers of a command: its work directory, or a
// directory of this user's if the agent sets none.
struct StorePlace {
  std::string path;          // absolute
  bool is_fallback = false;  // it is not the work directory
};
StorePlace StorePlaceOf(const Context& context);
// Returns the path of the directory `containers`.
std::string ContainersPath(const StorePlace& place);

// Every id must have passed wire::ValidateId(). A method blocks for the disk.
// Thread-safe. Errors: FAILED_PRECONDITION if a file cannot be used,
// RESOURCE_EXHAUSTED for want of descriptors, memory or room on the disk.
class ContainerStore {
 public:
  // Makes the directories that are missing. They must belong to the caller, and
  // be readable by nobody else. The work directory itself must exist; a
  // fallback is made.
  static absl::StatusOr<std::shared_ptr<ContainerStore>> Open(
      const StorePlace& place);

  // Returns whether Open() would find this very store at `place`, so that it
  // can be used again.
  bool IsAt(const StorePlace& place) const;

  // Makes the file of a new container, durably. It is open for appending, and
  // locked. ALREADY_EXISTS. ABORTED if it was destroyed at that very moment.
  absl::StatusOr<UniqueFd> Create(const std::string& id);

  // Opens the file of a container for reading. Blocks while it is being
  // launched. NOT_FOUND.
  absl::StatusOr<UniqueFd> OpenLaunched(const std::string& id) const;

  // Opens and locks the file of a container. Blocks while another process, or
  // another thread, has the lock. NOT_FOUND.
  absl::StatusOr<UniqueFd> Lock(const std::string& id) const;

  // Does the same, but returns nullopt instead of blocking.
  absl::StatusOr<std::optional<UniqueFd>> TryLock(const std::string& id) const;

  // Removes the files of a container, durably. The caller has its lock.
  absl::Status Remove(const std::string& id);

  // Returns the ids of all containers, in no order.
  absl::StatusOr<std::vector<std::string>> List() const;

  // Replaces the limits of a container, durably. The caller has its lock. A
  // crash leaves the old limits or the new ones.
  absl::Status WriteLimits(const std::string& id, const Limits& limits);
  // Returns the limits of a container; empty if none were written.
  Limits ReadLimits(const std::string& id) const;
  // Opens the file of the limits, which never changes: it loses its name when
  // other limits are written. Invalid if none were written.
  UniqueFd OpenLimits(const std::string& id) const;
  static Limits ReadLimits(int fd);

 private:
  ContainerStore() = default;

  absl::StatusOr<std::optional<UniqueFd>> Lock(const std::string& id,
                                               int operation) const;

  // ".../program/posix"
  std::string path_;
  UniqueFd containers_;
  UniqueFd limits_;
  UniqueFd new_;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_STORE_H_
