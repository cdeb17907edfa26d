// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The command usage, for a process that is asked again and again. It keeps what
// does not change about a container, and keeps its files open: its own, the
// file of its limits and those of its cgroups. Another process may destroy,
// launch or update the container at any time, so each call looks whether it is
// still the same.
//
//   ContainerUsage usage;
//   absl::StatusOr<std::optional<wire::ResourceStatistics>> used =
//       usage.Read(id, StorePlaceOf(context));

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_USAGE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_USAGE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/container_store.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {
namespace posix_internal {

// Thread-safe.
class ContainerUsage {
 public:
  // The most containers whose files stay open. There are fewer if they would
  // take more than a fifth of the descriptors that this process may have. All
  // other containers have their files opened for each call. A container that is
  // kept costs about 1.5 KiB of heap, 13 descriptors, and a page in the kernel
  // for most of them.
  static constexpr size_t kMaxKept = 256;

  ContainerUsage();
  ~ContainerUsage();

  // Returns what a container uses, or has used until its end. nullopt if it has
  // ended and its use was not recorded. Blocks while it is being launched.
  // NOT_FOUND. FAILED_PRECONDITION if its processes cannot be seen from here,
  // or if its launch failed half-way. DATA_LOSS as ReadRecords().
  absl::StatusOr<std::optional<wire::ResourceStatistics>> Read(
      const std::string& id, const StorePlace& place);

  // Closes the files of a container that this process is about to destroy.
  // Files of a container that another process destroyed are closed by a call of
  // Read() a minute later.
  void Forget(const std::string& id, const StorePlace& place);

  // Returns the number of containers whose files are open.
  size_t kept() const;

 private:
  struct Container;

  static absl::StatusOr<std::unique_ptr<Container>> Open(
      const std::string& id, const std::string& path,
      std::shared_ptr<ContainerStore> store);
  absl::StatusOr<std::shared_ptr<ContainerStore>> OpenStore(
      const StorePlace& place);

  // Takes the container with that file out of those that are kept; null if it
  // is not among them. Keep() puts it back.
  std::unique_ptr<Container> Take(const std::string& path);
  void Keep(std::unique_ptr<Container> container);

  mutable absl::Mutex mutex_;
  // By the path of its file.
  std::unordered_map<std::string, std::unique_ptr<Container>> kept_
      ABSL_GUARDED_BY(mutex_);
  std::optional<size_t> max_kept_ ABSL_GUARDED_BY(mutex_);
  absl::Duration swept_ ABSL_GUARDED_BY(mutex_) = MonotonicNow();
  std::shared_ptr<ContainerStore> store_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_USAGE_H_
