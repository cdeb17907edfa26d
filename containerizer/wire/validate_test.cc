// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/wire/validate.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace wire {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::FileDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::MessageFactory;
using ::google::protobuf::Reflection;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

// The field that the error names; nullopt for a complete message.
std::optional<std::string> Missing(const Message& message) {
  const absl::Status status = CheckComplete(message);
  if (status.ok()) return std::nullopt;
  absl::string_view text = status.message();
  text.remove_prefix(text.find(" lacks ") + 7);
  return std::string(text.substr(0, text.find(',')));
}

TEST(ValidateIdTest, AcceptsWhatRealIdsLookLike) {
  for (absl::string_view id :
       {"a", "...", ".hidden", "a..b", "20140811-123456-16777343-5050-1-S0",
        "9a2c1f0e-5f5c-4c1b-a0d5-0f3a9e1b7c11", "thermos-1412.role$x",
        "ct:1420:0:job name", "a=b,c;d&e|f(g)", "a-", "\xc3\xa9t\xc3\xa9",
        "\xff\xfe"}) {
    EXPECT_THAT(ValidateId("container id", id), IsOk()) << id;
  }
  EXPECT_THAT(ValidateId("container id", std::string(255, 'a')), IsOk());
}

TEST(ValidateIdTest, RefusesWhatIsNoNameOrArgument) {
  for (absl::string_view id :
       {"", ".", "..", "/", "a/b", "../a", "a/", "a\\b", "a'b", "a\"b", "a`b",
        "a\nb", "a\tb", "\x1b[31m", "\x7f", "-", "-rf"}) {
    EXPECT_THAT(ValidateId("container id", id),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         StartsWith("container id ")))
        << absl::CHexEscape(id);
  }
  EXPECT_THAT(ValidateId("task id", absl::string_view("a\0b", 3)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  for (int c = 0; c < 0x20; ++c) {
    EXPECT_THAT(ValidateId("task id", std::string(1, static_cast<char>(c))),
                Not(IsOk()))
        << c;
  }
}

TEST(ValidateIdTest, BoundsTheLengthOfIdsAndMessages) {
  EXPECT_THAT(ValidateId("id", std::string(256, 'a')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 256 bytes, more than the 255")));
  const absl::Status status = ValidateId("id", std::string(10240, '\n'));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_LT(status.message().size(), 300u);
}

TEST(ValidateIdTest, QuotesTheIdEscaped) {
  EXPECT_THAT(
      ValidateId("executor id", "a\x1b[31m\n"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               StartsWith(R"(executor id "a\x1b[31m\n" contains "\x1b";)")));
}

// The required rows of Mesos's schema, by this project's names. A field counts
// only if all releases require it.
std::vector<std::string> RequiredByMesos() {
  std::vector<std::string> required = {"CommandInfo.ContainerInfo.image"};
  for (absl::string_view row :
       absl::StrSplit(ReadTestData("containerizer/wire/testdata/mesos.tsv"),
                      '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> cells = absl::StrSplit(row, '\t');
    if (cells[0] != "field" || cells[4] != "required") continue;
    absl::string_view owner = cells[1];
    for (absl::string_view package :
         {"mesos.containerizer.", "mesos.internal.", "mesos."}) {
      if (absl::ConsumePrefix(&owner, package)) break;
    }
    required.push_back(absl::StrCat(owner, ".", cells[2]));
  }
  for (absl::string_view optional_since :
       {"ExecutorInfo.command", "Environment.Variable.value",
        "Resource.DiskInfo.Source.Path.root",
        "Resource.DiskInfo.Source.Mount.root"}) {
    const auto end =
        std::remove(required.begin(), required.end(), optional_since);
    EXPECT_NE(end, required.end()) << optional_since;
    required.erase(end, required.end());
  }
  return required;
}

// Sets every singular field, and those of the messages in it.
void Fill(Message& message, int depth) {
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.is_repeated()) continue;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth > 0) {
          Fill(*reflection.MutableMessage(&message, &field), depth - 1);
        }
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        reflection.SetString(&message, &field, "x");
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection.SetEnum(&message, &field, field.enum_type()->value(0));
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection.SetDouble(&message, &field, 1);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, &field, true);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, &field, 1);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, &field, 1);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection.SetUInt32(&message, &field, 1);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection.SetUInt64(&message, &field, 1);
        break;
      default:
        ADD_FAILURE() << field.full_name();
    }
  }
}

// Clears each field of a full message in turn, and adds the field if the
// message is incomplete then.
void AddMissed(const Descriptor& type, std::set<std::string>& missed) {
  for (int i = 0; i < type.nested_type_count(); ++i) {
    AddMissed(*type.nested_type(i), missed);
  }
  std::unique_ptr<Message> full(
      MessageFactory::generated_factory()->GetPrototype(&type)->New());
  Fill(*full, 6);
  EXPECT_EQ(Missing(*full), std::nullopt) << type.full_name();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    std::unique_ptr<Message> message(full->New());
    message->CopyFrom(*full);
    message->GetReflection()->ClearField(message.get(), &field);
    const std::optional<std::string> missing = Missing(*message);
    if (!missing) continue;
    EXPECT_EQ(*missing, field.name());
    absl::string_view name = field.full_name();
    EXPECT_TRUE(absl::ConsumePrefix(&name, "external_containerizer.wire."));
    missed.insert(std::string(name));
  }
}

