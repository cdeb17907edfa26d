// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/status.h"

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(StatusTest, EveryCodeTravels) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "why");
    wire::Status wire;
    EncodeStatus(status, &wire);
    EXPECT_EQ(wire.code(), code);
    EXPECT_EQ(DecodeStatus(wire), status);
  }
}

TEST(StatusTest, CodeZeroIsOkWhateverTheMessage) {
  wire::Status wire;
  EXPECT_THAT(DecodeStatus(wire), IsOk());
  wire.set_message("text");
  EXPECT_THAT(DecodeStatus(wire), IsOk());
}

TEST(StatusTest, CodeThatNobodyKnowsIsUnknown) {
  for (int code : {-1, 17, 1 << 30}) {
    wire::Status wire;
    wire.set_code(code);
    wire.set_message("why");
    EXPECT_THAT(
        DecodeStatus(wire),
        StatusIs(absl::StatusCode::kUnknown,
                 AllOf(HasSubstr("why"), HasSubstr(std::to_string(code)))));
  }
}

TEST(StatusTest, MessageThatIsNotUtf8IsEscaped) {
  wire::Status wire;
  EncodeStatus(absl::InternalError("bad \xff byte"), &wire);
  EXPECT_EQ(std::string(wire.message()), "bad \\xff byte");
  EncodeStatus(absl::InternalError("gr\u00fc\u00dfe"), &wire);
  EXPECT_EQ(std::string(wire.message()), "gr\u00fc\u00dfe");
}

TEST(StatusTest, EndlessMessageIsCut) {
  wire::Status wire;
  wire.set_code(13);
  wire.set_message(std::string(1 << 20, 'x'));
  EXPECT_THAT(DecodeStatus(wire),
              StatusIs(absl::StatusCode::kInternal, SizeIs(64 << 10)));
}

TEST(StatusTest, Utf8IsWhatUnicodeSaysItIs) {
  for (const char* valid :
       {"", "ascii", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsValidUtf8(valid)) << valid;
  }
  for (const char* invalid :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2x", "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(IsValidUtf8(invalid)) << absl::string_view(invalid).size();
  }
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer
