// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/posix_program.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/container_launch.h"
#include "external_containerizer/containerizer/posix/container_processes.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/container_store.h"
#include "external_containerizer/containerizer/program/error_line.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

using namespace posix_internal;  // NOLINT(build/namespaces)

namespace {

constexpr absl::Duration kMaxGrace = absl::Hours(24);

// A supervisor has this time to end after it has killed its container. Then it
// is killed itself.
constexpr absl::Duration kSupervisorMargin = absl::Seconds(10);

absl::StatusOr<std::shared_ptr<ContainerStore>> OpenStore(
    const Context& context) {
  return ContainerStore::Open(StorePlaceOf(context));
}

// Writes a line to stderr, besides the answer.
void Say(absl::string_view text) {
  fprintf(stderr, "%s\n", ErrorLine("posix", text).c_str());
}

// Removes a container whose supervisor has ended, or did not end in time. The
// caller has the lock.
absl::Status RemoveContainer(ContainerStore& store, const std::string& id,
                             ContainerRecords records) {
  if (records.end.has_value() && records.end->complete() != 0)
    records.launch.reset();
  if (records.launch.has_value()) {
    const absl::StatusOr<UniqueFd> supervisor =
        FindProcess(records.launch->supervisor);
    if (!supervisor.ok()) return supervisor.status();
    if (supervisor->valid()) SendSignal(supervisor->get(), SIGKILL);
  }
  if (absl::Status ended = EndContainer(records); !ended.ok()) return ended;
  return store.Remove(id);
}

// Removes a container whose supervisor is not known. `file` is its file,
// locked.
absl::Status RemoveDamaged(ContainerStore& store, const std::string& id,
                           const StorePlace& place, int file) {
  const absl::StatusOr<bool> found = EndDamagedContainer(file);
  if (!found.ok()) return found.status();
  if (!*found) {
    return absl::DataLossError(absl::StrCat(
        "the container's file ", ContainersPath(place), "/", id,
        " is damaged, and nothing was found that runs of it: no process with ",
        kTokenVariable, "=", TokenPrefix(file),
        "... in its environment, nor a cgroup that the file still names. If "
        "nothing does, remove the file; else end that before"));
  }
  Say(absl::StrCat("destroy of container ", id,
                   ": its file was damaged; what was found of it, by cgroup "
                   "and environment, was killed"));
  return store.Remove(id);
}

absl::Status RecoverContainer(ContainerStore& store, const std::string& id) {
  // A container that is being launched now is locked.
  const absl::StatusOr<std::optional<UniqueFd>> lock = store.TryLock(id);
  if (!lock.ok() || !lock->has_value()) return absl::OkStatus();
  const absl::StatusOr<ContainerRecords> records = ReadRecords((*lock)->get());
  if (!records.ok()) return records.status();
  // The launch was killed before it had started a process.
  if (!records->launch.has_value() && !records->end.has_value()) {
    return RemoveContainer(store, id, *records);
  }
  // The supervisor may have been killed at its very end.
  if (records->end.has_value() && records->end->complete() != 0) {
    (void)RemoveCgroups(records->cgroups, absl::ZeroDuration());
  }
  return absl::OkStatus();
}

absl::Status RecoverContainers(const Context& context) {
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return store.status();
  const absl::StatusOr<std::vector<std::string>> ids = (*store)->List();
  if (!ids.ok()) return ids.status();
  for (const std::string& id : *ids) {
    const absl::Status recovered = RecoverContainer(**store, id);
    if (recovered.ok()) continue;
    // It stays in the list, and destroy says the same. The others go on.
    Say(absl::StrCat("recover of container ", id, ": ", WithCode(recovered)));
  }
  return absl::OkStatus();
}

}  // namespace

PosixProgram::PosixProgram() : PosixProgram(Options()) {}

PosixProgram::PosixProgram(Options options)
    : options_(std::move(options)), waits_(watcher_) {
  options_.grace = std::clamp(options_.grace, absl::ZeroDuration(), kMaxGrace);
}

void PosixProgram::Launch(const wire::Launch& request, const Context& context,
                          Reply<void> reply) {
  std::move(reply)(LaunchContainer(request, context, options_));
}

void PosixProgram::Update(const wire::Update& request, const Context& context,
                          Reply<void> reply) {
  std::move(reply)(UpdateLimits(request, context, options_));
}

void PosixProgram::Usage(const wire::Usage& request, const Context& context,
                         Reply<std::optional<wire::ResourceStatistics>> reply) {
  std::move(reply)(
      usage_.Read(request.container_id().value(), StorePlaceOf(context)));
}

void PosixProgram::Wait(const wire::Wait& request, const Context& context,
                        Reply<wire::Termination> reply) {
  waits_.Wait(request.container_id().value(), context, std::move(reply));
}

void PosixProgram::Destroy(const wire::Destroy& request, const Context& context,
                           Reply<void> reply) {
  const std::string& id = request.container_id().value();
  usage_.Forget(id, StorePlaceOf(context));
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return std::move(reply)(store.status());
  absl::StatusOr<UniqueFd> lock = (*store)->Lock(id);
  if (absl::IsNotFound(lock.status())) {
    return std::move(reply)(absl::OkStatus());
  }
  if (!lock.ok()) return std::move(reply)(lock.status());
  const absl::StatusOr<ContainerRecords> records = ReadRecords(lock->get());
  if (absl::IsDataLoss(records.status())) {
    return std::move(reply)(
        RemoveDamaged(**store, id, StorePlaceOf(context), lock->get()));
  }
  if (!records.ok()) return std::move(reply)(records.status());
  absl::StatusOr<UniqueFd> supervisor = UniqueFd();
  if (records->launch.has_value()) {
    supervisor = FindProcess(records->launch->supervisor);
  }
  if (!supervisor.ok()) return std::move(reply)(supervisor.status());
  if (!supervisor->valid()) {
    return std::move(reply)(Remove(**store, id, *records));
  }
  // Other processes may destroy it meanwhile.
  lock->Reset();
  TellToTerminate(*supervisor, options_.grace);
  auto finish = [this, store = *std::move(store), id = id,
                 token = records->launch->token,
                 reply = std::move(reply)](absl::Status ended) mutable {
    if (absl::IsResourceExhausted(ended)) {
      return std::move(reply)(std::move(ended));
    }
    // All waits share the watcher's thread, so it must not block.
    aside_.Run([this, store = std::move(store), id = std::move(id),
                token = std::move(token), reply = std::move(reply)]() mutable {
      std::move(reply)(FinishDestroy(*store, id, token));
    });
  };
  watcher_.Watch(*std::move(supervisor), options_.grace + kSupervisorMargin,
                 std::move(finish));
}

absl::Status PosixProgram::Remove(ContainerStore& store, const std::string& id,
                                  const ContainerRecords& records) {
  waits_.BeforeRemoval(records);
  return RemoveContainer(store, id, records);
}

absl::Status PosixProgram::FinishDestroy(ContainerStore& store,
                                         const std::string& id,
                                         const std::string& token) {
  absl::StatusOr<UniqueFd> lock = store.Lock(id);
  if (absl::IsNotFound(lock.status())) return absl::OkStatus();
  if (!lock.ok()) return lock.status();
  const absl::StatusOr<ContainerRecords> records = ReadRecords(lock->get());
  if (!records.ok()) return records.status();
  // Another process has destroyed it, and it was launched anew.
  if (!records->launch.has_value() || records->launch->token != token) {
    return absl::OkStatus();
  }
  return Remove(store, id, *records);
}

void PosixProgram::Containers(const Context& context,
                              Reply<wire::Containers> reply) {
  absl::StatusOr<std::shared_ptr<ContainerStore>> store = OpenStore(context);
  if (!store.ok()) return std::move(reply)(store.status());
  const absl::StatusOr<std::vector<std::string>> ids = (*store)->List();
  if (!ids.ok()) return std::move(reply)(ids.status());
  wire::Containers containers;
  for (const std::string& id : *ids) {
    containers.add_containers()->set_value(id);
  }
  std::move(reply)(std::move(containers));
}

void PosixProgram::Recover(const Context& context, Reply<void> reply) {
  std::move(reply)(RecoverContainers(context));
}

}  // namespace external_containerizer
