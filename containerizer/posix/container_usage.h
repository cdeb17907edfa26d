// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// `usage` of posix, for a process that is asked again and again. What cannot
// change about a container is kept, and so are its files, open: its own, its
// limits' and its cgroups'. Each time it is seen whether the container is still
// the same one, for any other process may have destroyed, launched or updated
// it since.

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
  // Of so many containers at most; of fewer if this process may have few
  // descriptors open: a fifth of them at most. The others' usage costs what it
  // costs to open everything. Of one, that is some 1.5 KiB of heap, 13
  // descriptors, and in the kernel a page for most of these.
  static constexpr size_t kMaxKept = 256;

  ContainerUsage();
  ~ContainerUsage();

  // nullopt if it runs no more and nobody knows what it has used. Waits while
  // it is being launched. NOT_FOUND; FAILED_PRECONDITION if its processes
  // cannot be seen from here.
  absl::StatusOr<std::optional<wire::ResourceStatistics>> Read(
      const std::string& id, const StorePlace& place);

  // Closes what is kept of a container that this process is to destroy. What
  // others have destroyed is closed a minute or two later, with the usage of
  // whichever is left.
  void Forget(const std::string& id, const StorePlace& place);

  size_t kept() const;  // how many

 private:
  struct Container;

  static absl::StatusOr<std::unique_ptr<Container>> Open(
      const std::string& id, const std::string& path,
      std::shared_ptr<ContainerStore> store);
  absl::StatusOr<std::shared_ptr<ContainerStore>> OpenStore(
      const StorePlace& place);

  // The container of that file if it is kept. It then is not, until Keep().
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
