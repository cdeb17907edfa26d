// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/record_sequence.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
constexpr size_t kMax = 1000;

struct Result {
  SequenceEnd end;
  std::vector<std::string> payloads;
};

// Refuses payloads that do not begin with "ok".
Result Read(absl::string_view bytes) {
  Result result;
  result.end = ReadSequence(bytes, kMax, [&](absl::string_view payload) {
    if (payload.substr(0, 2) != "ok") return absl::DataLossError("refused");
    result.payloads.emplace_back(payload);
    return absl::OkStatus();
  });
  return result;
}

const std::string kTwo = EncodeRecord("ok1") + EncodeRecord("ok two");

TEST(RecordSequenceTest, AllRecordsAreReadInOrder) {
  const Result result = Read(kTwo);
  EXPECT_THAT(result.payloads, ElementsAre("ok1", "ok two"));
  EXPECT_EQ(result.end.good_bytes, kTwo.size());
  EXPECT_FALSE(result.end.torn);
  EXPECT_THAT(result.end.damage, IsOk());
}

TEST(RecordSequenceTest, AnEmptyFileIsAnEmptySequence) {
  const Result result = Read("");
  EXPECT_THAT(result.payloads, ElementsAre());
  EXPECT_FALSE(result.end.torn);
  EXPECT_THAT(result.end.damage, IsOk());
}

TEST(RecordSequenceTest, CutAnywhereItIsTornAfterTheLastWholeRecord) {
  const size_t first = EncodeRecord("ok1").size();
  for (size_t size = 1; size < kTwo.size(); ++size) {
    const Result result = Read(kTwo.substr(0, size));
    const bool whole = size >= first;
    EXPECT_EQ(result.payloads.size(), whole ? 1u : 0u) << size;
    EXPECT_EQ(result.end.good_bytes, whole ? first : 0u) << size;
    EXPECT_EQ(result.end.torn, size != first) << size;
    EXPECT_THAT(result.end.damage, IsOk()) << size;
  }
}

TEST(RecordSequenceTest, ZerosInPlaceOfARecordAreTorn) {
  for (const size_t zeros : std::vector<size_t>{1, 3, 4, 5, 64, 5000}) {
    const Result result = Read(kTwo + std::string(zeros, 0));
    EXPECT_EQ(result.end.good_bytes, kTwo.size()) << zeros;
    EXPECT_TRUE(result.end.torn) << zeros;
    EXPECT_THAT(result.end.damage, IsOk()) << zeros;
  }
}

TEST(RecordSequenceTest, ARecordThatLacksItsLastSectorsIsTorn) {
  const std::string last = EncodeRecord(std::string(900, 'x'));
  for (const size_t more : std::vector<size_t>{0, 1, 5000}) {
    std::string bytes = kTwo + last + std::string(more, 0);
    std::fill(bytes.begin() + 512, bytes.end(), 0);
    const Result result = Read(bytes);
    EXPECT_EQ(result.end.good_bytes, kTwo.size());
    EXPECT_TRUE(result.end.torn);
    EXPECT_THAT(result.end.damage, IsOk());
  }
}

TEST(RecordSequenceTest, ABadRecordThatMerelyEndsInZerosIsDamage) {
  for (const std::string& bad :
       {std::string("\x08\0", 2), std::string("bad\0\0\0", 6)}) {
    const Result result = Read(kTwo + EncodeRecord(bad));
    EXPECT_FALSE(result.end.torn);
    EXPECT_THAT(result.end.damage, StatusIs(kDataLoss));
  }
}

TEST(RecordSequenceTest, ARefusedRecordIsDamageAndEndsTheSequence) {
  const Result result =
      Read(EncodeRecord("ok1") + EncodeRecord("bad") + EncodeRecord("ok3"));
  EXPECT_THAT(result.payloads, ElementsAre("ok1"));
  EXPECT_EQ(result.end.good_bytes, EncodeRecord("ok1").size());
  EXPECT_FALSE(result.end.torn);
  EXPECT_THAT(result.end.damage,
              StatusIs(kDataLoss, HasSubstr("at byte 7: refused")));
}

TEST(RecordSequenceTest, ALengthBeyondAllReasonIsDamage) {
  for (const absl::string_view bad : {absl::string_view("\xff\xff\xff\xff", 4),
                                      absl::string_view("text in its place")}) {
    const Result result = Read(kTwo + std::string(bad));
    EXPECT_EQ(result.end.good_bytes, kTwo.size());
    EXPECT_THAT(result.end.damage, StatusIs(kDataLoss));
  }
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer
