// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The records that programs and the agent write to pipes.
//
//   ┌──────────────────┬─────────────┐
//   │ length (4 bytes) │ the payload │
//   └──────────────────┴─────────────┘
//
// The length of the payload, which may be 0, is in little-endian order. (Mesos
// writes it in the host's order, and ran on little-endian machines only.)
//
//   absl::Status status = WriteRecord(STDOUT_FILENO, message);
//   absl::StatusOr<std::optional<std::string>> answer =
//       ReadRecord(STDIN_FILENO, 1 << 20);

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_RECORD_IO_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_RECORD_IO_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

inline constexpr size_t kRecordPrefixBytes = 4;

// Returns the bytes of a record. `payload` is shorter than 4 GiB.
std::string EncodeRecord(absl::string_view payload);

// Returns the payload of the record at the beginning of `bytes`, or nullopt if
// the record is incomplete or its payload is larger than `max_payload`. A
// RecordReader says which, and quotes it.
std::optional<absl::string_view> WholeRecord(absl::string_view bytes,
                                             size_t max_payload);

// Takes the bytes of a stream as they come and finds the one record at its
// beginning. Its memory is bounded by twice the bytes that have arrived, and by
// `max_payload`, whatever length the stream announces.
class RecordReader {
 public:
  enum class State {
    kNeedMore,
    kComplete,
    kFailed,  // Too large, or not a record. More bytes do not help.
  };

  explicit RecordReader(size_t max_payload) : max_payload_(max_payload) {}

  State state() const;

  // The number of bytes that the record still needs, as far as known: a caller
  // that reads no more does not take bytes that follow the record. 0 if the
  // record is complete or has failed.
  size_t missing() const;

  // The number of bytes of the stream so far, and how many of them came after a
  // complete record or after a failure: those are counted and dropped.
  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t trailing_bytes() const { return trailing_bytes_; }

  State Feed(absl::string_view bytes);

  // Feeds the bytes of one read(), at most `limit` and at most 64 KiB. Returns
  // false at the end of the stream, and true otherwise, also if a non-blocking
  // descriptor has no bytes now.
  absl::StatusOr<bool> ReadFrom(int fd, size_t limit = kMaxRead);

  // Returns the record of a stream that ends here, or nullopt if the stream was
  // empty. Otherwise DATA_LOSS, with a message that quotes its beginning.
  absl::StatusOr<std::optional<std::string>> Finish() &&;

 private:
  static constexpr size_t kMaxRead = 64 << 10;
  uint32_t Announced() const;

  size_t max_payload_;
  std::string first_bytes_;  // The prefix and more, to be quoted.
  std::string payload_;
  uint64_t total_bytes_ = 0;
  uint64_t trailing_bytes_ = 0;
};

// Reads one record and no byte after it. Returns nullopt if the stream is
// empty, DATA_LOSS as RecordReader::Finish(), and other errors if read() fails.
// Blocks, also if `fd` is non-blocking.
absl::StatusOr<std::optional<std::string>> ReadRecord(int fd,
                                                      size_t max_payload);

// Writes one record. Blocks, also if `fd` is non-blocking. A closed pipe raises
// SIGPIPE, and is an error if the process ignores that signal.
absl::Status WriteRecord(int fd, absl::string_view payload);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_RECORD_IO_H_
