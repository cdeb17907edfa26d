// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/record_io.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

constexpr size_t kFirstBytes = 64;
constexpr size_t kReadBytes = 64 << 10;

std::array<char, kRecordPrefixBytes> Prefix(size_t payload) {
  std::array<char, kRecordPrefixBytes> prefix;
  for (char& byte : prefix) {
    byte = static_cast<char>(payload & 0xff);
    payload >>= 8;
  }
  return prefix;
}

uint32_t LengthIn(absl::string_view prefix) {
  uint32_t length = 0;
  for (size_t i = kRecordPrefixBytes; i > 0; --i) {
    length = length << 8 | static_cast<unsigned char>(prefix[i - 1]);
  }
  return length;
}

// Four such bytes would be a length of more than 150 MB.
bool LooksLikeText(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return absl::ascii_isprint(byte) || absl::ascii_isspace(byte) ||
           c == '\x1b';
  });
}

// The outcome of poll() is not needed: what follows it says what is wrong.
void WaitFor(int fd, short events) {
  pollfd ready{fd, events, 0};
  poll(&ready, 1, -1);
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

std::array<iovec, 2> RemainingOf(
    const std::array<char, kRecordPrefixBytes>& prefix,
    absl::string_view payload, size_t written) {
  const size_t of_prefix = std::min(written, prefix.size());
  const size_t of_payload = written - of_prefix;
  return {iovec{const_cast<char*>(prefix.data()) + of_prefix,
                prefix.size() - of_prefix},
          iovec{const_cast<char*>(payload.data()) + of_payload,
                payload.size() - of_payload}};
}

}  // namespace

std::string EncodeRecord(absl::string_view payload) {
  const auto prefix = Prefix(payload.size());
  return absl::StrCat(absl::string_view(prefix.data(), prefix.size()), payload);
}

std::optional<absl::string_view> WholeRecord(absl::string_view bytes,
                                             size_t max_payload) {
  if (bytes.size() < kRecordPrefixBytes) return std::nullopt;
  const size_t length = LengthIn(bytes);
  bytes.remove_prefix(kRecordPrefixBytes);
  if (length > max_payload || length > bytes.size()) return std::nullopt;
  return bytes.substr(0, length);
}

// Meaningful once the prefix is there.
uint32_t RecordReader::Announced() const { return LengthIn(first_bytes_); }

RecordReader::State RecordReader::state() const {
  if (first_bytes_.size() < kRecordPrefixBytes) return State::kNeedMore;
  if (Announced() > max_payload_) return State::kFailed;
  return payload_.size() < Announced() ? State::kNeedMore : State::kComplete;
}

size_t RecordReader::missing() const {
  if (first_bytes_.size() < kRecordPrefixBytes) {
    return kRecordPrefixBytes - first_bytes_.size();
  }
  return state() == State::kNeedMore ? Announced() - payload_.size() : 0;
}

RecordReader::State RecordReader::Feed(absl::string_view bytes) {
  const size_t known =
      static_cast<size_t>(std::min<uint64_t>(total_bytes_, kRecordPrefixBytes));
  total_bytes_ += bytes.size();
  if (first_bytes_.size() < kFirstBytes) {
    const auto first = bytes.substr(0, kFirstBytes - first_bytes_.size());
    first_bytes_.append(first.data(), first.size());
  }
  bytes.remove_prefix(std::min(bytes.size(), kRecordPrefixBytes - known));
  if (first_bytes_.size() < kRecordPrefixBytes) return State::kNeedMore;

  const auto ours = bytes.substr(0, missing());
  const size_t size = payload_.size() + ours.size();
  if (size > payload_.capacity()) {
    payload_.reserve(
        std::min<size_t>(Announced(), std::max(size, 2 * payload_.capacity())));
  }
  payload_.append(ours.data(), ours.size());
  trailing_bytes_ += bytes.size() - ours.size();
  return state();
}

absl::StatusOr<bool> RecordReader::ReadFrom(int fd) {
  char buffer[kReadBytes];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count > 0) {
      Feed(absl::string_view(buffer, static_cast<size_t>(count)));
      return true;
    }
    if (count == 0) return false;
    if (WouldBlock(errno)) return true;
    if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot read a record");
    }
  }
}

absl::StatusOr<std::optional<std::string>> RecordReader::Finish() && {
  if (total_bytes_ == 0) return std::nullopt;
  if (state() == State::kComplete) return std::move(payload_);

  const std::string quoted =
      absl::StrCat("\"", absl::CHexEscape(first_bytes_), "\"",
                   total_bytes_ > first_bytes_.size() ? "..." : "");
  const auto start =
      absl::string_view(first_bytes_).substr(0, kRecordPrefixBytes);
  if (LooksLikeText(start)) {
    return absl::DataLossError(absl::StrCat("text where a record should be, ",
                                            total_bytes_, " bytes: ", quoted));
  }
  if (start.size() < kRecordPrefixBytes) {
    return absl::DataLossError(
        absl::StrCat("a torn record: it ends after ", start.size(), " of the ",
                     kRecordPrefixBytes, " bytes of its length: ", quoted));
  }
  const uint64_t big_endian = __builtin_bswap32(Announced());
  if (big_endian != 0 && big_endian == total_bytes_ - kRecordPrefixBytes) {
    return absl::DataLossError(absl::StrCat(
        "a record whose length, ", big_endian,
        " bytes, is in big-endian order; it is to be in little-endian order: ",
        quoted));
  }
  if (state() == State::kFailed) {
    return absl::DataLossError(absl::StrCat(
        "a record that announces ", Announced(), " bytes, when at most ",
        max_payload_, " are allowed, or no record at all: ", quoted));
  }
  return absl::DataLossError(
      absl::StrCat("a torn record: it ends after ", payload_.size(), " of the ",
                   Announced(), " bytes that it announces: ", quoted));
}

RecordWriter::RecordWriter(std::string payload)
    : prefix_(Prefix(payload.size())), payload_(std::move(payload)) {}

std::array<iovec, 2> RecordWriter::Remaining() const {
  return RemainingOf(prefix_, payload_, written_);
}

bool RecordWriter::done() const {
  return written_ == prefix_.size() + payload_.size();
}

absl::StatusOr<std::optional<std::string>> ReadRecord(int fd,
                                                      size_t max_payload) {
  RecordReader reader(max_payload);
  char buffer[kReadBytes];
  while (reader.missing() > 0) {
    const ssize_t count =
        read(fd, buffer, std::min(sizeof(buffer), reader.missing()));
    if (count > 0) {
      reader.Feed(absl::string_view(buffer, static_cast<size_t>(count)));
    } else if (count == 0) {
      break;
    } else if (WouldBlock(errno)) {
      WaitFor(fd, POLLIN);
    } else if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot read a record");
    }
  }
  return std::move(reader).Finish();
}

absl::Status WriteRecord(int fd, absl::string_view payload) {
  if (payload.size() > kMaxRecordPayload) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write a record of ", payload.size(),
                     " bytes: at most ", kMaxRecordPayload, " fit"));
  }
  const auto prefix = Prefix(payload.size());
  size_t written = 0;
  while (written < prefix.size() + payload.size()) {
    const auto pieces = RemainingOf(prefix, payload, written);
    const ssize_t count =
        writev(fd, pieces.data(), static_cast<int>(pieces.size()));
    if (count >= 0) {
      written += static_cast<size_t>(count);
    } else if (WouldBlock(errno)) {
      WaitFor(fd, POLLOUT);
    } else if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot write a record");
    }
  }
  return absl::OkStatus();
}

}  // namespace external_containerizer
