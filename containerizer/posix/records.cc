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

// Numbers of the types of fields in protobuf's wire format.
constexpr int kFixed64 = 1;
constexpr int kLengthDelimited = 2;
constexpr int kFixed32 = 5;

void AppendLittleEndian(uint64_t value, size_t bytes, std::string& to) {
  for (size_t i = 0; i < bytes; ++i) {
    to += static_cast<char>(value >> (8 * i) & 0xff);
  }
}

char Tag(int field, int type) { return static_cast<char>(field << 3 | type); }

// The length that a record begins with; 0 if it is not all there.
size_t Announces(absl::string_view record) {
  size_t length = 0;
  if (record.size() < kRecordPrefixBytes) return length;
  for (size_t i = kRecordPrefixBytes; i > 0; --i) {
    length = length << 8 | static_cast<unsigned char>(record[i - 1]);
  }
  return length;
}

std::string ChecksumOf(absl::string_view message) {
  std::string bytes;
  AppendLittleEndian(Checksum(message), kChecksumBytes, bytes);
  return bytes;
}

}  // namespace

std::string FramedRecord(absl::string_view message) {
  return EncodeRecord(absl::StrCat(ChecksumOf(message), message));
}

std::optional<absl::string_view> RecordScanner::Next() {
  while (!rest_.empty()) {
    const std::optional<absl::string_view> payload =
        WholeRecord(rest_, rest_.size());
    if (!payload.has_value()) {
      damaged_ |= Announces(rest_) > kChecksumBytes + kMaxMessage;
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

void FixedMessage::Add32(int field, uint32_t value) {
  bytes_ += Tag(field, kFixed32);
  AppendLittleEndian(value, sizeof(value), bytes_);
}

void FixedMessage::Add64(int field, uint64_t value) {
  bytes_ += Tag(field, kFixed64);
  AppendLittleEndian(value, sizeof(value), bytes_);
}

void FixedMessage::AddMessage(int field, const FixedMessage& message) {
  bytes_ += Tag(field, kLengthDelimited);
  bytes_ += static_cast<char>(message.bytes_.size());
  bytes_ += message.bytes_;
}

}  // namespace posix_internal
}  // namespace external_containerizer
