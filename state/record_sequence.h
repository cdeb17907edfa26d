// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads files that are a sequence of records, one appended after another:
// task.updates and resources.info. Pure. A record is framed as on the wire
// (transport/record_io.h).
//
//   SequenceEnd end = ReadSequence(bytes, kMaxFileBytes, [&](auto payload) {
//     records.emplace_back(payload);
//     return absl::OkStatus();
//   });

#ifndef EXTERNAL_CONTAINERIZER_STATE_RECORD_SEQUENCE_H_
#define EXTERNAL_CONTAINERIZER_STATE_RECORD_SEQUENCE_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace state {

// How a sequence ends.
struct SequenceEnd {
  // The good records take this many bytes. A rest after them cannot be read,
  // and must be cut off before something is appended.
  size_t good_bytes = 0;

  // The rest is the beginning of an append that a crash interrupted: a record
  // that is not complete, or that is zeros from its beginning or from a sector
  // on. Zeros are left if the new size of a file reaches the disk before its
  // data does. (Mesos takes them for damage.)
  bool torn = false;

  // DATA_LOSS if the rest is not torn, and says why. Records may have been
  // lost.
  absl::Status damage;
};

// Gives the payload of each record to `accept`, in order, until it returns an
// error or no record follows. A record that announces more than `max_record`
// bytes is damage, not torn.
SequenceEnd ReadSequence(
    absl::string_view bytes, size_t max_record,
    absl::FunctionRef<absl::Status(absl::string_view payload)> accept);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_RECORD_SEQUENCE_H_
