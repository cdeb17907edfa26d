// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/update_log.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/parse.h"

namespace external_containerizer {
namespace state {
namespace {

absl::Status CheckUuid(absl::string_view uuid) {
  if (uuid.size() == kUuidBytes) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("a uuid of ", uuid.size(),
                                          " bytes instead of ", kUuidBytes));
}

absl::Status Validate(const wire::StatusUpdateRecord& record) {
  if (!record.has_type()) {
    return absl::DataLossError("a record of no known type");
  }
  if (record.type() == wire::StatusUpdateRecord::ACK) {
    return CheckUuid(record.uuid());
  }
  if (!record.has_update()) {
    return absl::DataLossError("an update record without its update");
  }
  absl::Status complete = wire::CheckComplete(record);
  if (!complete.ok()) return complete;
  return CheckUuid(record.update().uuid());
}

}  // namespace

UpdateLog ReadUpdateLog(absl::string_view bytes, size_t max_record) {
  UpdateLog log;
  log.end = ReadSequence(bytes, max_record, [&](absl::string_view payload) {
    wire::StatusUpdateRecord record;
    if (!Parse(payload, record)) {
      return absl::DataLossError("no status update record");
    }
    absl::Status status = Validate(record);
    if (!status.ok()) return status;
    if (record.type() == wire::StatusUpdateRecord::ACK) {
      log.acks.insert(std::move(*record.mutable_uuid()));
    } else {
      log.updates.push_back(std::move(*record.mutable_update()));
    }
    return absl::OkStatus();
  });
  return log;
}

}  // namespace state
}  // namespace external_containerizer
