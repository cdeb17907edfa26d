// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Files that are a sequence of records, appended one after another:
// task.updates and resources.info. Pure; the framing is the transport's.

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
  // The records that are good take this many bytes. What follows them, if it
  // is not nothing, cannot be read, and who appends must cut it off first.
  size_t good_bytes = 0;

  // What follows is the beginning of an append that a crash interrupted: a
  // record that is not all there, or that is zeros from its beginning or from
  // a sector on, as in a file whose new size reached the disk before its data
  // (which Mesos takes for damage).
  bool torn = false;

  // What follows is neither nothing nor torn: DATA_LOSS, saying why. Records
  // may have been lost.
  absl::Status damage;
};

// Gives the payload of each record to `accept`, in order, until it refuses one
// or no record follows. A record that announces more than `max_record` bytes
// is damage, not torn.
SequenceEnd ReadSequence(
    absl::string_view bytes, size_t max_record,
    absl::FunctionRef<absl::Status(absl::string_view payload)> accept);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_RECORD_SEQUENCE_H_
