// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/event_log.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using agent::v1::Event;
using agent::v1::EventsReply;
using agent::v1::EventsRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EventLogTest : public ::testing::Test {
 protected:
  void Add(EventLog& log, const std::string& container,
           const std::string& detail) {
    ContainerEvent event;
    event.container = container;
    event.detail = detail;
    log.Add(event, container.empty() ? "" : container + "'s id",
            absl::FromUnixSeconds(1));
  }

  // Returns nullopt if the call waits.
  std::optional<EventsReply> Ask(EventLog& log, const EventsRequest& request) {
    answer_.reset();
    log.Next(request, [this](EventsReply reply) { answer_ = reply; });
    return answer_;
  }

  static std::vector<std::string> Texts(const EventsReply& reply) {
    std::vector<std::string> texts;
    for (const Event& event : reply.events()) texts.push_back(event.text());
    return texts;
  }

  static EventsRequest After(uint64_t number) {
    EventsRequest request;
    request.set_after(number);
    return request;
  }

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::optional<EventsReply> answer_;
};

TEST_F(EventLogTest, WhatHasHappenedIsToldAtOnceAndInOrder) {
  EventLog log(*loop_);
  Add(log, "one", "x");
  Add(log, "two", "y");
  const auto reply = Ask(log, After(0));
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(Texts(*reply), ElementsAre("one: x", "two: y"));
  EXPECT_EQ(reply->last(), 2u);
  EXPECT_THAT(reply->events(0).json(), HasSubstr("\"container\":\"one\""));
  EXPECT_THAT(reply->events(0).json(), HasSubstr("\"id\":\"one's id\""));
  EXPECT_EQ(reply->events(0).unix_nanos(), 1'000'000'000);
}

TEST_F(EventLogTest, WhoKnowsAllWaitsForTheNext) {
  EventLog log(*loop_);
  Add(log, "one", "x");
  EXPECT_FALSE(Ask(log, After(1)).has_value());
  Add(log, "one", "y");
  ASSERT_TRUE(answer_.has_value());
  EXPECT_THAT(Texts(*answer_), ElementsAre("one: y"));
}

TEST_F(EventLogTest, WhoAsksForOneContainerDoesNotHearOfOthers) {
  EventLog log(*loop_);
  Add(log, "one", "x");
  EventsRequest request = After(0);
  request.set_container("two");
  EXPECT_FALSE(Ask(log, request).has_value());
  Add(log, "one", "y");
  EXPECT_FALSE(answer_.has_value());
  Add(log, "two", "z");
  ASSERT_TRUE(answer_.has_value());
  EXPECT_THAT(Texts(*answer_), ElementsAre("two: z"));
  EXPECT_EQ(answer_->last(), 3u);
}

TEST_F(EventLogTest, WhoDoesNotWantToWaitIsAnsweredAtOnce) {
  EventLog log(*loop_);
  EventsRequest request = After(0);
  request.set_dont_wait(true);
  const auto reply = Ask(log, request);
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->events(), IsEmpty());
}

TEST_F(EventLogTest, WhoWaitsIsAnsweredAfterAWhile) {
  EventLog::Options options;
  options.patience = absl::Milliseconds(1);
  EventLog log(*loop_, options);
  EXPECT_FALSE(Ask(log, After(0)).has_value());
  ttrpc::RunUntil(*loop_, [&] { return answer_.has_value(); });
  EXPECT_THAT(answer_->events(), IsEmpty());
}

TEST_F(EventLogTest, TheOldestAreForgottenAndItSaysHowMany) {
  EventLog::Options options;
  options.max_events = 3;
  EventLog log(*loop_, options);
  for (int i = 0; i < 5; ++i) Add(log, "one", absl::StrCat(i));
  const auto reply = Ask(log, After(0));
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(Texts(*reply), ElementsAre("one: 2", "one: 3", "one: 4"));
  EXPECT_EQ(reply->missed(), 2u);
}

TEST_F(EventLogTest, ManyComeInSeveralAnswers) {
  EventLog::Options options;
  options.max_reply_events = 2;
  EventLog log(*loop_, options);
  for (int i = 0; i < 3; ++i) Add(log, "one", absl::StrCat(i));
  auto reply = Ask(log, After(0));
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(Texts(*reply), ElementsAre("one: 0", "one: 1"));
  reply = Ask(log, After(reply->last()));
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(Texts(*reply), ElementsAre("one: 2"));
}

TEST_F(EventLogTest, LongTextsAreCutAndAnAnswerHasNoMoreThanFits) {
  EventLog::Options options;
  options.max_reply_bytes = 20'000;
  options.max_bytes = 100'000;
  EventLog log(*loop_, options);
  for (int i = 0; i < 20; ++i) {
    ContainerEvent event;
    event.container = "one";
    event.detail = std::string(4 << 20, 'x');
    event.status = absl::InternalError(std::string(4 << 20, 'y'));
    log.Add(event, "", absl::UnixEpoch());
  }
  uint64_t after = 0, events = 0;
  for (auto reply = Ask(log, After(0)); after < 20;
       reply = Ask(log, After(after))) {
    ASSERT_TRUE(reply.has_value());
    EXPECT_LT(reply->ByteSizeLong(), 50'000u);
    events += static_cast<uint64_t>(reply->events_size()) + reply->missed();
    after = reply->last();
    if (after == 20) break;
  }
  EXPECT_EQ(events, 20u);
}

TEST_F(EventLogTest, WhoKnowsAnotherAgentsNumbersIsToldTheRightOnes) {
  EventLog log(*loop_);
  Add(log, "one", "x");
  const auto reply = Ask(log, After(1000));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->last(), 1u);
}

TEST_F(EventLogTest, CloseAnswersWhoeverWaits) {
  EventLog log(*loop_);
  EXPECT_FALSE(Ask(log, After(0)).has_value());
  log.Close();
  EXPECT_TRUE(answer_.has_value());
  EXPECT_TRUE(Ask(log, After(0)).has_value());
}

}  // namespace
}  // namespace external_containerizer
