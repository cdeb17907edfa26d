// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_usage.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_limits.h"
#include "external_containerizer/containerizer/posix/container_processes.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/container_report.h"
#include "external_containerizer/containerizer/posix/tree_usage.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// A container that is asked for less often makes room for others.
constexpr absl::Duration kIdle = absl::Minutes(1);

std::string PathOf(const std::string& id, const StorePlace& place) {
  return absl::StrCat(ContainersPath(place), "/", id);
}

size_t MaxKept() {
  // Its own file and that of its limits come on top.
  constexpr size_t kFiles = CgroupFiles::kMost + 2;
  rlimit descriptors = {};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return 0;
  return std::min<size_t>(ContainerUsage::kMaxKept,
                          descriptors.rlim_cur / (5 * kFiles));
}

}  // namespace

struct ContainerUsage::Container {
  Container(std::string the_path, UniqueFd the_file, struct stat the_status,
            ContainerRecords the_records,
            std::shared_ptr<ContainerStore> the_store)
      : path(std::move(the_path)),
        file(std::move(the_file)),
        status(the_status),
        records(std::move(the_records)),
        cgroups(records.cgroups),
        store(std::move(the_store)) {}

  // Returns whether the file still has its name, and nothing was written to it.
  // No other file can have its inode number while it is open.
  bool IsCurrent() const {
    struct stat now;
    return lstat(path.c_str(), &now) == 0 && now.st_dev == status.st_dev &&
           now.st_ino == status.st_ino && now.st_size == status.st_size;
  }

  // Reads records that were written to the file since.
  absl::Status ReadRecordsAgain() {
    struct stat now;
    if (fstat(file.get(), &now) == 0 && now.st_size == status.st_size) {
      return absl::OkStatus();
    }
    absl::StatusOr<ContainerRecords> now_read = ReadRecords(file.get());
    if (now_read.ok()) records = *std::move(now_read);
    return now_read.status();
  }

  // Sets the limit of CPUs that the container has, or had until its end.
  void SetCpusLimit(const std::string& id,
                    wire::ResourceStatistics* statistics) {
    const double cpus = ReadLimits(id).cpus();
    if (cpus > 0 && CgroupWith(records.cgroups, "cpu") != nullptr) {
      statistics->set_cpus_limit(cpus);
    }
  }

  const Limits& ReadLimits(const std::string& id) {
    struct stat now;
    if (!limits_file.valid() || fstat(limits_file.get(), &now) != 0 ||
        now.st_nlink == 0) {
      limits_file = store->OpenLimits(id);
      limits = ContainerStore::ReadLimits(limits_file.get());
    }
    return limits;
  }

  const std::string path;
  const UniqueFd file;
  const struct stat status;  // before `file` was read
  ContainerRecords records;  // with a launch
  CgroupUsageReader cgroups;
  const std::shared_ptr<ContainerStore> store;
  UniqueFd limits_file;
  Limits limits;
  absl::Duration used;
};

ContainerUsage::ContainerUsage() = default;
ContainerUsage::~ContainerUsage() = default;

