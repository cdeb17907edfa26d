// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The codec of ttrpc: the input decides what a stream contains and where it is
// cut.


#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "external_containerizer/testing/fuzz/decisions.h"
#include "external_containerizer/testing/fuzz/fuzz_target.h"
#include "external_containerizer/testing/fuzz/streams.h"
#include "external_containerizer/transport/ttrpc/frame.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

void FuzzReader(absl::string_view stream, const Contents& expected,
                Decisions next) {
  FrameReader reader;
  size_t seen = 0;
  bool corrupt = false;
  absl::string_view rest = stream;
  while (!rest.empty() && !corrupt) {
    // A copy, so that a sanitizer sees a read beyond its end.
    const std::string piece(rest.substr(0, SomeCut(rest.size(), next)));
    rest.remove_prefix(piece.size());
    absl::string_view input = piece;
    Frame frame;
    FrameReader::State state;
    while ((state = reader.Next(input, frame)) == FrameReader::State::kFrame) {
      Require(seen < expected.frames.size(), "no frame too many", stream);
      const SeenFrame& other = expected.frames[seen++];
      Require(frame.header.stream_id == other.id &&
                  frame.header.type == other.type &&
                  frame.oversize == (other.body.size() > kMaxFrameBody) &&
                  frame.body == (frame.oversize ? "" : other.body),
              "each frame is what was written", stream);
    }
    corrupt = state == FrameReader::State::kCorrupt;
    Require(corrupt || input.empty(), "all of the input is taken", stream);
  }
  Require(seen == expected.frames.size(), "no frame is missing", stream);
  Require(corrupt == expected.corrupt, "what is corrupt is found", stream);
  Require(corrupt || reader.mid_frame() == expected.mid_frame,
          "it is known whether a frame is cut", stream);
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace external_containerizer::ttrpc;  // NOLINT
  external_containerizer::Decisions next(data, size / 2);
  const std::string stream = SomeStream(next);
  FuzzReader(
      stream, ContentsOf(stream),
      external_containerizer::Decisions(data + size / 2, size - size / 2));
  return 0;
}
