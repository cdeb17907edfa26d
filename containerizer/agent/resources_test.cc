// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/resources.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::SizeIs;

// Returns the resources as text, in one line.
std::string Parsed(const std::string& text) {
  const absl::StatusOr<Resources> resources = ParseResources(text);
  if (!resources.ok()) return std::string(resources.status().message());
  std::string all;
  for (const wire::Resource& resource : *resources) {
    absl::StrAppend(&all, "{", resource.ShortDebugString(), "}");
  }
  return all;
}

absl::StatusOr<Resources> Wrong(const std::string& text) {
  return ParseResources(text);
}

auto Says(const std::string& what) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what));
}

TEST(ResourcesTest, ReadsEveryKind) {
  EXPECT_EQ(Parsed("cpus:0.5;mem:64"),
            "{name: \"cpus\" type: SCALAR scalar { value: 0.5 } role: \"*\"}"
            "{name: \"mem\" type: SCALAR scalar { value: 64 } role: \"*\"}");
  EXPECT_EQ(Parsed("ports:[31000-32000,4000-4001]"),
            "{name: \"ports\" type: RANGES ranges { "
            "range { begin: 4000 end: 4001 } "
            "range { begin: 31000 end: 32000 } } role: \"*\"}");
  EXPECT_EQ(Parsed("disks:{b,a}"),
            "{name: \"disks\" type: SET set { item: \"a\" item: \"b\" } "
            "role: \"*\"}");
}

TEST(ResourcesTest, RoleIsInParentheses) {
  EXPECT_EQ(Parsed("cpus(web/api):1;cpus:2"),
            "{name: \"cpus\" type: SCALAR scalar { value: 1 } "
            "role: \"web/api\"}"
            "{name: \"cpus\" type: SCALAR scalar { value: 2 } role: \"*\"}");
}

TEST(ResourcesTest, WhiteSpaceAndEmptyItemsMeanNothing) {
  EXPECT_EQ(Parsed("  cpus ( * ) : 1 ;; ports:[ 1 - 2 , 7 ] ;\n"),
            "{name: \"cpus\" type: SCALAR scalar { value: 1 } role: \"*\"}"
            "{name: \"ports\" type: RANGES ranges { range { begin: 1 end: 2 } "
            "range { begin: 7 end: 7 } } role: \"*\"}");
  EXPECT_EQ(Parsed(""), "");
}

TEST(ResourcesTest, SameNameAndRoleAddUp) {
  EXPECT_EQ(Parsed("cpus:1;cpus:0.25"),
            "{name: \"cpus\" type: SCALAR scalar { value: 1.25 } role: \"*\"}");
  EXPECT_EQ(Parsed("ports:[1-5];ports:[6-7,3-4]"),
            "{name: \"ports\" type: RANGES ranges { range { begin: 1 end: 7 } "
            "} role: \"*\"}");
  EXPECT_EQ(Parsed("x:{a,b};x:{b}"),
            "{name: \"x\" type: SET set { item: \"a\" item: \"b\" } "
            "role: \"*\"}");
  EXPECT_THAT(Wrong("x:1;x:{b}"), Says("\"x:{b}\" is of another kind"));
}

TEST(ResourcesTest, NumbersHaveThreeDecimals) {
  EXPECT_EQ(Parsed("x:0.12345"),
            "{name: \"x\" type: SCALAR scalar { value: 0.123 } role: \"*\"}");
  EXPECT_THAT(Wrong("x:0.0001"), Says("at least 0.001"));
}

TEST(ResourcesTest, NumbersAreFiniteAndPositive) {
  for (const char* bad : {"cpus:", "cpus:-1", "cpus:nan", "cpus:inf", "cpus:x",
                          "cpus:1e3", "cpus:.5", "cpus:1.", "cpus:0x10"}) {
    EXPECT_THAT(Wrong(bad), Says(absl::StrCat("\"", bad, "\" needs a number")));
  }
  EXPECT_THAT(Wrong("mem:64MB"), Says("no unit"));
  EXPECT_THAT(Wrong("cpus:0"), Says("at least"));
  EXPECT_THAT(Wrong("mem:9999999999999"), Says("more than 1e12"));
  EXPECT_THAT(Wrong("mem:" + std::string(5000, '9')), Says("more than 1e12"));
}

TEST(ResourcesTest, RangesAreInOrderAndInside64Bits) {
  EXPECT_THAT(Wrong("ports:[5-4]"), Says("ends before it begins: \"5-4\""));
  EXPECT_THAT(Wrong("ports:[]"), Says("range \"\""));
  EXPECT_THAT(Wrong("ports:[1-2,a]"), Says("range \"a\""));
  EXPECT_THAT(Wrong("ports:[1-65536]"), Says("above 65535"));
  EXPECT_THAT(Wrong("x:[1-18446744073709551616]"), Says("64 bits"));
  EXPECT_EQ(Parsed("x:[18446744073709551615-18446744073709551615,0-1]"),
            "{name: \"x\" type: RANGES ranges { range { begin: 0 end: 1 } "
            "range { begin: 18446744073709551615 end: 18446744073709551615 } "
            "} role: \"*\"}");
}

TEST(ResourcesTest, KnownNamesHaveTheirKind) {
  EXPECT_THAT(Wrong("cpus:{a}"), Says("must be a number"));
  EXPECT_THAT(Wrong("mem:[1-2]"), Says("must be a number"));
  EXPECT_THAT(Wrong("ports:31000"), Says("must be ranges"));
}

TEST(ResourcesTest, ANameThatIsMuchLikeAUsualOneIsASlip) {
  for (const auto& [slip, meant] :
       {std::pair("memory:64", "mem:64"), std::pair("cpu:1", "cpus:1"),
        std::pair("MEM:64", "mem:64"), std::pair("Cpus:1", "cpus:1"),
        std::pair("memroy:64", "mem:64"), std::pair("cores:2", "cpus:2"),
        std::pair("ram:64", "mem:64"), std::pair("disks:100", "disk:100"),
        std::pair("port:[1-2]", "ports:[1-2]")}) {
    EXPECT_THAT(Wrong(slip), Says(absl::StrCat("did you mean ", meant, "?")));
  }
  EXPECT_THAT(Wrong("tpus:1"), Says("name the role: tpus(*):1"));
}

TEST(ResourcesTest, ANameOfOnesOwnIsTakenAndSaidToBeUnknown) {
  const auto unknown = [](const std::string& text) {
    const absl::StatusOr<Resources> resources = ParseResources(text);
    EXPECT_THAT(resources, IsOk());
    return UnknownResourcesText(*resources);
  };
  EXPECT_EQ(unknown("cpus:1;mem:64;ports:[1-2];disk:1;gpus(web):1"), "");
  EXPECT_THAT(unknown("tpus(*):1;bandwidth:5;disks:{a};bandwidth(x):5;io:1"),
              HasSubstr("enforce tpus, bandwidth, disks, io: "));
}

TEST(ResourcesTest, ErrorQuotesTheItemThatIsWrong) {
  EXPECT_THAT(Wrong("cpus:1;mem=64;x:1"),
              Says("\"mem=64\" is not like name:value"));
  EXPECT_THAT(Wrong("cpus(:1"), Says("is not like"));
  EXPECT_THAT(Wrong("cpus(a b):1"), Says("is not like"));
  EXPECT_THAT(Wrong(":1"), Says("is not like"));
  EXPECT_THAT(Wrong("x:{a,,b}"), Says("has \"\" in its set"));
  EXPECT_THAT(Wrong("x:{a"), Says("needs a number, ranges"));
  EXPECT_THAT(Wrong("[{\"name\":\"cpus\"}]"), Says("JSON"));
}

TEST(ResourcesTest, ForeignBytesAreEscapedAndLengthIsBounded) {
  EXPECT_THAT(Wrong("\x1b[31m"), Says("\\x1b[31m"));
  EXPECT_THAT(Wrong("x:{\xff}"), Says("\\xff"));
  EXPECT_LT(Wrong(std::string(100000, '!')).status().message().size(), 600u);
  std::string many;
  for (int i = 0; i < 1001; ++i) absl::StrAppend(&many, "r", i, ":1;");
  EXPECT_THAT(Wrong(many), Says("more than 1000"));
}

TEST(ResourcesTextTest, ResourcesAreAsOneWouldGiveThem) {
  wire::Resource ports;
  ports.set_name("ports");
  ports.set_role("web");
  ports.set_type(wire::Value::RANGES);
  for (uint64_t i = 0; i < 2; ++i) {
    wire::Value::Range& range = *ports.mutable_ranges()->add_range();
    range.set_begin(10 * i);
    range.set_end(10 * i + 5);
  }
  EXPECT_EQ(ResourceText(ports), "ports(web):[0-5,10-15]");
  // Agents write reservations since Mesos 1.4.
  ports.clear_role();
  ports.add_reservations()->set_role("eng");
  ports.add_reservations()->set_role("eng/front");
  EXPECT_EQ(ResourceText(ports), "ports(eng/front):[0-5,10-15]");
  wire::Resource disks;
  disks.set_name("disks");
  disks.set_type(wire::Value::SET);
  disks.mutable_set()->add_item("a");
  disks.mutable_set()->add_item("b");
  EXPECT_EQ(ResourceText(disks), "disks:{a,b}");
  wire::Resource disk;
  disk.set_name("disk");
  disk.set_type(wire::Value::SCALAR);
  disk.mutable_scalar()->set_value(64);
  disk.mutable_disk()->mutable_persistence()->set_id("p");
  disk.mutable_disk()->mutable_volume()->set_container_path("data");
  EXPECT_EQ(ResourceText(disk), "disk[p:data]:64");
  EXPECT_EQ(ResourcesText(std::vector<wire::Resource>{disks, disk}),
            "disks:{a,b}; disk[p:data]:64");
}

TEST(ResourcesTextTest, ResourcesMadeToBeLongAreCutShort) {
  wire::Resource ports;
  ports.set_name("ports");
  ports.set_type(wire::Value::RANGES);
  for (int i = 0; i < 100'000; ++i) ports.mutable_ranges()->add_range();
  EXPECT_THAT(ResourceText(ports), SizeIs(Lt(1000u)));
  EXPECT_THAT(ResourcesText(std::vector<wire::Resource>(100'000)),
              SizeIs(Lt(1000u)));
}

}  // namespace
}  // namespace external_containerizer
