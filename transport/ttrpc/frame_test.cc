// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/frame.h"

#include <malloc.h>

#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using State = FrameReader::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Seen {
  uint32_t id;
  int type;
  std::string body;
  bool oversize = false;

  bool operator==(const Seen& other) const {
    return std::tie(id, type, body, oversize) ==
           std::tie(other.id, other.type, other.body, other.oversize);
  }
};

void PrintTo(const Seen& seen, std::ostream* os) {
  *os << "{" << seen.id << ", " << seen.type << ", \""
      << absl::CHexEscape(seen.body.substr(0, 32)) << "\", " << seen.oversize
      << "}";
}

State Feed(FrameReader& reader, absl::string_view input,
           std::vector<Seen>& seen) {
  Frame frame;
  State state;
  while ((state = reader.Next(input, frame)) == State::kFrame) {
    seen.push_back({frame.header.stream_id, static_cast<int>(frame.header.type),
                    std::string(frame.body), frame.oversize});
  }
  if (state == State::kNeedMore) {
    EXPECT_EQ(input.size(), 0u);
  }
  return state;
}

std::string Encode(uint32_t id, FrameType type, absl::string_view body) {
  FrameHeader header;
  header.length = static_cast<uint32_t>(body.size());
  header.stream_id = id;
  header.type = type;
  const auto raw = EncodeHeader(header);
  return std::string(raw.data(), raw.size()) + std::string(body);
}

size_t HeapInUse() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Recorded from containerd's ttrpc.
const char* const kGoldenHex[] = {
    "0000001a 00000001 01 00"
    "0a0c65632e76312e48656c70657212055573616765 1a030a0178",
    "00000006 00000001 02 00 12040a026f6b",
    "0000001d 00000003 01 00"
    "0a0c65632e76312e48656c7065721205456d707479 2a060a016b120176",
    "00000000 00000003 02 00",
    "0000000a 00000005 02 00 0a0808021204626f6f6d",
    "00000011 00000007 02 00 0a0f080c120b6d6574686f64204e6f7065",
    "00000012 00000009 02 00 0a10080c120c73657276696365206e6f2e53",
};

TEST(FrameTest, GoldenFramesAreReadAndWrittenBack) {
  for (const char* hex : kGoldenHex) {
    const std::string bytes = FromHex(hex);
    FrameReader reader;
    std::vector<Seen> seen;
    EXPECT_EQ(Feed(reader, bytes, seen), State::kNeedMore) << hex;
    ASSERT_EQ(seen.size(), 1u) << hex;
    EXPECT_EQ(
        Encode(seen[0].id, static_cast<FrameType>(seen[0].type), seen[0].body),
        bytes);
    EXPECT_FALSE(reader.mid_frame());
  }
}

TEST(FrameTest, GoldenStreamCutAtEveryByteYieldsTheSameFrames) {
  std::string stream;
  for (const char* hex : kGoldenHex) stream += FromHex(hex);
  std::vector<Seen> whole;
  FrameReader reference;
  ASSERT_EQ(Feed(reference, stream, whole), State::kNeedMore);
  ASSERT_EQ(whole.size(), 7u);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameReader reader;
    std::vector<Seen> seen;
    Feed(reader, stream.substr(0, cut), seen);
    EXPECT_EQ(Feed(reader, stream.substr(cut), seen), State::kNeedMore);
    EXPECT_EQ(seen, whole) << "cut at " << cut;
  }
  FrameReader reader;
  std::vector<Seen> seen;
  for (char c : stream) Feed(reader, std::string(1, c), seen);
  EXPECT_EQ(seen, whole);
}

TEST(FrameTest, MidFrameTellsAStreamThatWasCutFromOneThatEnded) {
  const std::string bytes = Encode(1, FrameType::kRequest, "body");
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    FrameReader reader;
    std::vector<Seen> seen;
    Feed(reader, bytes.substr(0, cut), seen);
    EXPECT_EQ(reader.mid_frame(), cut > 0 && cut < bytes.size()) << cut;
  }
}

TEST(FrameTest, LargestBodyIsTakenInPieces) {
  const std::string body(kMaxFrameBody, 'x');
  const std::string bytes = Encode(3, FrameType::kData, body);
  FrameReader reader;
  std::vector<Seen> seen;
  for (size_t at = 0; at < bytes.size(); at += 65536) {
    Feed(reader, bytes.substr(at, 65536), seen);
  }
  EXPECT_THAT(seen, ElementsAre(Seen{3, 3, body}));
}

TEST(FrameTest, OversizeBodyIsDroppedAndTheNextFrameIsRead) {
  const std::string body(kMaxFrameBody + 1, 'x');
  const std::string bytes = Encode(5, FrameType::kRequest, body) +
                            Encode(7, FrameType::kRequest, "next");
  FrameReader reader;
  std::vector<Seen> seen;
  const size_t before = HeapInUse();
  for (size_t at = 0; at < bytes.size(); at += 65536) {
    Feed(reader, bytes.substr(at, 65536), seen);
    if (seen.empty()) {
      EXPECT_LT(HeapInUse() - before, 100u << 10);
    }
  }
  EXPECT_THAT(seen, ElementsAre(Seen{5, 1, "", true}, Seen{7, 1, "next"}));
}

TEST(FrameTest, LengthIsNeverAllocatedBeforeItArrives) {
  const size_t before = HeapInUse();
  std::vector<FrameReader> readers(100);
  for (FrameReader& reader : readers) {
    std::vector<Seen> seen;
    Feed(reader, FromHex("00400000 00000001 01 00") + "some", seen);
    EXPECT_TRUE(seen.empty());
  }
  EXPECT_LT(HeapInUse() - before, 100u << 10);
}

TEST(FrameTest, LengthOf16MiBAndMoreIsCorrupt) {
  for (const char* length : {"01000000", "7fffffff", "ffffffff"}) {
    FrameReader reader;
    std::vector<Seen> seen;
    EXPECT_EQ(Feed(reader, FromHex(length) + "rest", seen), State::kCorrupt);
    EXPECT_THAT(reader.status(), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_EQ(Feed(reader, FromHex(kGoldenHex[0]), seen), State::kCorrupt);
    EXPECT_TRUE(seen.empty());
  }
}

TEST(FrameTest, TextOfAnotherProtocolIsShownEscaped) {
  FrameReader reader;
  std::vector<Seen> seen;
  EXPECT_EQ(Feed(reader, "GET / HTTP/1.1\r\n\x1b[2J", seen), State::kCorrupt);
  EXPECT_THAT(reader.status(), StatusIs(absl::StatusCode::kDataLoss,
                                        HasSubstr("\"GET / HTTP/1.1\\r\\n\"")));
}

TEST(FrameTest, UnknownTypesAndFlagsAreHandedOver) {
  FrameReader reader;
  std::vector<Seen> seen;
  Feed(reader, FromHex("00000001 ffffffff ff ff 78"), seen);
  EXPECT_THAT(seen, ElementsAre(Seen{0xffffffff, 255, "x"}));
}

TEST(FrameTest, RandomBytesInRandomPiecesEndOrAreFrames) {
  std::mt19937 random(20220623);
  for (int round = 0; round < 2000; ++round) {
    FrameReader reader;
    std::vector<Seen> seen;
    size_t fed = 0;
    State state = State::kNeedMore;
    for (int piece = 0; piece < 20 && state != State::kCorrupt; ++piece) {
      std::string bytes(random() % 40, 0);
      // Mostly small numbers, or it would be corrupt at once.
      for (char& c : bytes) {
        c = static_cast<char>(random() % 8 == 0 ? random() % 256 : 0);
      }
      state = Feed(reader, bytes, seen);
      fed += bytes.size();
    }
    size_t taken = 0;
    for (const Seen& frame : seen) {
      taken += kFrameHeaderBytes + frame.body.size();
    }
    EXPECT_LE(taken, fed);
  }
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer
