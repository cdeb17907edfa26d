// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes that agents and programs of other times have sent, or will send.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::google::protobuf::Message;
using ::google::protobuf::TextFormat;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Recorded {
  std::string command;
  const Message* type;
};

// The bytes that the original agent sent to a program for each command.
class RecordedRequestTest : public ::testing::TestWithParam<Recorded> {
 protected:
  std::unique_ptr<Message> NewMessage() const {
    return std::unique_ptr<Message>(GetParam().type->New());
  }

  static std::string Read(absl::string_view suffix) {
    return ReadTestData(absl::StrCat("containerizer/wire/testdata/",
                                     GetParam().command, ".request.", suffix));
  }

  // The message in the recorded bytes, without the length before it.
  static std::string Payload() {
    const std::string record = Read("bin");
    if (record.size() < 4) {
      ADD_FAILURE() << "a record of " << record.size() << " bytes";
      return "";
    }
    uint32_t size = 0;
    for (const size_t i : {3u, 2u, 1u, 0u}) {
      size = size << 8 | static_cast<unsigned char>(record[i]);
    }
    EXPECT_EQ(size, record.size() - 4);
    return record.substr(4);
  }
};

TEST_P(RecordedRequestTest, IsReadWholeAndWrittenAlike) {
  const std::string payload = Payload();
  std::unique_ptr<Message> message = NewMessage();
  ASSERT_TRUE(message->ParseFromString(payload));
  EXPECT_EQ(absl::BytesToHexString(message->SerializeAsString()),
            absl::BytesToHexString(payload));

  std::string text;
  ASSERT_TRUE(TextFormat::PrintToString(*message, &text));
  EXPECT_EQ(text, Read("txt"));
}

TEST_P(RecordedRequestTest, IsWhatTheSameContentGives) {
  std::unique_ptr<Message> message = NewMessage();
  ASSERT_TRUE(TextFormat::ParseFromString(Read("txt"), message.get()));
  EXPECT_EQ(absl::BytesToHexString(message->SerializeAsString()),
            absl::BytesToHexString(Payload()));
}

INSTANTIATE_TEST_SUITE_P(
    All, RecordedRequestTest,
    ::testing::Values(Recorded{"launch", &wire::Launch::default_instance()},
                      Recorded{"update", &wire::Update::default_instance()},
                      Recorded{"usage", &wire::Usage::default_instance()},
                      Recorded{"wait", &wire::Wait::default_instance()},
                      Recorded{"destroy", &wire::Destroy::default_instance()}),
    [](const auto& test) { return test.param.command; });

// Parses bytes written as hexadecimal digits.
template <typename T>
T Parse(absl::string_view hex) {
  T message;
  EXPECT_TRUE(message.ParseFromString(FromHex(hex))) << hex;
  return message;
}

std::string Hex(const Message& message) {
  return absl::BytesToHexString(message.SerializeAsString());
}

TEST(TerminationRecordTest, OfTheOldGenerationIsRead) {
  const auto ended = Parse<wire::Termination>(
      "0801"
      "12036f6f6d"
      "1809");
  EXPECT_TRUE(ended.killed());
  EXPECT_EQ(ended.message(), "oom");
  EXPECT_EQ(ended.status(), 9);
  EXPECT_FALSE(ended.has_state());
  EXPECT_THAT(ended.reasons(), IsEmpty());
  EXPECT_EQ(Hex(ended), "080112036f6f6d1809");
}

TEST(TerminationRecordTest, OfTheNewGenerationIsRead) {
  const auto plain = Parse<wire::Termination>("1800");
  EXPECT_FALSE(plain.has_killed());
  EXPECT_FALSE(plain.has_message());
  EXPECT_TRUE(plain.has_status());
  EXPECT_EQ(plain.status(), 0);
  EXPECT_EQ(Hex(plain), "1800");

  const auto full = Parse<wire::Termination>(
      "1809"
      "2003"
      "2808"
      "2813");
  EXPECT_EQ(full.state(), wire::TASK_FAILED);
  EXPECT_THAT(full.reasons(),
              ElementsAre(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY,
                          wire::TaskStatus::REASON_CONTAINER_LIMITATION));
  EXPECT_EQ(Hex(full), "1809200328082813");
}

TEST(TerminationRecordTest, MayBeEmpty) {
  EXPECT_EQ(Hex(Parse<wire::Termination>("")), "");
}

TEST(TerminationRecordTest, HasNegativeStatus) {
  const auto ended = Parse<wire::Termination>("18f7ffffffffffffffff01");
  EXPECT_EQ(ended.status(), -9);
  EXPECT_EQ(Hex(ended), "18f7ffffffffffffffff01");
}

TEST(TerminationRecordTest, KeepsStateAndReasonsOfLaterReleases) {
  // TASK_GONE and REASON_IO_SWITCHBOARD_EXITED, limited_resources{name: "x"}.
  const auto ended = Parse<wire::Termination>(
      "1809"
      "200b"
      "2822"
      "3203"
      "0a0178");
  EXPECT_EQ(ended.status(), 9);
  EXPECT_FALSE(ended.has_state());
  EXPECT_THAT(ended.reasons(), IsEmpty());
  EXPECT_EQ(Hex(ended), "1809200b282232030a0178");
}

