// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/json.h"

#include <limits>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(JsonTest, ObjectIsOneLine) {
  EXPECT_EQ(JsonObject()
                .Text("type", "end")
                .Integer("exit_code", -3)
                .Number("seconds", 0.25)
                .ToString(),
            "{\"type\":\"end\",\"exit_code\":-3,\"seconds\":0.25}");
  EXPECT_EQ(JsonObject().ToString(), "{}");
}

TEST(JsonTest, AppendKeepsMembersApart) {
  const JsonObject one = JsonObject().Integer("a", 1);
  EXPECT_EQ(
      JsonObject().Append(one).Append(one).Append(JsonObject()).ToString(),
      "{\"a\":1,\"a\":1}");
}

TEST(JsonTest, NumbersHaveNoNoise) {
  EXPECT_EQ(JsonObject().Number("x", 0.1).ToString(), "{\"x\":0.1}");
  EXPECT_EQ(JsonObject().Number("x", 100).ToString(), "{\"x\":100}");
  EXPECT_EQ(JsonObject().Number("x", 0).ToString(), "{\"x\":0}");
  EXPECT_EQ(JsonObject()
                .Number("x", std::numeric_limits<double>::infinity())
                .ToString(),
            "{\"x\":null}");
}

TEST(JsonTest, QuotesAndControlCharactersAreEscaped) {
  EXPECT_EQ(JsonString("a\"b\\c\n\t\r\x1b\x7f" + std::string(1, '\0')),
            "\"a\\\"b\\\\c\\n\\t\\u000d\\u001b\\u007f\\u0000\"");
}

TEST(JsonTest, Utf8StaysAndOtherBytesAreReplaced) {
  EXPECT_EQ(JsonString("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  EXPECT_EQ(JsonString("a\xff\xc3z"), "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}

TEST(JsonTest, DataThatIsNotUtf8IsInBase64) {
  EXPECT_EQ(JsonObject().Data("hello\n").ToString(), "{\"data\":\"hello\\n\"}");
  EXPECT_EQ(JsonObject().Data("\xff\xfe").ToString(), "{\"base64\":\"//4=\"}");
}

TEST(JsonTest, BooleansAreWords) {
  EXPECT_EQ(JsonObject().Boolean("a", true).Boolean("b", false).ToString(),
            "{\"a\":true,\"b\":false}");
}

TEST(JsonTest, Utf8PrefixEndsAtTheFirstThatIsNone) {
  EXPECT_EQ(Utf8Prefix(""), 0u);
  EXPECT_EQ(Utf8Prefix("abc"), 3u);
  EXPECT_EQ(Utf8Prefix("a\xe2\x82"), 1u);
  EXPECT_EQ(Utf8Prefix("a\xe2\x82\xac"), 4u);
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_EQ(Utf8Prefix(bad), 0u);
    EXPECT_FALSE(IsUnfinishedCharacter(bad));
  }
}

TEST(JsonTest, UnfinishedCharacterMayStillBecomeOne) {
  EXPECT_TRUE(IsUnfinishedCharacter("\xe2"));
  EXPECT_TRUE(IsUnfinishedCharacter("\xe2\x82"));
  EXPECT_TRUE(IsUnfinishedCharacter("\xf0\x9f\x98"));
  EXPECT_FALSE(IsUnfinishedCharacter("\xe2\x82\xac"));
  EXPECT_FALSE(IsUnfinishedCharacter("\xe2\x28"));
  EXPECT_FALSE(IsUnfinishedCharacter("\xed\xa0"));
  EXPECT_FALSE(IsUnfinishedCharacter("a"));
  EXPECT_FALSE(IsUnfinishedCharacter(""));
}

TEST(JsonTest, TextsAreAnArray) {
  EXPECT_EQ(JsonObject().Texts("a", {}).Texts("b", {"x", "y\""}).ToString(),
            R"({"a":[],"b":["x","y\""]})");
}

TEST(JsonTest, TimesAreOfOneForm) {
  EXPECT_EQ(JsonTime(absl::UnixEpoch() + absl::Milliseconds(1)),
            "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(JsonTime(absl::FromUnixSeconds(253402300799)),
            "9999-12-31T23:59:59.000Z");
  for (const absl::Time none :
       {absl::InfinitePast(), absl::InfiniteFuture(), absl::FromUnixSeconds(-1),
        absl::FromUnixSeconds(253402300800)}) {
    EXPECT_EQ(JsonTime(none), "");
  }
}

}  // namespace
}  // namespace external_containerizer
