// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The frames of ttrpc. Pure: bytes in, frames out.
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
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace ttrpc {

inline constexpr size_t kFrameHeaderBytes = 10;
inline constexpr size_t kMaxFrameBody = 4 << 20;

// A peer may send others; they are to be ignored.
enum class FrameType : uint8_t { kRequest = 1, kResponse = 2, kData = 3 };

// Flags of a request; a unary one has none.
inline constexpr uint8_t kFlagRemoteClosed = 1;
inline constexpr uint8_t kFlagRemoteOpen = 2;

struct FrameHeader {
  uint32_t length = 0;
  uint32_t stream_id = 0;
  FrameType type = FrameType::kRequest;
  uint8_t flags = 0;
};

std::array<char, kFrameHeaderBytes> EncodeHeader(const FrameHeader& header);

struct Frame {
  FrameHeader header;
  // Empty if `oversize`: the header announced more than kMaxFrameBody, and the
  // body was dropped as it came.
  absl::string_view body;
  bool oversize = false;
};

// Takes the bytes of a stream as they come, cut anywhere, and finds the frames.
// Nothing that a stream contains makes it use more memory than twice what has
// arrived of one frame.
//
//   while (reader.Next(input, frame) == FrameReader::State::kFrame) { ... }
class FrameReader {
 public:
  enum class State {
    kNeedMore,  // All of the input is taken.
    kFrame,
    kCorrupt,  // No ttrpc, or out of step. More bytes will not mend it.
  };

  // Removes what it takes from the front of `input`. The body of `frame` points
  // into the input if all of it is there, else into the reader; it is valid
  // until the next call.
  State Next(absl::string_view& input, Frame& frame);

  // Whether the stream is within a frame.
  bool mid_frame() const { return header_bytes_ > 0 && !delivered_; }

  // Bytes of a frame that came in part, and are kept until the rest comes.
  size_t kept() const { return body_.size(); }

  // DATA_LOSS after kCorrupt, with a sentence that shows how the frame begins.
  const absl::Status& status() const { return status_; }

 private:
  void TakeHeader(absl::string_view& input);

  std::array<char, kFrameHeaderBytes> raw_header_;
  size_t header_bytes_ = 0;
  FrameHeader header_;
  size_t missing_ = 0;  // Bytes of the body.
  std::string body_;    // What came of it in earlier pieces.
  bool delivered_ = false;
  absl::Status status_;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_FRAME_H_
