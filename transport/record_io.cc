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
constexpr size_t kMaxPayload = 0xffffffff;

uint32_t LengthIn(absl::string_view prefix) {
  uint32_t length = 0;
  for (size_t i = kRecordPrefixBytes; i > 0; --i) {
    length = length << 8 | static_cast<unsigned char>(prefix[i - 1]);
  }
  return length;
}

// Four printable bytes would be a length of more than 150 MB.
bool LooksLikeText(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return absl::ascii_isprint(byte) || absl::ascii_isspace(byte) ||
           c == '\x1b';
  });
}

// Ignores errors of poll(): the next read() or write() reports them.
void WaitFor(int fd, short events) {
  pollfd ready{fd, events, 0};
  poll(&ready, 1, -1);
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

std::string EncodeRecord(absl::string_view payload) {
  std::string record;
  record.reserve(kRecordPrefixBytes + payload.size());
  for (size_t i = 0; i < kRecordPrefixBytes; ++i) {
    record += static_cast<char>(payload.size() >> (8 * i) & 0xff);
  }
  record.append(payload.data(), payload.size());
  return record;
}

std::optional<absl::string_view> WholeRecord(absl::string_view bytes,
                                             size_t max_payload) {
  if (bytes.size() < kRecordPrefixBytes) return std::nullopt;
  const size_t length = LengthIn(bytes);
  bytes.remove_prefix(kRecordPrefixBytes);
  if (length > max_payload || length > bytes.size()) return std::nullopt;
  return bytes.substr(0, length);
}

// Only after the prefix has come.
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

absl::StatusOr<bool> RecordReader::ReadFrom(int fd, size_t limit) {
  char buffer[kMaxRead];
  for (;;) {
    const ssize_t count = read(fd, buffer, std::min(sizeof(buffer), limit));
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

absl::StatusOr<std::optional<std::string>> ReadRecord(int fd,
                                                      size_t max_payload) {
  RecordReader reader(max_payload);
  while (reader.missing() > 0) {
    const uint64_t before = reader.total_bytes();
    const absl::StatusOr<bool> more = reader.ReadFrom(fd, reader.missing());
    if (!more.ok()) return more.status();
    if (!*more) break;
    if (reader.total_bytes() == before) WaitFor(fd, POLLIN);
  }
  return std::move(reader).Finish();
}

absl::Status WriteRecord(int fd, absl::string_view payload) {
  if (payload.size() > kMaxPayload) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write a record of ", payload.size(),
                     " bytes: at most ", kMaxPayload, " fit"));
  }
  const std::string record = EncodeRecord(payload);
  absl::string_view left = record;
  while (!left.empty()) {
    const ssize_t count = write(fd, left.data(), left.size());
    if (count >= 0) {
      left.remove_prefix(static_cast<size_t>(count));
    } else if (WouldBlock(errno)) {
      WaitFor(fd, POLLOUT);
    } else if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot write a record");
    }
  }
  return absl::OkStatus();
}

}  // namespace external_containerizer
