// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/mesos_writer_testing.h"

#include "absl/strings/str_cat.h"
#include "external_containerizer/state/file_system.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace state {
namespace {

std::string MetaRun(const RunId& run) { return MetaPath(RunPath(run)); }

}  // namespace

absl::Status MesosWriter::RecordResources(
    const std::vector<wire::Resource>& resources) {
  std::string bytes;
  for (const wire::Resource& resource : resources) {
    const absl::StatusOr<std::string> record = Encode(resource);
    if (!record.ok()) return record.status();
    bytes += *record;
  }
  return WriteFile("", MetaPath(kResourcesDirectory), kResourcesInfoFile,
                   bytes);
}

absl::Status MesosWriter::ForgetAgent() {
  const std::string agents = MetaPath(kAgentsDirectory);
  absl::Status status = files().Remove(absl::StrCat(agents, "/", kLatestLink));
  if (absl::IsNotFound(status)) status = absl::OkStatus();
  return status.ok() ? files().SyncDirectory(agents) : status;
}

absl::Status MesosWriter::RecordTask(const RunId& run, const wire::Task& task) {
  const std::string& id = task.task_id().value();
  absl::Status status = Validate(run);
  if (status.ok()) status = ValidateDirectoryId("task id", id);
  if (!status.ok()) return status;
  return WriteFile(MetaRun(run), absl::StrCat(kTasksDirectory, "/", id),
                   kTaskInfoFile, Encode(task));
}

absl::Status MesosWriter::RecordLibprocessPid(const RunId& run,
                                              absl::string_view upid) {
  return WriteFile(MetaRun(run), kPidsDirectory, kLibprocessPidFile,
                   std::string(upid));
}

absl::Status MesosWriter::RecordHttp(const RunId& run) {
  return WriteFile(MetaRun(run), "", kHttpMarkerFile, std::string(),
                   kMarkerMode);
}

absl::Status MesosWriter::RecordUpdates(
    const RunId& run, const std::string& task,
    const std::vector<wire::StatusUpdate>& updates,
    const std::vector<std::string>& acks) {
  absl::Status status = Validate(run);
  if (status.ok()) status = ValidateDirectoryId("task id", task);
  if (!status.ok()) return status;
  std::string bytes;
  for (const wire::StatusUpdate& update : updates) {
    wire::StatusUpdateRecord record;
    record.set_type(wire::StatusUpdateRecord::UPDATE);
    *record.mutable_update() = update;
    bytes += EncodeRecord(record.SerializeAsString());
  }
  for (const std::string& uuid : acks) {
    wire::StatusUpdateRecord record;
    record.set_type(wire::StatusUpdateRecord::ACK);
    record.set_uuid(uuid);
    bytes += EncodeRecord(record.SerializeAsString());
  }
  return WriteFile(absl::StrCat(MetaRun(run), "/", kTasksDirectory, "/", task),
                   "", kTaskUpdatesFile, bytes, kMarkerMode);
}

}  // namespace state
}  // namespace external_containerizer