absl::StatusOr<std::optional<wire::ResourceStatistics>> ContainerUsage::Read(
    const std::string& id, const StorePlace& place) {
  const std::string path = PathOf(id, place);
  std::unique_ptr<Container> container = Take(path);
  if (container != nullptr && !container->IsCurrent()) container.reset();
  if (container == nullptr) {
    absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(place);
    if (!store.ok()) return store.status();
    absl::StatusOr<std::unique_ptr<Container>> opened =
        Open(id, path, *std::move(store));
    if (!opened.ok()) return opened.status();
    container = *std::move(opened);
  }

  wire::ResourceStatistics statistics;
  statistics.set_timestamp(
      absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()));
  wire::ResourceStatistics by_cgroups;
  std::optional<wire::ResourceStatistics> by_processes;
  const absl::Status seen = CanBeSeen(container->records.launch->supervisor);
  if (!container->records.end.has_value() && !seen.ok() &&
      !absl::IsNotFound(seen)) {
    return seen;
  }
  const bool of_this_boot = seen.ok();
  if (!container->records.end.has_value() && of_this_boot) {
    by_cgroups = container->cgroups.Read();
    // /proc is asked only if the cgroups do not know it all.
    if (by_cgroups.processes() == 0 || !by_cgroups.has_cpus_user_time_secs() ||
        !by_cgroups.has_mem_rss_bytes()) {
      by_processes = UsageBelow(container->records.launch->supervisor);
    } else {
      by_processes = by_cgroups;
    }
    // If it has ended meanwhile, its processes were not found.
    const absl::Status read = container->ReadRecordsAgain();
    if (!read.ok()) return read;
  }
  if (container->records.end.has_value()) {
    SetStatistics(*container->records.end, &statistics);
    container->SetCpusLimit(id, &statistics);
    return std::optional<wire::ResourceStatistics>(std::move(statistics));
  }
  if (!by_processes.has_value()) {
    const absl::StatusOr<std::vector<ProcStat>> survivors =
        Survivors(*container->records.launch);
    if (!survivors.ok()) return survivors.status();
    if (survivors->empty()) return std::optional<wire::ResourceStatistics>();
    by_processes = UsageOf(*survivors);
  }
  statistics.MergeFrom(*by_processes);
  statistics.MergeFrom(by_cgroups);
  container->SetCpusLimit(id, &statistics);
  if (of_this_boot) Keep(std::move(container));
  return std::optional<wire::ResourceStatistics>(std::move(statistics));
}

void ContainerUsage::Forget(const std::string& id, const StorePlace& place) {
  const std::unique_ptr<Container> forgotten = Take(PathOf(id, place));
}

size_t ContainerUsage::kept() const {
  MutexLock lock(&mutex_);
  return kept_.size();
}

absl::StatusOr<std::unique_ptr<ContainerUsage::Container>> ContainerUsage::Open(
    const std::string& id, const std::string& path,
    std::shared_ptr<ContainerStore> store) {
  absl::StatusOr<UniqueFd> file = store->OpenLaunched(id);
  if (!file.ok()) return file.status();
  struct stat status;
  if (fstat(file->get(), &status) != 0) {
    return absl::ErrnoToStatus(errno, "cannot look at the container's file");
  }
  absl::StatusOr<ContainerRecords> records = ReadRecords(file->get());
  if (!records.ok()) return records.status();
  if (!records->launch.has_value()) {
    return absl::FailedPreconditionError(
        "its launch did not come to an end; destroy it");
  }
  return std::make_unique<Container>(path, *std::move(file), status,
                                     *std::move(records), std::move(store));
}

absl::StatusOr<std::shared_ptr<ContainerStore>> ContainerUsage::OpenStore(
    const StorePlace& place) {
  MutexLock lock(&mutex_);
  if (store_ != nullptr && store_->IsAt(place)) return store_;
  absl::StatusOr<std::shared_ptr<ContainerStore>> store =
      ContainerStore::Open(place);
  if (store.ok()) store_ = *store;
  return store;
}

std::unique_ptr<ContainerUsage::Container> ContainerUsage::Take(
    const std::string& path) {
  MutexLock lock(&mutex_);
  const auto found = kept_.find(path);
  if (found == kept_.end()) return nullptr;
  std::unique_ptr<Container> container = std::move(found->second);
  kept_.erase(found);
  return container;
}

void ContainerUsage::Keep(std::unique_ptr<Container> container) {
  const absl::Duration now = MonotonicNow();
  container->used = now;
  // Their files are closed without the lock.
  std::vector<std::unique_ptr<Container>> closed;
  MutexLock lock(&mutex_);
  if (!max_kept_.has_value()) max_kept_ = MaxKept();
  if (kept_.size() >= *max_kept_ || now - swept_ > kIdle) {
    swept_ = now;
    for (auto it = kept_.begin(); it != kept_.end();) {
      if (now - it->second->used <= kIdle) {
        ++it;
        continue;
      }
      closed.push_back(std::move(it->second));
      it = kept_.erase(it);
    }
  }
  // If it is full, the newcomer is not kept: taking turns would help nobody.
  if (kept_.size() < *max_kept_) {
    std::string path = container->path;
    kept_.emplace(std::move(path), std::move(container));
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer
