// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/frame.h"

#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

// An idle connection does not keep the memory of its largest frame.
constexpr size_t kKeptCapacity = 64 << 10;

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

void FrameReader::TakeHeader(absl::string_view& input) {
  if (header_bytes_ == 0 && input[0] != 0) {
    status_ = absl::DataLossError(absl::StrCat(
        "not a ttrpc frame: it begins with \"",
        absl::CHexEscape(input.substr(0, 16)),
        "\", where the length of at most 4 MiB must be; the peer speaks "
        "another protocol or lost step"));
    return;
  }
  const size_t take = std::min(input.size(), kFrameHeaderBytes - header_bytes_);
  memcpy(&raw_header_[header_bytes_], input.data(), take);
  header_bytes_ += take;
  input.remove_prefix(take);
  if (header_bytes_ < kFrameHeaderBytes) return;
  header_ = DecodeHeader(raw_header_.data());
  missing_ = header_.length;
}

FrameReader::State FrameReader::Next(absl::string_view& input, Frame& frame) {
  if (!status_.ok()) return State::kCorrupt;
  if (delivered_) {
    delivered_ = false;
    header_bytes_ = 0;
    if (body_.capacity() > kKeptCapacity) {
      std::string().swap(body_);  // An assignment keeps the memory.
    } else {
      body_.clear();
    }
  }
  if (header_bytes_ < kFrameHeaderBytes) {
    if (input.empty()) return State::kNeedMore;
    TakeHeader(input);
    if (!status_.ok()) return State::kCorrupt;
    if (header_bytes_ < kFrameHeaderBytes) return State::kNeedMore;
  }
  const bool oversize = header_.length > kMaxFrameBody;
  const absl::string_view piece = input.substr(0, missing_);
  input.remove_prefix(piece.size());
  missing_ -= piece.size();
  const bool whole = piece.size() == header_.length;
  if (!oversize && !whole) {
    body_.append(piece.data(), piece.size());
  }
  if (missing_ > 0) return State::kNeedMore;
  delivered_ = true;
  frame.header = header_;
  frame.oversize = oversize;
  frame.body = oversize ? absl::string_view() : whole ? piece : body_;
  return State::kFrame;
}

}  // namespace ttrpc
}  // namespace external_containerizer
