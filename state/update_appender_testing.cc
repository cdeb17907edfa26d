// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/update_appender_testing.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/state/read_options.h"
#include "external_containerizer/state/update_log.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace state {
namespace {

constexpr mode_t kMode = 0644;

}  // namespace

absl::StatusOr<UpdateAppender> UpdateAppender::Open(FileSystem& files,
                                                    const std::string& path,
                                                    Repair repair) {
  const absl::StatusOr<std::optional<std::string>> bytes =
      files.ReadFile(path, kMaxFileBytes);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<std::unique_ptr<WritableFile>> file =
      *bytes ? files.OpenFile(path) : files.MakeFile(path, kMode);
  if (!file.ok()) return file.status();
  UpdateAppender appender(path, std::move(*file));
  if (*bytes) {
    const SequenceEnd end = ReadUpdateLog(**bytes, kMaxFileBytes).end;
    if (!end.damage.ok() && repair == Repair::kTorn) {
      return absl::DataLossError(
          absl::StrCat(absl::CHexEscape(path), ": ", end.damage.message()));
    }
    appender.size_ = end.good_bytes;
    appender.cut_off_bytes_ = (*bytes)->size() - end.good_bytes;
    if (appender.cut_off_bytes_ > 0) {
      absl::Status status = appender.file_->Truncate(end.good_bytes);
      if (!status.ok()) return status;
    }
  }
  // Also if nothing was cut: an earlier life may have read what it had written
  // and not synced.
  absl::Status status = appender.file_->Sync();
  if (status.ok()) {
    status = files.SyncDirectory(path.substr(0, path.rfind('/')));
  }
  if (!status.ok()) return status;
  return appender;
}

absl::Status UpdateAppender::AppendUpdate(const wire::StatusUpdate& update) {
  wire::StatusUpdateRecord record;
  record.set_type(wire::StatusUpdateRecord::UPDATE);
  *record.mutable_update() = update;
  return Append(record);
}

absl::Status UpdateAppender::AppendAck(absl::string_view uuid) {
  wire::StatusUpdateRecord record;
  record.set_type(wire::StatusUpdateRecord::ACK);
  record.set_uuid(std::string(uuid));
  return Append(record);
}

absl::Status UpdateAppender::Append(const wire::StatusUpdateRecord& record) {
  absl::Status status = Validate(record);
  if (!status.ok()) return status;
  if (broken_) {
    return absl::FailedPreconditionError(
        absl::StrCat(absl::CHexEscape(path_),
                     " is in an unknown state since an append failed"));
  }
  const std::string bytes = EncodeRecord(record.SerializeAsString());
  if (size_ + bytes.size() > kMaxFileBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(absl::CHexEscape(path_), " would become larger than ",
                     kMaxFileBytes, " bytes"));
  }
  status = file_->Append(bytes);
  if (status.ok()) {
    status = file_->Sync();
    broken_ = !status.ok();
  }
  if (!status.ok()) {
    if (!file_->Truncate(size_).ok()) broken_ = true;
    return status;
  }
  size_ += bytes.size();
  return absl::OkStatus();
}

}  // namespace state
}  // namespace external_containerizer
