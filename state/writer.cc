// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/writer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/read_options.h"
#include "external_containerizer/state/text_files.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/record_io.h"
#include "google/protobuf/message.h"

namespace external_containerizer {
namespace state {
namespace {

constexpr size_t kMaxDurable = 10'000;

std::string Join(absl::string_view a, absl::string_view b) {
  return absl::StrCat(a, "/", b);
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash);
}

// In the same directory, and hidden from Mesos.
std::string TemporaryName(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return Join(ParentOf(path), absl::StrCat(".", name, ".tmp"));
}

std::string MetaRun(const RunId& run) { return MetaPath(RunPath(run)); }

absl::Status Annotate(absl::Status status, absl::string_view what,
                      absl::string_view id) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("cannot record ", what, " ",
                                                  absl::CHexEscape(id), ": ",
                                                  status.message()));
}

}  // namespace

// A number of steps, and the directories that they have changed. The first step
// that fails makes the later ones do nothing.
class Writer::Change {
 public:
  explicit Change(Writer& writer) : writer_(writer) {}

  // All of `path` below `base`, which is on the disk ("" is the work_dir). A
  // directory that exists may be left over from a call that was interrupted,
  // and somebody may have removed one that was on the disk.
  void MakeDirectories(const std::string& base, absl::string_view path) {
    std::string next = base;
    while (status_.ok() && !path.empty()) {
      const size_t slash = std::min(path.find('/'), path.size());
      absl::StrAppend(&next, next.empty() ? "" : "/", path.substr(0, slash));
      path.remove_prefix(std::min(slash + 1, path.size()));
      const absl::Status made = writer_.files_->MakeDirectory(next);
      if (!absl::IsAlreadyExists(made)) status_ = made;
      if (made.ok() || !IsDurable(next)) Touch(ParentOf(next));
    }
  }

  void WriteFile(const std::string& path,
                 const absl::StatusOr<std::string>& bytes,
                 mode_t mode = kFileMode) {
    if (status_.ok()) status_ = bytes.status();
    if (!status_.ok()) return;
    // A full disk has no room for a second copy.
    const auto present = writer_.files_->ReadFile(path, kMaxFileBytes);
    if (present.ok() && *present == *bytes) return Touch(ParentOf(path));
    Replace(path, [&](const std::string& temporary) {
      return writer_.files_->MakeFile(temporary, *bytes, mode);
    });
  }

  void Link(const std::string& target, const std::string& path) {
    if (!status_.ok()) return;
    Replace(path, [&](const std::string& temporary) {
      return writer_.files_->MakeLink(target, temporary);
    });
  }

  // The steps so far are on the disk before later ones begin.
  void Sync() {
    for (const std::string& directory : changed_) {
      if (!status_.ok()) return;
      status_ = writer_.files_->SyncDirectory(directory);
    }
    changed_.clear();
  }

  // `shared` and what is above it need not be synced again.
  void Remember(const std::string& shared) {
    if (!status_.ok()) return;
    MutexLock lock(&writer_.mutex_);
    if (writer_.durable_.size() > kMaxDurable) writer_.durable_.clear();
    for (std::string path = shared; path != "."; path = ParentOf(path)) {
      writer_.durable_.insert(path);
    }
  }

  absl::Status Finish() {
    Sync();
    return status_;
  }

 private:
  bool IsDurable(const std::string& directory) {
    MutexLock lock(&writer_.mutex_);
    return writer_.durable_.count(directory) > 0;
  }

  void Touch(const std::string& directory) {
    if (std::find(changed_.begin(), changed_.end(), directory) ==
        changed_.end()) {
      changed_.push_back(directory);
    }
  }

  // `make` makes, under a temporary name, what is to be at `path`.
  void Replace(const std::string& path,
               absl::FunctionRef<absl::Status(const std::string&)> make) {
    const std::string temporary = TemporaryName(path);
    status_ = make(temporary);
    if (absl::IsAlreadyExists(status_)) {
      status_ = writer_.files_->Remove(temporary);
      if (status_.ok()) status_ = make(temporary);
    }
    if (status_.ok()) status_ = writer_.files_->Rename(temporary, path);
    if (status_.ok()) {
      Touch(ParentOf(path));
    } else {
      // If this fails as well, the next call that writes here removes it.
      (void)writer_.files_->Remove(temporary);
    }
  }

  Writer& writer_;
  absl::Status status_;
  std::vector<std::string> changed_;
};

absl::StatusOr<std::unique_ptr<Writer>> Writer::Open(std::string work_dir) {
  if (work_dir.empty() || work_dir[0] != '/') {
    return absl::InvalidArgumentError(absl::StrCat(
        "the work_dir \"", absl::CHexEscape(work_dir), "\" is not absolute"));
  }
  absl::StatusOr<std::unique_ptr<FileSystem>> files = OpenFileSystem(work_dir);
  if (!files.ok()) return files.status();
  return std::make_unique<Writer>(std::move(work_dir), std::move(*files));
}

Writer::Writer(std::string work_dir, std::unique_ptr<FileSystem> files)
    : work_dir_(std::move(work_dir)), files_(std::move(files)) {}

absl::StatusOr<std::string> Writer::Encode(
    const google::protobuf::Message& message) {
  absl::Status complete = wire::CheckComplete(message);
  if (!complete.ok()) return complete;
  if (message.ByteSizeLong() > kMaxFileBytes - kRecordPrefixBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", message.GetDescriptor()->name(),
                     " is larger than ", kMaxFileBytes, " bytes"));
  }
  return EncodeRecord(message.SerializeAsString());
}

absl::Status Writer::WriteFile(const std::string& base, absl::string_view below,
                               absl::string_view name,
                               const absl::StatusOr<std::string>& bytes,
                               mode_t mode) {
  std::string path = base;
  for (const absl::string_view part : {below, name}) {
    absl::StrAppend(&path, path.empty() || part.empty() ? "" : "/", part);
  }
  Change change(*this);
  change.MakeDirectories(base, below);
  change.WriteFile(path, bytes, mode);
  return change.Finish();
}

absl::Status Writer::RecordBootId(absl::string_view boot_id) {
  return Annotate(
      WriteFile("", kMetaDirectory, kBootIdFile, ParseBootId(boot_id)),
      "the boot", boot_id);
}

absl::Status Writer::RecordAgent(const wire::SlaveInfo& info) {
  const std::string& id = info.id().value();
  absl::Status status = ValidateDirectoryId("agent id", id);
  if (!status.ok()) return status;
  const std::string path = MetaPath(AgentPath(id));
  Change change(*this);
  change.MakeDirectories("", path);
  change.WriteFile(Join(path, kAgentInfoFile), Encode(info));
  change.Sync();
  change.Remember(path);
  change.Link(Join(work_dir_, path),
              MetaPath(Join(kAgentsDirectory, kLatestLink)));
  return Annotate(change.Finish(), "agent", id);
}

absl::Status Writer::RecordFramework(const std::string& agent,
                                     const wire::FrameworkInfo& info,
                                     absl::string_view pid) {
  const std::string& id = info.id().value();
  absl::Status status = ValidateDirectoryId("agent id", agent);
  if (status.ok()) status = ValidateDirectoryId("framework id", id);
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> upid = ParseUpid(pid);
  if (!upid.ok()) {
    return absl::InvalidArgumentError(upid.status().message());
  }
  const std::string path = MetaPath(FrameworkPath(agent, id));
  Change change(*this);
  change.MakeDirectories("", Join(path, kExecutorsDirectory));
  change.WriteFile(Join(path, kFrameworkPidFile), upid);
  change.Sync();
  change.Remember(Join(path, kExecutorsDirectory));
  change.WriteFile(Join(path, kFrameworkInfoFile), Encode(info));
  return Annotate(change.Finish(), "framework", id);
}

absl::Status Writer::RecordLaunch(const RunId& run,
                                  const wire::ExecutorInfo& info) {
  absl::Status status = Validate(run);
  if (!status.ok()) return status;
  for (const char* name : {kSentinelFile, kTerminationFile}) {
    const auto end = files_->ReadFile(Join(MetaRun(run), name), kMaxFileBytes);
    status = end.status();
    if (status.ok() && *end) {
      status = absl::AlreadyExistsError("it is recorded as ended");
    }
    if (!status.ok()) {
      return Annotate(status, "the launch of container", run.container);
    }
  }
  const std::string executor = MetaPath(ExecutorPath(run));
  Change change(*this);
  change.MakeDirectories("", MetaPath(RunsPath(run)));
  change.WriteFile(Join(executor, kExecutorInfoFile), Encode(info));
  // A run must not exist without its executor.
  change.Sync();
  change.Remember(ParentOf(executor));
  change.MakeDirectories(MetaPath(RunsPath(run)), run.container);
  return Annotate(change.Finish(), "the launch of container", run.container);
}

absl::Status Writer::RecordLaunched(const RunId& run) {
  absl::Status status = Validate(run);
  if (!status.ok()) return status;
  Change change(*this);
  change.Link(Join(work_dir_, MetaRun(run)),
              Join(MetaPath(RunsPath(run)), kLatestLink));
  return Annotate(change.Finish(), "that this was launched: container",
                  run.container);
}

absl::Status Writer::RecordUpdated(
    const RunId& run, const std::vector<wire::Resource>& resources) {
  absl::Status status = Validate(run);
  if (!status.ok()) return status;
  const std::string path = Join(MetaPath(ExecutorPath(run)), kExecutorInfoFile);
  absl::StatusOr<wire::ExecutorInfo> info = ReadExecutor(path);
  if (info.ok()) {
    info->clear_resources();
    for (const wire::Resource& resource : resources) {
      *info->add_resources() = resource;
    }
    status = WriteFile(MetaPath(ExecutorPath(run)), "", kExecutorInfoFile,
                       Encode(*info));
  } else {
    status = info.status();
  }
  return Annotate(status, "the resources of container", run.container);
}

absl::StatusOr<wire::ExecutorInfo> Writer::ReadExecutor(
    const std::string& path) {
  const auto bytes = files_->ReadFile(path, kMaxFileBytes);
  if (!bytes.ok()) return bytes.status();
  RecordReader reader(kMaxFileBytes);
  if (*bytes) reader.Feed(**bytes);
  const auto record = std::move(reader).Finish();
  if (!record.ok()) return record.status();
  wire::ExecutorInfo info;
  if (!*record) {
    return absl::NotFoundError(absl::StrCat(path, " is missing or empty"));
  }
  if (!info.ParsePartialFromString(**record)) {
    return absl::DataLossError(absl::StrCat(path, " is no ExecutorInfo"));
  }
  return info;
}

absl::Status Writer::RecordUnwanted(const RunId& run) {
  return WriteInRun(run, kUnwantedFile, std::string(), kMarkerMode,
                    "that this is to be destroyed: container");
}

absl::Status Writer::RecordExit(const RunId& run,
                                const wire::Termination& end) {
  return WriteInRun(run, kTerminationFile, Encode(end), kFileMode,
                    "the end of container");
}

absl::Status Writer::RecordCompleted(const RunId& run) {
  return WriteInRun(run, kSentinelFile, std::string(), kMarkerMode,
                    "that this is done: container");
}

absl::Status Writer::WriteInRun(const RunId& run, absl::string_view name,
                                const absl::StatusOr<std::string>& bytes,
                                mode_t mode, absl::string_view what) {
  absl::Status status = Validate(run);
  if (status.ok()) status = WriteFile(MetaRun(run), "", name, bytes, mode);
  return Annotate(status, what, run.container);
}

absl::Status Writer::ForgetExecutor(const RunId& run) {
  absl::Status status = Validate(run);
  if (!status.ok()) return status;
  const std::string executor = MetaPath(ExecutorPath(run));
  const std::string framework =
      MetaPath(FrameworkPath(run.agent, run.framework));
  // Nobody looks for an executor beside `executors`.
  const std::string removed = Join(framework, ".removed");
  MutexLock lock(&removal_mutex_);
  // Nothing may be removed before it is known to be gone from `executors`.
  const auto settle = [&]() -> absl::Status {
    for (const std::string& changed : {ParentOf(executor), framework}) {
      absl::Status synced = files_->SyncDirectory(changed);
      if (!synced.ok() && !absl::IsNotFound(synced)) return synced;
    }
    // If this fails, the next rename does.
    (void)files_->RemoveTree(removed);
    return absl::OkStatus();
  };
  status = files_->Rename(executor, removed);
  if (!status.ok() && !absl::IsNotFound(status)) {
    status = settle();
    if (status.ok()) status = files_->Rename(executor, removed);
  }
  if (status.ok() || absl::IsNotFound(status)) status = settle();
  return Annotate(status, "that this is forgotten: executor", run.executor);
}

absl::Status Writer::RecordForkedPid(const RunId& run, pid_t pid) {
  absl::Status status = Validate(run);
  if (status.ok() && pid < 1) {
    status = absl::InvalidArgumentError(absl::StrCat(pid, " is not a pid"));
  }
  if (status.ok()) {
    status = WriteFile(MetaRun(run), kPidsDirectory, kForkedPidFile,
                       FormatForkedPid(pid));
  }
  return Annotate(status, "a pid of container", run.container);
}

}  // namespace state
}  // namespace external_containerizer