TEST(TerminationRecordTest, ReasonsMayBePacked) {
  // A program with a schema of its own may pack them.
  const auto ended = Parse<wire::Termination>("2a020813");
  EXPECT_EQ(ended.reasons_size(), 2);
}

TEST(ContainersRecordTest, OfNoContainerIsEmpty) {
  EXPECT_EQ(Hex(wire::Containers()), "");
  EXPECT_EQ(Parse<wire::Containers>("").containers_size(), 0);
}

TEST(ContainerIdRecordTest, MayBeNested) {
  // Since 1.1: {value: "c", parent: {value: "p"}}.
  const auto id = Parse<wire::ContainerID>(
      "0a0163"
      "12030a0170");
  EXPECT_EQ(id.value(), "c");
  EXPECT_EQ(id.parent().value(), "p");
}

TEST(CommandInfoRecordTest, HasTheContainerOfOldReleases) {
  // {value: "x", container: {image: "i", options: "o"}}.
  const auto command = Parse<wire::CommandInfo>(
      "1a0178"
      "22060a01691201"
      "6f");
  EXPECT_EQ(command.container().image(), "i");
  EXPECT_THAT(command.container().options(), ElementsAre("o"));
  EXPECT_EQ(Hex(command), "1a017822060a016912016f");
}

TEST(CommandInfoRecordTest, KeepsTheHealthCheckOf019) {
  // Number 6 was a message in that release; it is a bool now.
  const auto command = Parse<wire::CommandInfo>(
      "1a0178"
      "32021000");
  EXPECT_EQ(command.value(), "x");
  EXPECT_FALSE(command.has_shell());
  EXPECT_TRUE(command.shell());
  EXPECT_EQ(Hex(command), "1a017832021000");
}

TEST(HealthCheckRecordTest, IsNumberedAsInReleases) {
  // 1.0: {http: {port: 80, path: "/", statuses: 200}}.
  const auto old = Parse<wire::HealthCheck>(
      "0a08"
      "0850"
      "12012f"
      "20c801");
  EXPECT_EQ(old.http().port(), 80u);
  EXPECT_EQ(old.http().path(), "/");
  EXPECT_THAT(old.http().statuses(), ElementsAre(200u));

  // 1.1: {http: {port: 80, scheme: "https"}, type: HTTP}.
  const auto newer = Parse<wire::HealthCheck>(
      "0a09"
      "0850"
      "1a056874747073"
      "4002");
  EXPECT_EQ(newer.http().scheme(), "https");
  EXPECT_EQ(newer.type(), wire::HealthCheck::HTTP);
}

TEST(UnknownFieldsTest, SurviveAtEveryDepth) {
  // Resource.allocation_info = 11, provider_id = 12, and a field nobody knows.
  const std::string resource =
      "0a0163"
      "1000"
      "5a03"
      "0a0172"
      "6203"
      "0a0170";
  const std::string unknown = "aa3e0141";  // Number 997: "A".
  const auto update =
      Parse<wire::Update>(absl::StrCat("0a03"
                                       "0a0167",
                                       "120f", resource, unknown));
  EXPECT_EQ(update.container_id().value(), "g");
  ASSERT_EQ(update.resources_size(), 1);
  EXPECT_EQ(update.resources(0).name(), "c");
  EXPECT_EQ(Hex(update), absl::StrCat("0a030a0167120f", resource, unknown));

  wire::Update copy = update;
  copy.mutable_container_id()->set_value("h");
  EXPECT_EQ(Hex(copy), absl::StrCat("0a030a0168120f", resource, unknown));
}

TEST(UnknownFieldsTest, IncludeThoseThatWereRemoved) {
  // SlaveInfo of 0.20: {hostname: "h", webui_hostname: "w", webui_port: 80}.
  const auto info = Parse<wire::SlaveInfo>(
      "0a0168"
      "120177"
      "2050");
  EXPECT_EQ(info.hostname(), "h");
  EXPECT_EQ(Hex(info), "0a01681201772050");
}

TEST(StatusUpdateRecordTest, IsReadAsWritten) {
  // {type: ACK, uuid: "u"}.
  const auto ack = Parse<wire::StatusUpdateRecord>(
      "0801"
      "1a0175");
  EXPECT_EQ(ack.type(), wire::StatusUpdateRecord::ACK);
  EXPECT_FALSE(ack.has_update());
  EXPECT_EQ(ack.uuid(), "u");
  EXPECT_EQ(Hex(ack), "08011a0175");
}

TEST(StringFieldsTest, NeedNotBeUtf8) {
  // Messages of programs and paths may be any bytes.
  const auto ended = Parse<wire::Termination>("1202fffe");
  EXPECT_EQ(ended.message(), "\xff\xfe");
  EXPECT_EQ(Hex(ended), "1202fffe");
}

}  // namespace
}  // namespace external_containerizer
