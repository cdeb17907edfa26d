// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Where posix keeps what it knows of its containers: one file each, the truth
// about it (container_records.h), under a lock of its own (flock), so that any
// number of processes agree. The file is there from launch to destroy.
//
//   <work directory>/program/posix/containers/<container id>
//   <work directory>/program/posix/limits/<container id>       by update
//   <work directory>/program/posix/new/<container id>          being written

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

// Below which directory a command's containers are: its work directory, or, if
// the agent sets none, one of this user's.
struct StorePlace {
  std::string path;  // absolute: every command has another working directory
  bool is_fallback = false;
};
StorePlace StorePlaceOf(const Context& context);
// The path of the directory of containers there.
std::string ContainersPath(const StorePlace& place);

// All ids given to it must have passed wire::ValidateId().
class ContainerStore {
 public:
  // Makes the directories where they are missing. They must be the caller's
  // own and nobody else's to read. A work directory has to exist, a fallback is
  // made.
  static absl::StatusOr<std::shared_ptr<ContainerStore>> Open(
      const StorePlace& place);

  // Whether Open() of that place would find this one again: it may be kept.
  bool IsAt(const StorePlace& place) const;

  // A new container's file, open for appending and locked, durable.
  // ALREADY_EXISTS; ABORTED if it was destroyed at that very moment.
  absl::StatusOr<UniqueFd> Create(const std::string& id);

  // An existing one, open for reading, not locked. Waits while it is being
  // launched. NOT_FOUND.
  absl::StatusOr<UniqueFd> OpenLaunched(const std::string& id) const;

  // An existing one, locked for this caller alone; waits for whoever has it.
  // NOT_FOUND.
  absl::StatusOr<UniqueFd> Lock(const std::string& id) const;

  // As Lock(), but nullopt instead of waiting.
  absl::StatusOr<std::optional<UniqueFd>> TryLock(const std::string& id) const;

  // Forgets a container whose lock is held. Durable.
  absl::Status Remove(const std::string& id);

  // In no order.
  absl::StatusOr<std::vector<std::string>> List() const;

  // Whose lock is held. Durable, the old or the new.
  absl::Status WriteLimits(const std::string& id, const Limits& limits);
  // Nothing where nothing was written.
  Limits ReadLimits(const std::string& id) const;
  // The file of them: it is not changed, but loses its name when others are
  // written. Invalid where nothing was written.
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
