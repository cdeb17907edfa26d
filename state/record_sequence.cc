// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/record_sequence.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace state {
namespace {

// What a disk writes whole, or not at all.
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
    absl::FunctionRef<absl::Status(const std::string& payload)> accept) {
  SequenceEnd end;
  while (end.good_bytes < bytes.size()) {
    const absl::string_view rest = bytes.substr(end.good_bytes);
    RecordReader reader(max_record);
    reader.Feed(rest);
    const RecordReader::State state = reader.state();
    const size_t record =
        rest.size() - static_cast<size_t>(reader.trailing_bytes());
    if (state == RecordReader::State::kNeedMore) {
      end.torn = true;
      return end;
    }
    absl::StatusOr<std::optional<std::string>> payload =
        std::move(reader).Finish();
    absl::Status status = payload.status();
    if (status.ok()) {
      status = accept(**payload);
      end.torn = !status.ok() &&
                 EndsInZeros(bytes, end.good_bytes, end.good_bytes + record);
      if (end.torn) return end;
    }
    if (!status.ok()) {
      end.damage = absl::DataLossError(
          absl::StrCat("at byte ", end.good_bytes, ": ", status.message()));
      return end;
    }
    end.good_bytes += record;
  }
  return end;
}

}  // namespace state
}  // namespace external_containerizer
