// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/raw_answer.h"

#include <string>

#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace conformance {
namespace {

using ::testing::HasSubstr;

Ended Judged(const std::string& bytes) {
  Ended ended;
  JudgeAnswer(bytes, &ended);
  return ended;
}

TEST(RawAnswerTest, AWholeRecordIsAnAnswer) {
  EXPECT_EQ(Judged(EncodeRecord("message")).answer, "message");
  EXPECT_EQ(Judged(EncodeRecord("message")).bad_record, "");
  EXPECT_EQ(Judged(EncodeRecord("message")).behind, 0u);
  EXPECT_EQ(Judged(std::string(4, '\0')).answer, "");
}

TEST(RawAnswerTest, NothingIsNoAnswerAndNoFault) {
  EXPECT_FALSE(Judged("").answer.has_value());
  EXPECT_EQ(Judged("").bad_record, "");
}

TEST(RawAnswerTest, WhatComesBehindIsCounted) {
  EXPECT_EQ(Judged(EncodeRecord("message") + "xyz").behind, 3u);
  EXPECT_EQ(Judged(EncodeRecord("message") + "xyz").answer, "message");
}

TEST(RawAnswerTest, EachFaultIsToldFromTheOthers) {
  const std::string good = EncodeRecord("message");
  std::string big_endian = good;
  std::swap(big_endian[0], big_endian[3]);
  EXPECT_THAT(Judged(big_endian).bad_record, HasSubstr("is big-endian"));
  EXPECT_THAT(Judged(good.substr(0, 2)).bad_record,
              HasSubstr("end inside the length"));
  EXPECT_THAT(Judged(good.substr(0, 9)).bad_record,
              HasSubstr("announces 7 bytes, and 5 follow"));
  EXPECT_THAT(Judged("Traceback (most recent call last)").bad_record,
              HasSubstr("text where the length of the record belongs"));
  EXPECT_THAT(Judged(std::string(8, '\xff')).bad_record,
              HasSubstr("they announce 4294967295 bytes"));
  EXPECT_FALSE(Judged(big_endian).answer.has_value());
}

TEST(RawAnswerTest, WhatIsQuotedIsPrintableAndShort) {
  const std::string said =
      Judged("\x1b[31m" + std::string(1000, '\x01')).bad_record;
  EXPECT_LT(said.size(), 400u);
  EXPECT_THAT(said, HasSubstr("\\x1b[31m"));
}

}  // namespace
}  // namespace conformance
}  // namespace external_containerizer
