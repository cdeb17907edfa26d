// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/answer.h"

#include <csignal>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

CommandEnd End(std::optional<int> wait_status, Ending ending) {
  CommandEnd end;
  end.command = Command::kWait;
  end.program = "/opt/x\n";
  end.wait_status = wait_status;
  end.ending = ending;
  return end;
}

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

TEST(AnswerTest, AnExitStatusIsAnAnswerAndASignalIsNot) {
  EXPECT_TRUE(MakeAnswer(End(0, Ending::kByItself)).status.ok());
  Answer answer = MakeAnswer(End(2 << 8, Ending::kByItself));
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_EQ(Message(answer.status),
            "wait by \"/opt/x\\n\" exited with status 2");
  answer = MakeAnswer(End(SIGSEGV | 0x80, Ending::kByItself));
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
  EXPECT_EQ(Message(answer.status),
            "wait by \"/opt/x\\n\" was killed by signal 11 (Segmentation "
            "fault)");
}

TEST(AnswerTest, AnUnknownExitStatusIsAnUnknownOutcomeWithoutARecord) {
  Answer answer = MakeAnswer(End(std::nullopt, Ending::kByItself));
  EXPECT_EQ(answer.outcome, Outcome::kUnknown);
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kInternal);
  CommandEnd end = End(std::nullopt, Ending::kByItself);
  end.record = std::optional<std::string>("good");
  answer = MakeAnswer(std::move(end));
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.output, "good");
}

TEST(AnswerTest, OneThatEndedBeforeItWasKilledEndedByItself) {
  for (Ending ending : {Ending::kTimeout, Ending::kCancelled}) {
    EXPECT_TRUE(MakeAnswer(End(0, ending)).status.ok());
    EXPECT_EQ(MakeAnswer(End(1 << 8, ending)).status.code(),
              absl::StatusCode::kInternal);
  }
}

TEST(AnswerTest, WhatCouldNotBeEndedIsUnknown) {
  for (bool ended : {true, false}) {
    CommandEnd end = End(SIGKILL, Ending::kTimeout);
    end.ended = ended;
    const Answer answer = MakeAnswer(std::move(end));
    EXPECT_EQ(answer.outcome, ended ? Outcome::kEnded : Outcome::kUnknown);
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_THAT(Message(answer.status),
                HasSubstr(ended ? "it was ended" : "could not be ended"));
  }
}

TEST(AnswerTest, ARecordCountsWhyeverTheProcessEnded) {
  for (Ending ending : {Ending::kByItself, Ending::kTimeout, Ending::kCancelled,
                        Ending::kFlood}) {
    CommandEnd end = End(SIGKILL, ending);
    end.record = std::optional<std::string>("good");
    const Answer answer = MakeAnswer(std::move(end));
    EXPECT_EQ(answer.output, "good");
    EXPECT_EQ(answer.outcome, Outcome::kAnswered);
    EXPECT_FALSE(answer.status.ok());
  }
  CommandEnd end = End(SIGKILL, Ending::kLingering);
  end.record = std::optional<std::string>("good");
  EXPECT_TRUE(MakeAnswer(std::move(end)).status.ok());
}

TEST(AnswerTest, WhatFollowsTheRecordIsRemarkedOn) {
  CommandEnd end = End(0, Ending::kByItself);
  end.record = std::optional<std::string>("good");
  EXPECT_EQ(MakeAnswer(end).remark, "");
  end.trailing_bytes = 12;
  EXPECT_THAT(MakeAnswer(end).remark, HasSubstr("12 bytes behind its answer"));
}

TEST(AnswerTest, GarbageIsShownBesideTheExitStatus) {
  for (int status : {0, 1 << 8}) {
    CommandEnd end = End(status, Ending::kByItself);
    end.record = absl::DataLossError("it wrote \"Oops\"");
    const Answer answer = MakeAnswer(std::move(end));
    EXPECT_EQ(answer.outcome, Outcome::kEnded);
    EXPECT_EQ(answer.status.code(), status == 0 ? absl::StatusCode::kDataLoss
                                                : absl::StatusCode::kInternal);
    EXPECT_THAT(Message(answer.status), HasSubstr("it wrote \"Oops\""));
  }
}

TEST(AnswerTest, StderrIsQuotedInOneEscapedLine) {
  const absl::Status status = absl::InternalError("failed");
  EXPECT_EQ(Message(WithStderr(status, "a\nb\x1b[m\n\n")),
            "failed; stderr: \"a\\nb\\x1b[m\"");
  EXPECT_EQ(WithStderr(status, " \n"), status);
  EXPECT_EQ(WithStderr(absl::OkStatus(), "noise"), absl::OkStatus());
}

TEST(AnswerTest, OfALongStderrTheEndIsQuotedWholeHoweverItIsEscaped) {
  for (const char* noise : {"x", "a\n", "\xff"}) {
    std::string text;
    while (text.size() < 4096) text += noise;
    const std::string message =
        Message(WithStderr(absl::InternalError("failed"), text + "LAST WORDS"));
    EXPECT_LT(message.size(), 3200u);
    EXPECT_GT(message.size(), 3000u);
    EXPECT_THAT(message, StartsWith("failed; stderr: \"..."));
    EXPECT_THAT(message, EndsWith("LAST WORDS\""));
  }
}

}  // namespace
}  // namespace external_containerizer
