// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The contents of task.updates. Pure.
//
//   UpdateLog log = ReadUpdateLog(bytes, kMaxFileBytes);
//   if (!log.end.damage.ok()) Report(log.end.damage);

#ifndef EXTERNAL_CONTAINERIZER_STATE_UPDATE_LOG_H_
#define EXTERNAL_CONTAINERIZER_STATE_UPDATE_LOG_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/state/record_sequence.h"

namespace external_containerizer {
namespace state {

inline constexpr size_t kUuidBytes = 16;

struct UpdateLog {
  // All updates, in the order in which they were appended.
  std::vector<wire::StatusUpdate> updates;
  // The uuids of updates that were acknowledged.
  std::set<std::string> acks;
  // Whether all of the file could be read.
  SequenceEnd end;
};

// A record without its type, its update or a uuid of 16 bytes is damage. (Mesos
// reads a few of these records, and aborts later.)
UpdateLog ReadUpdateLog(absl::string_view bytes, size_t max_record);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_UPDATE_LOG_H_