TEST(CheckCompleteTest, MissesWhatEveryReleaseRequiresAndNothingElse) {
  std::set<std::string> missed;
  for (const FileDescriptor* file : {
           SlaveInfo::descriptor()->file(),
           Launch::descriptor()->file(),
           TaskInfo::descriptor()->file(),
           ResourceStatistics::descriptor()->file(),
       }) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      AddMissed(*file->message_type(i), missed);
    }
  }
  EXPECT_THAT(missed, UnorderedElementsAreArray(RequiredByMesos()));
  EXPECT_THAT(missed, SizeIs(64));
}

TEST(CheckCompleteTest, NamesThePath) {
  Launch launch;
  EXPECT_THAT(Missing(launch), Optional<std::string>("container_id"));
  launch.mutable_container_id();
  EXPECT_THAT(Missing(launch), Optional<std::string>("container_id.value"));
  launch.mutable_container_id()->set_value("c");
  EXPECT_EQ(Missing(launch), std::nullopt);

  ExecutorInfo& executor = *launch.mutable_executor_info();
  executor.mutable_executor_id()->set_value("e");
  for (int i = 0; i < 3; ++i) {
    executor.add_resources()->set_type(Value::SCALAR);
    if (i < 2) executor.mutable_resources(i)->set_name("cpus");
  }
  EXPECT_THAT(Missing(launch),
              Optional<std::string>("executor_info.resources[2].name"));
}

TEST(CheckCompleteTest, TakesAnUnknownEnumValueForOne) {
  // Resource {name: "r", type: 77}.
  Resource resource;
  ASSERT_TRUE(resource.ParseFromString("\x0a\x01r\x10\x4d"));
  ASSERT_FALSE(resource.has_type());
  EXPECT_EQ(Missing(resource), std::nullopt);
}

TEST(CheckCompleteTest, EndsInMessagesNestedTooDeep) {
  ContainerID id;
  id.set_value("c");
  ContainerID* inner = &id;
  const auto nest = [&inner] {
    inner = inner->mutable_parent();
    inner->set_value("c");
  };
  for (int i = 0; i < 100; ++i) nest();
  EXPECT_EQ(Missing(id), std::nullopt);
  EXPECT_TRUE(ContainerID().ParseFromString(id.SerializeAsString()));

  nest();
  EXPECT_THAT(Missing(id), Optional(StartsWith("parent.parent.")));
  EXPECT_FALSE(ContainerID().ParseFromString(id.SerializeAsString()));
}

TEST(CheckCompleteTest, AcceptsTheRecordedLaunch) {
  const std::string record =
      ReadTestData("containerizer/wire/testdata/launch.request.bin");
  Launch launch;
  ASSERT_TRUE(launch.ParseFromString(record.substr(4)));
  EXPECT_THAT(CheckComplete(launch), IsOk());
  launch.mutable_task_info()->mutable_task_id()->clear_value();
  EXPECT_THAT(CheckComplete(launch),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "the Launch lacks task_info.task_id.value, which the "
                       "protocol requires"));
}

template <typename T>
void ExpectNeedsContainerId() {
  T message;
  EXPECT_THAT(CheckComplete(message),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("lacks container_id,")));
  message.mutable_container_id();
  EXPECT_THAT(CheckComplete(message),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("lacks container_id.value,")));
  message.mutable_container_id()->set_value("c");
  EXPECT_THAT(CheckComplete(message), IsOk());
}

TEST(CheckCompleteTest, NeedsAContainerIdInEveryCommand) {
  ExpectNeedsContainerId<Launch>();
  ExpectNeedsContainerId<Update>();
  ExpectNeedsContainerId<Usage>();
  ExpectNeedsContainerId<Wait>();
  ExpectNeedsContainerId<Destroy>();
}

TEST(CheckCompleteTest, AnswersAreDataLoss) {
  constexpr auto kLoss = absl::StatusCode::kDataLoss;
  EXPECT_THAT(CheckComplete(Termination()), IsOk());

  Containers containers;
  EXPECT_THAT(CheckComplete(containers), IsOk());
  containers.add_containers()->set_value("c");
  EXPECT_THAT(CheckComplete(containers), IsOk());
  containers.add_containers();
  EXPECT_THAT(CheckComplete(containers, kLoss),
              StatusIs(kLoss, HasSubstr("lacks containers[1].value,")));

  ResourceStatistics statistics;
  EXPECT_THAT(CheckComplete(statistics, kLoss),
              StatusIs(kLoss, HasSubstr("lacks timestamp,")));
  statistics.set_timestamp(0);
  EXPECT_THAT(CheckComplete(statistics), IsOk());
}

}  // namespace
}  // namespace wire
}  // namespace external_containerizer
