// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/tree_reader.h"

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

class TreeReaderTest : public ::testing::Test {
 protected:
  TreeReaderTest()
      : reader_(options_, state_),
        place_{std::move(*Directory::OpenRoot(work_.path())), "meta"} {
    options_.strict = false;
  }

  void Write(const std::string& name, const std::string& bytes) {
    WriteFile(work_ / name, bytes);
  }

  std::optional<wire::TaskID> ReadId(const std::string& name) {
    std::optional<wire::TaskID> id;
    EXPECT_THAT(reader_.ReadInfo(place_, name, id), IsOk());
    return id;
  }

  TemporaryDirectory work_;
  ReadOptions options_;
  AgentState state_;
  TreeReader reader_;
  Place place_;
};

TEST_F(TreeReaderTest, ARecordIsReadWithoutAProblem) {
  wire::TaskID id;
  id.set_value("t");
  Write("id", EncodeRecord(id.SerializeAsString()));
  const auto read = ReadId("id");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->value(), "t");
  EXPECT_THAT(state_.problems, IsEmpty());
}

TEST_F(TreeReaderTest, WhatIsMissingEmptyOrLongerIsNoticed) {
  wire::TaskID id;
  id.set_value("t");
  Write("empty", "");
  Write("longer", EncodeRecord(id.SerializeAsString()) + "xyz");
  EXPECT_FALSE(ReadId("missing").has_value());
  EXPECT_FALSE(ReadId("empty").has_value());
  EXPECT_TRUE(ReadId("longer").has_value());
  ASSERT_EQ(state_.problems.size(), 3u);
  EXPECT_EQ(state_.problems[0].path, "meta/missing");
  EXPECT_EQ(state_.problems[0].why, "is missing");
  EXPECT_EQ(state_.problems[1].why, "is empty");
  EXPECT_EQ(state_.problems[2].why, "has 3 bytes after its record");
  for (const Problem& problem : state_.problems) {
    EXPECT_EQ(problem.kind, Problem::Kind::kNotice);
  }
}

TEST_F(TreeReaderTest, AnIncompleteMessageIsDamage) {
  Write("id", EncodeRecord(""));
  EXPECT_FALSE(ReadId("id").has_value());
  ASSERT_EQ(state_.problems.size(), 1u);
  EXPECT_EQ(state_.problems[0].kind, Problem::Kind::kDamage);
  EXPECT_THAT(state_.problems[0].why, HasSubstr("lacks value"));
}

TEST_F(TreeReaderTest, DamageStopsOnlyWhoReadsStrictly) {
  EXPECT_THAT(reader_.Damage("meta/f", absl::DataLossError("bad")), IsOk());
  EXPECT_EQ(state_.problems.size(), 1u);
  options_.strict = true;
  EXPECT_THAT(reader_.Damage("meta/f", absl::DataLossError("bad")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("meta/f: bad")));
  EXPECT_EQ(state_.problems.size(), 1u);
}

TEST_F(TreeReaderTest, LackOfDescriptorsStopsEverybody) {
  EXPECT_THAT(reader_.Damage("meta/f", absl::ResourceExhaustedError("none")),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(state_.problems, IsEmpty());
}

TEST_F(TreeReaderTest, OnlyDirectoriesAreChildren) {
  std::filesystem::create_directory(work_ / "b");
  std::filesystem::create_directory(work_ / ".a");
  std::filesystem::create_symlink("b", work_ / "latest");
  Write("stray", "");
  EXPECT_THAT(reader_.ListDirectories(place_),
              IsOkAndHolds(ElementsAre(".a", "b")));
  ASSERT_EQ(state_.problems.size(), 1u);
  EXPECT_EQ(state_.problems[0].path, "meta/stray");
  EXPECT_THAT(reader_.ReadLatest(place_), IsOkAndHolds(Optional(Eq("b"))));
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer
