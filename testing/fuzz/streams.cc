// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/fuzz/streams.h"

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <limits>

#include "absl/strings/escaping.h"
#include "external_containerizer/transport/ttrpc/frame.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

constexpr size_t kMaxFrames = 24;

uint32_t SomeId(Decisions& next) {
  switch (next.Below(8)) {
    case 0:
      return static_cast<uint32_t>(next.Below(8));
    case 1:
      return std::numeric_limits<uint32_t>::max() -
             static_cast<uint32_t>(next.Below(3));
    default:
      return static_cast<uint32_t>(2 * next.Below(kMaxFuzzCalls) + 1);
  }
}

std::string SomeRequest(uint32_t id, Decisions& next) {
  static const char* const kMethods[] = {"Echo", "Keep", "Stop", "Fail",
                                         "Nope"};
  static const int64_t kTimeouts[] = {0,
                                      0,
                                      1,
                                      -1,
                                      1'000'000,
                                      std::numeric_limits<int64_t>::max(),
                                      std::numeric_limits<int64_t>::min()};
  return RequestFrame(
      id, next.Below(8) == 7 ? "no.S" : kFuzzService,
      kMethods[next.Below(std::size(kMethods))],
      std::string(next.Below(4) == 3 ? next.Below(9000) : next.Below(20), 'x'),
      kTimeouts[next.Below(std::size(kTimeouts))]);
}

std::string SomeReply(uint32_t id, Decisions& next) {
  if (next.Below(2) == 0)
    return ReplyFrame(id, std::string(next.Below(50), 'y'));
  wire::Response response;
  response.mutable_status()->set_code(static_cast<int>(next.Below(20)) - 2);
  response.mutable_status()->set_message(
      std::string(next.Below(9), next.Byte()));
  return EncodeFrame(id, FrameType::kResponse, response.SerializeAsString());
}

std::string SomeBytes(Decisions& next) {
  std::string bytes(next.Below(40), 0);
  for (char& c : bytes) c = next.Byte();
  return bytes;
}

std::string SomeFrame(uint32_t& fresh, Decisions& next) {
  std::string frame;
  switch (next.Below(12)) {
    default:
      frame = SomeRequest(fresh += 2, next);
      break;
    case 0:
      frame = SomeRequest(SomeId(next), next);
      break;
    case 1:
    case 2:
      frame = SomeReply(SomeId(next), next);
      break;
    case 3:
      frame = EncodeFrame(SomeId(next), static_cast<FrameType>(next.Below(6)),
                          SomeBytes(next));
      break;
    case 4:  // A byte is wrong; not the first, which would end it all.
      frame = next.Below(2) == 0 ? SomeRequest(fresh += 2, next)
                                 : SomeReply(SomeId(next), next);
      frame[1 + next.Below(frame.size() - 1)] = next.Byte();
      break;
    case 5:  // Its length is wrong.
      frame = SomeRequest(fresh += 2, next);
      frame[3] = next.Byte();
      break;
    case 6:
      if (next.Below(4) == 0) frame = SomeBytes(next);
      break;
    case 7:
      // This is rare, because 4 MiB cost more than a hundred streams without.
      // Not 0, which a decision is when the input is used up.
      if (next.Below(256) == 255) {
        frame = EncodeFrame(SomeId(next), static_cast<FrameType>(next.Below(4)),
                            std::string(kMaxFrameBody + 1, 'z'));
      }
      break;
  }
  return frame;
}

}  // namespace

std::string SomeStream(Decisions& next) {
  std::string stream;
  uint32_t fresh = 0xffffffff;  // The next one is 1.
  for (size_t i = 0; i < kMaxFrames && !next.done(); ++i) {
    stream += SomeFrame(fresh, next);
  }
  return stream;
}

Contents ContentsOf(absl::string_view stream) {
  Contents contents;
  while (!stream.empty()) {
    if (stream[0] != 0) {
      contents.corrupt = true;
      return contents;
    }
    const auto number = [&](size_t at) {
      uint32_t value = 0;
      for (size_t i = at; i < at + 4; ++i) {
        value = value << 8 | static_cast<uint8_t>(stream[i]);
      }
      return value;
    };
    contents.mid_frame = true;
    if (stream.size() < kFrameHeaderBytes) return contents;
    const size_t size = number(0);
    const SeenFrame frame = {
        number(4), static_cast<FrameType>(stream[8]),
        std::string(stream.substr(kFrameHeaderBytes, size))};
    if (stream.size() < kFrameHeaderBytes + size) return contents;
    contents.mid_frame = false;
    stream.remove_prefix(kFrameHeaderBytes + size);
    if (frame.type == FrameType::kResponse) ++contents.replies[frame.id];
    if (frame.type == FrameType::kRequest || frame.type == FrameType::kData) {
      ++contents.questions[frame.id];
    }
    contents.frames.push_back(frame);
  }
  return contents;
}

size_t SomeCut(size_t size, Decisions& next) {
  const size_t most = next.Below(3) == 0 ? size : 1 + next.Below(200);
  return next.done() || most > size ? size : most;
}

void Require(bool condition, const char* what, absl::string_view stream) {
  if (condition) return;
  std::cerr << "not true: " << what << "\n"
            << absl::CHexEscape(stream.substr(0, 8192)) << "\n";
  abort();
}

}  // namespace ttrpc
}  // namespace external_containerizer
