// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The frames of ttrpc: encodes headers, and finds frames in a stream of bytes.
//
//   ┌────────────┬───────────────┬──────────┬───────────┬──────────┐
//   │ length (4) │ stream id (4) │ type (1) │ flags (1) │ the body │
//   └────────────┴───────────────┴──────────┴───────────┴──────────┘
//
// Numbers are big-endian. The length is that of the body, at most 4 MiB, so
// that the first byte of a frame is always 0.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_FRAME_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_FRAME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace ttrpc {

inline constexpr size_t kFrameHeaderBytes = 10;
inline constexpr size_t kMaxFrameBody = 4 << 20;

// A peer may send other values. They are ignored.
enum class FrameType : uint8_t { kRequest = 1, kResponse = 2, kData = 3 };

// Flags of a request. A unary request has none.
inline constexpr uint8_t kFlagRemoteClosed = 1;
inline constexpr uint8_t kFlagRemoteOpen = 2;

struct FrameHeader {
  uint32_t length = 0;
  uint32_t stream_id = 0;
  FrameType type = FrameType::kRequest;
  uint8_t flags = 0;
};

std::array<char, kFrameHeaderBytes> EncodeHeader(const FrameHeader& header);

// Returns RESOURCE_EXHAUSTED for a body that is too large, in containerd's
// words.
absl::Status TooLarge(size_t bytes);

struct Frame {
  FrameHeader header;
  // Empty if `oversize`: the header announces more than kMaxFrameBody, and the
  // body is dropped as it comes.
  absl::string_view body;
  bool oversize = false;
};

// Takes the bytes of a stream as they come, cut anywhere, and finds the frames.
// Its memory is at most twice the bytes that have arrived and were not handed
// over, and is freed with them.
//
//   while (reader.Next(input, frame) == FrameReader::State::kFrame) { ... }
class FrameReader {
 public:
  enum class State {
    kNeedMore,
    kFrame,
    kCorrupt,  // Not ttrpc, or out of step. More bytes do not help.
  };

  // Takes all of `input`, which is empty afterwards, and sets `frame` to the
  // next frame if one is complete. The body is valid until the next call.
  State Next(absl::string_view& input, Frame& frame);

  // Whether the stream ends within a frame. Call it after kNeedMore.
  bool mid_frame() const { return begin_ < bytes_.size() || dropping_ > 0; }

  // The memory for bytes that were taken and not handed over.
  size_t held() const { return begin_ < bytes_.size() ? bytes_.capacity() : 0; }

  // DATA_LOSS after kCorrupt, with a message that quotes the frame's beginning.
  const absl::Status& status() const { return status_; }

 private:
  std::string bytes_;  // Not handed over from begin_ on.
  size_t begin_ = 0;
  std::optional<FrameHeader> oversize_;  // A frame whose body is dropped.
  size_t dropping_ = 0;                  // The missing bytes of that body.
  absl::Status status_;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_FRAME_H_
