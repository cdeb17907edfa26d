// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/record_sequence.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace state {
namespace {

// A disk writes a sector whole, or not at all.
constexpr size_t kSectorBytes = 512;

// Whether the record from `begin` to `end` lacks its data from its beginning
// or from a sector on, and so does all that follows.
bool EndsInZeros(absl::string_view bytes, size_t begin, size_t end) {
  const size_t last = bytes.find_last_not_of('\0');
  const size_t data = last == bytes.npos ? 0 : last + 1;
  const size_t sectors = (data + kSectorBytes - 1) / kSectorBytes;
  return data <= begin || sectors * kSectorBytes < end;
}

}  // namespace

SequenceEnd ReadSequence(
    absl::string_view bytes, size_t max_record,
    absl::FunctionRef<absl::Status(absl::string_view payload)> accept) {
  SequenceEnd end;
  while (end.good_bytes < bytes.size()) {
    const absl::string_view rest = bytes.substr(end.good_bytes);
    const std::optional<absl::string_view> payload =
        WholeRecord(rest, max_record);
    absl::Status status;
    if (payload) {
      const size_t record = kRecordPrefixBytes + payload->size();
      status = accept(*payload);
      if (status.ok()) {
        end.good_bytes += record;
        continue;
      }
      end.torn = EndsInZeros(bytes, end.good_bytes, end.good_bytes + record);
      if (end.torn) return end;
    } else {
      RecordReader reader(max_record);
      if (reader.Feed(rest) == RecordReader::State::kNeedMore) {
        end.torn = true;
        return end;
      }
      status = std::move(reader).Finish().status();
    }
    end.damage = absl::DataLossError(
        absl::StrCat("at byte ", end.good_bytes, ": ", status.message()));
    return end;
  }
  return end;
}

}  // namespace state
}  // namespace external_containerizer
