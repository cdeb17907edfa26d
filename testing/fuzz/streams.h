// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Makes streams of ttrpc from decisions, and reads them in the plainest way,
// for comparison.
//
//   const std::string stream = SomeStream(next);
//   const Contents expected = ContentsOf(stream);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_FUZZ_STREAMS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_FUZZ_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "external_containerizer/testing/fuzz/decisions.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"

namespace external_containerizer {
namespace ttrpc {

inline constexpr char kFuzzService[] = "fuzz.v1.S";
inline constexpr size_t kMaxFuzzCalls = 12;

// A stream of right and wrong frames.
std::string SomeStream(Decisions& next);

// The contents of a stream.
struct Contents {
  std::vector<SeenFrame> frames;
  std::map<uint32_t, int> questions;  // Requests and data, by their ids.
  std::map<uint32_t, int> replies;
  bool corrupt = false;
  bool mid_frame = false;
};

Contents ContentsOf(absl::string_view stream);

// The size of the next piece of `size` bytes; now and then all of them.
size_t SomeCut(size_t size, Decisions& next);

// Aborts, and shows the stream, if `condition` does not hold.
void Require(bool condition, const char* what, absl::string_view stream);

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_FUZZ_STREAMS_H_
