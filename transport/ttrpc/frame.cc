// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/frame.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

// An idle connection does not keep the memory of its largest frame.
constexpr size_t kKeptCapacity = 4 << 10;

void PutBigEndian(uint32_t value, char* out) {
  for (int i = 3; i >= 0; --i) {
    out[i] = static_cast<char>(value & 0xff);
    value >>= 8;
  }
}

uint32_t GetBigEndian(const char* in) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(in[i]);
  }
  return value;
}

FrameHeader DecodeHeader(const char* raw) {
  FrameHeader header;
  header.length = GetBigEndian(raw);
  header.stream_id = GetBigEndian(raw + 4);
  header.type = static_cast<FrameType>(raw[8]);
  header.flags = static_cast<uint8_t>(raw[9]);
  return header;
}

}  // namespace

std::array<char, kFrameHeaderBytes> EncodeHeader(const FrameHeader& header) {
  std::array<char, kFrameHeaderBytes> raw;
  PutBigEndian(header.length, &raw[0]);
  PutBigEndian(header.stream_id, &raw[4]);
  raw[8] = static_cast<char>(header.type);
  raw[9] = static_cast<char>(header.flags);
  return raw;
}

absl::Status TooLarge(size_t bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("ttrpc: message length ", bytes,
                   " exceed maximum message size of ", kMaxFrameBody));
}

FrameReader::State FrameReader::Next(absl::string_view& input, Frame& frame) {
  if (!status_.ok()) return State::kCorrupt;
  const size_t dropped = std::min(dropping_, input.size());
  dropping_ -= dropped;
  input.remove_prefix(dropped);
  if (!input.empty()) {
    bytes_.erase(0, begin_);
    begin_ = 0;
    bytes_.append(input.data(), input.size());
    input = {};
  }
  if (oversize_.has_value()) {
    if (dropping_ > 0) return State::kNeedMore;
    frame = {*oversize_, {}, /*oversize=*/true};
    oversize_.reset();
    return State::kFrame;
  }
  const absl::string_view rest = absl::string_view(bytes_).substr(begin_);
  if (rest.empty()) {
    if (bytes_.capacity() > kKeptCapacity) {
      std::string().swap(bytes_);  // An assignment keeps the memory.
    }
    bytes_.clear();
    begin_ = 0;
    return State::kNeedMore;
  }
  if (rest[0] != 0) {
    status_ = absl::DataLossError(absl::StrCat(
        "not a ttrpc frame: it begins with \"",
        absl::CHexEscape(rest.substr(0, 16)),
        "\", where the length of at most 4 MiB must be; the peer speaks "
        "another protocol or lost step"));
    return State::kCorrupt;
  }
  if (rest.size() < kFrameHeaderBytes) return State::kNeedMore;
  frame.header = DecodeHeader(rest.data());
  const size_t length = frame.header.length;
  const size_t come = std::min(length, rest.size() - kFrameHeaderBytes);
  if (length > kMaxFrameBody) {
    oversize_ = frame.header;
    dropping_ = length - come;
    begin_ += kFrameHeaderBytes + come;
    return Next(input, frame);
  }
  if (come < length) return State::kNeedMore;
  frame.body = rest.substr(kFrameHeaderBytes, length);
  frame.oversize = false;
  begin_ += kFrameHeaderBytes + length;
  return State::kFrame;
}

}  // namespace ttrpc
}  // namespace external_containerizer
