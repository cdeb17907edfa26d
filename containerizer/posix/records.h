// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The frame of what is on disk: a record (record_io.h) whose payload is the
// checksum of the bytes that follow it (8 bytes, little endian), and those
// bytes, a message of records.proto.
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

// The newest version of files that this code reads, and what it writes.
inline constexpr uint32_t kRecordVersion = 1;

// No message is larger.
inline constexpr size_t kMaxMessage = 64 << 10;

std::string FramedRecord(absl::string_view message);

// Finds the records of a file one after another.
class RecordScanner {
 public:
  // `file` must outlive the scanner.
  explicit RecordScanner(absl::string_view file) : rest_(file) {}

  // The next message whose checksum is right; those that are damaged are
  // passed over. nullopt at the end, and where no record can be found.
  std::optional<absl::string_view> Next();

  // Whether Next() has met what no crash can have left: something else than
  // whole records, and one at the end that is half-written.
  bool damaged() const { return damaged_; }

 private:
  absl::string_view rest_;
  bool damaged_ = false;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_RECORDS_H_
