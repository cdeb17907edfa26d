// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/records.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/checksum.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr size_t kChecksumBytes = 8;

constexpr size_t kMaxPayload = kChecksumBytes + kMaxMessage;

std::string ChecksumOf(absl::string_view message) {
  const uint64_t checksum = Checksum(message);
  std::string bytes;
  for (size_t i = 0; i < kChecksumBytes; ++i) {
    bytes += static_cast<char>(checksum >> (8 * i) & 0xff);
  }
  return bytes;
}

}  // namespace

std::string FramedRecord(absl::string_view message) {
  return EncodeRecord(absl::StrCat(ChecksumOf(message), message));
}

std::optional<absl::string_view> RecordScanner::Next() {
  while (!rest_.empty()) {
    const std::optional<absl::string_view> payload =
        WholeRecord(rest_, kMaxPayload);
    if (!payload.has_value()) {
      RecordReader half(kMaxPayload);
      damaged_ |= half.Feed(rest_) == RecordReader::State::kFailed;
      return std::nullopt;
    }
    rest_.remove_prefix(kRecordPrefixBytes + payload->size());
    if (payload->size() >= kChecksumBytes) {
      const absl::string_view message = payload->substr(kChecksumBytes);
      if (payload->substr(0, kChecksumBytes) == ChecksumOf(message)) {
        return message;
      }
    }
    damaged_ = true;
  }
  return std::nullopt;
}

}  // namespace posix_internal
}  // namespace external_containerizer
