// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The format of files: a sequence of records (record_io.h). The payload of each
// is a checksum of 8 bytes, little endian, and a message of records.proto.
//
//   ┌──────────────────┬────────────────────┬─────────────┐
//   │ length (4 bytes) │ checksum (8 bytes) │ the message │
//   └──────────────────┴────────────────────┴─────────────┘
//
//   std::string file = FramedRecord(message.SerializeAsString());
//   RecordScanner scanner(file);
//   while (std::optional<absl::string_view> message = scanner.Next()) ...

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_RECORDS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace posix_internal {

// The version of the files that this code writes, and the newest that it reads.
inline constexpr uint32_t kRecordVersion = 1;

// A longer message counts as damaged.
inline constexpr size_t kMaxMessage = 64 << 10;

// Returns the record that holds `message`.
std::string FramedRecord(absl::string_view message);

// Finds the messages of a file one after another.
class RecordScanner {
 public:
  // `file` must outlive the scanner.
  explicit RecordScanner(absl::string_view file) : rest_(file) {}

  // Returns the next message whose checksum is right, and skips those that are
  // damaged. nullopt at the end, or if no further record can be found.
  std::optional<absl::string_view> Next();

  // Returns whether Next() has met damage. A record at the end that a crash
  // left half-written is no damage.
  bool damaged() const { return damaged_; }

 private:
  absl::string_view rest_;
  bool damaged_ = false;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_RECORDS_H_
