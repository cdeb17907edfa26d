// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Records on pipes: what programs and the agent say to each other.
//
//   ┌──────────────────┬─────────────┐
//   │ length (4 bytes) │ the payload │
//   └──────────────────┴─────────────┘
//
// The length is that of the payload, which may be 0, in little-endian order.
// (Mesos says: in the host's order. That is the same wherever it ran.)

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_RECORD_IO_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_RECORD_IO_H_

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

inline constexpr size_t kRecordPrefixBytes = 4;
inline constexpr size_t kMaxRecordPayload = 0xffffffff;

// The bytes of a record; its payload is at most kMaxRecordPayload.
std::string EncodeRecord(absl::string_view payload);

// The payload of the record that `bytes` begin with, if all of it is there and
// it is no larger than `max_payload`. If not, a RecordReader says why.
std::optional<absl::string_view> WholeRecord(absl::string_view bytes,
                                             size_t max_payload);

// Takes the bytes of a stream as they come and finds the one record that it
// starts with. Nothing that a stream contains makes it use more memory than
// twice what has arrived, or than `max_payload`.
class RecordReader {
 public:
  enum class State {
    kNeedMore,
    kComplete,
    kFailed,  // Too large, or no record at all. More bytes will not mend it.
  };

  explicit RecordReader(size_t max_payload) : max_payload_(max_payload) {}

  State state() const;

  // How many bytes the record is known to need: a reader that takes no more
  // leaves alone what comes after it. 0 once it is complete or has failed.
  size_t missing() const;

  // All bytes of the stream so far, and those of them after a complete record
  // or after a failure. They are counted and dropped.
  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t trailing_bytes() const { return trailing_bytes_; }

  State Feed(absl::string_view bytes);

  // Feeds what one read() yields, at most 64 KiB. False at the end of the
  // stream; true if there may be more, also when there is nothing now.
  absl::StatusOr<bool> ReadFrom(int fd);

  // What the stream was, if it ended here: one record, or nullopt if it was
  // empty. Else DATA_LOSS, with a sentence that shows how it begins.
  absl::StatusOr<std::optional<std::string>> Finish() &&;

 private:
  uint32_t Announced() const;

  size_t max_payload_;
  std::string first_bytes_;  // Of the stream: the prefix, and some to quote.
  std::string payload_;
  uint64_t total_bytes_ = 0;
  uint64_t trailing_bytes_ = 0;
};

// A record on its way out, for a descriptor that takes some bytes at a time:
//
//   auto pieces = writer.Remaining();
//   ssize_t n = writev(fd, pieces.data(), pieces.size());
//   if (n > 0) writer.Advance(static_cast<size_t>(n));
class RecordWriter {
 public:
  // `payload` is at most kMaxRecordPayload.
  explicit RecordWriter(std::string payload);

  // What is not written yet; a piece may be empty. Valid until Advance(), and
  // until the writer moves.
  std::array<iovec, 2> Remaining() const;
  void Advance(size_t bytes) { written_ += bytes; }
  bool done() const;

 private:
  std::array<char, kRecordPrefixBytes> prefix_;
  std::string payload_;
  size_t written_ = 0;
};

// For programs: these two block, also if `fd` is non-blocking.

// Reads one record and not a byte more. nullopt if the stream ends before it;
// DATA_LOSS if it is none, as above; other errors if it cannot be read.
absl::StatusOr<std::optional<std::string>> ReadRecord(int fd,
                                                      size_t max_payload);

// A closed pipe raises SIGPIPE, and is an error where that is ignored.
absl::Status WriteRecord(int fd, absl::string_view payload);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_RECORD_IO_H_
