// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Compares this schema with the one of Mesos, field by field. The same names,
// numbers and types make the same bytes and the same text.

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::EnumDescriptor;
using ::google::protobuf::EnumValueDescriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::FileDescriptor;
using ::testing::UnorderedElementsAreArray;

// "Launch.user 5 optional string"; "Volume.Mode.RO 2"; "Ports" for a message.
using Lines = std::set<std::string>;

// Mesos has three packages, and this project has one.
std::string OurName(absl::string_view name) {
  for (absl::string_view package :
       {"mesos.containerizer.", "mesos.internal.", "mesos."}) {
    if (absl::ConsumePrefix(&name, package)) break;
  }
  return std::string(name);
}

Lines SchemaOfMesos() {
  Lines lines;
  for (absl::string_view row :
       absl::StrSplit(ReadTestData("containerizer/wire/testdata/mesos.tsv"),
                      '\n', absl::SkipEmpty())) {
    if (row[0] == '#') continue;
    std::vector<std::string> cells = absl::StrSplit(row, '\t');
    cells.resize(8);
    const std::string owner = OurName(cells[1]);
    if (cells[0] == "message") {
      lines.insert(owner);
      continue;
    }
    std::string line = absl::StrCat(owner, ".", cells[2], " ", cells[3]);
    if (cells[0] == "field") {
      lines.insert(owner);
      const bool repeated = cells[4] == "repeated";
      absl::StrAppend(&line, repeated ? " repeated " : " optional ",
                      cells[6].empty() ? cells[5] : OurName(cells[6]));
      if (!cells[7].empty()) absl::StrAppend(&line, " = ", cells[7]);
    }
    lines.insert(line);
  }
  return lines;
}

std::string NameInPackage(absl::string_view full_name) {
  EXPECT_TRUE(absl::ConsumePrefix(&full_name, "external_containerizer.wire."));
  return std::string(full_name);
}

std::string DefaultOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return std::string(field.default_value_string());
    case FieldDescriptor::CPPTYPE_BOOL:
      return field.default_value_bool() ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return std::string(field.default_value_enum()->name());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat(field.default_value_double());
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(field.default_value_int32());
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(field.default_value_uint32());
    default:
      return "a default of a type that this test does not know";
  }
}

std::string Describe(const FieldDescriptor& field) {
  EXPECT_FALSE(field.is_required()) << field.full_name();
  EXPECT_FALSE(field.is_packed()) << field.full_name();
  std::string type(field.type_name());
  if (field.message_type() != nullptr) {
    type = NameInPackage(field.message_type()->full_name());
  } else if (field.enum_type() != nullptr) {
    type = NameInPackage(field.enum_type()->full_name());
  }
  return absl::StrCat(
      NameInPackage(field.full_name()), " ", field.number(),
      field.is_repeated() ? " repeated " : " optional ", type,
      field.has_default_value() ? " = " + DefaultOf(field) : "");
}

void AddEnum(const EnumDescriptor& type, Lines& lines) {
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    lines.insert(absl::StrCat(NameInPackage(type.full_name()), ".",
                              value.name(), " ", value.number()));
  }
}

void AddMessage(const Descriptor& type, Lines& lines) {
  // A message without fields may exist for its nested types.
  if (type.field_count() > 0 || type.nested_type_count() == 0) {
    lines.insert(NameInPackage(type.full_name()));
  }
  for (int i = 0; i < type.field_count(); ++i) {
    lines.insert(Describe(*type.field(i)));
  }
  for (int i = 0; i < type.enum_type_count(); ++i) {
    AddEnum(*type.enum_type(i), lines);
  }
  for (int i = 0; i < type.nested_type_count(); ++i) {
    AddMessage(*type.nested_type(i), lines);
  }
}

Lines OurSchema() {
  Lines lines;
  for (const FileDescriptor* file : {
           wire::SlaveInfo::descriptor()->file(),
           wire::Launch::descriptor()->file(),
           wire::TaskInfo::descriptor()->file(),
           wire::ResourceStatistics::descriptor()->file(),
       }) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      AddMessage(*file->message_type(i), lines);
    }
    for (int i = 0; i < file->enum_type_count(); ++i) {
      AddEnum(*file->enum_type(i), lines);
    }
  }
  return lines;
}

// Fields of that revision of Mesos that are left out on purpose.
const char* const kLeftOut[] = {
    // No release shipped these numbers.
    "HealthCheck.HTTPCheckInfo.scheme 1 optional string",
    "HealthCheck.HTTPCheckInfo.port 2 optional uint32",
    "HealthCheck.HTTPCheckInfo.path 3 optional string",
    // Older releases have bytes here.
    "Credential.secret 2 optional string",
};

// Fields from older and newer releases that the revision does not have.
const char* const kAdded[] = {
    "HealthCheck.HTTPCheckInfo.port 1 optional uint32",
    "HealthCheck.HTTPCheckInfo.path 2 optional string",
    "HealthCheck.HTTPCheckInfo.scheme 3 optional string",
    "HealthCheck.HTTPCheckInfo.statuses 4 repeated uint32",
    "Credential.secret 2 optional bytes",
    "CommandInfo.container 4 optional CommandInfo.ContainerInfo",
    "CommandInfo.ContainerInfo",
    "CommandInfo.ContainerInfo.image 1 optional string",
    "CommandInfo.ContainerInfo.options 2 repeated string",
    "ContainerID.parent 2 optional ContainerID",
    "Resource.ReservationInfo.role 3 optional string",
    "Resource.reservations 13 repeated Resource.ReservationInfo",
    "Termination.killed 1 optional bool",
};

Lines Minus(const Lines& a, const Lines& b) {
  Lines rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                      std::inserter(rest, rest.end()));
  return rest;
}

TEST(SchemaTest, DiffersFromMesosOnlyOnPurpose) {
  const Lines mesos = SchemaOfMesos();
  const Lines ours = OurSchema();
  ASSERT_EQ(mesos.size(), 525u + 78u - 2u);
  EXPECT_THAT(Minus(mesos, ours), UnorderedElementsAreArray(kLeftOut));
  EXPECT_THAT(Minus(ours, mesos), UnorderedElementsAreArray(kAdded));
}

TEST(SchemaTest, SharesNoNameWithMesos) {
  // A binary with two files or messages of one name aborts when it starts.
  const Descriptor& launch = *wire::Launch::descriptor();
  EXPECT_EQ(launch.full_name(), "external_containerizer.wire.Launch");
  EXPECT_EQ(launch.file()->name(),
            "external_containerizer/containerizer/wire/containerizer.proto");
}

}  // namespace
}  // namespace external_containerizer
