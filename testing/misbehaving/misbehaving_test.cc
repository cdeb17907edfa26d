// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Programs that do everything wrong, as an embedder sees them. Each command
// ends within its time with one error that says what happened, and the next
// command works.

#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/fork_exec/fork_exec.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kTimeout = absl::Milliseconds(500);

class MisbehavingProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = absl::StrCat(::testing::TempDir(), "/misbehaving.XXXXXX");
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    ASSERT_EQ(mkdir(absl::StrCat(directory_, "/sandbox").c_str(), 0700), 0);
    // A right program, except for the command that the file `behave` names,
    // which is wrong in the way that the file says.
    program_ = absl::StrCat(directory_, "/program");
    Write(program_, absl::StrCat(R"(#!/bin/sh
read -r command mode < ')",
                                 directory_, R"(/behave'
export MISBEHAVE_PIDS=')",
                                 directory_, R"(/pids'
if [ "$1" = "$command" ]; then
  exec ')",
                                 TestDataPath("testing/misbehaving/misbehave"),
                                 R"(' $mode "$1"
fi
case $1 in
  containers) printf '\000\000\000\000' ;;
  wait) exec sleep 1000 ;;
esac
)"));
    ASSERT_EQ(chmod(program_.c_str(), 0700), 0);
    Behave();

    Options options;
    options.timeouts.launch = options.timeouts.update = options.timeouts.usage =
        options.timeouts.containers = kTimeout;
    options.on_event = [this](const ContainerEvent& event) {
      if (event.kind != ContainerEvent::Kind::kCommandEnded) return;
      MutexLock lock(&mutex_);
      last_remark_ = event.detail;
    };
    options.lifecycle.retry_delay = absl::Milliseconds(1);
    options.lifecycle.max_attempts = 2;
    options.lifecycle.max_wait_attempts = 2;
    options.lifecycle.wait_grace = absl::Milliseconds(1);
    ForkExecOptions transport;
    transport.program = program_;
    transport.work_directory = directory_;
    transport.linger = absl::Milliseconds(100);
    auto containerizer =
        Containerizer::Create(options, ForkExecTransport(transport));
    ASSERT_THAT(containerizer.status(), IsOk());
    containerizer_ = *std::move(containerizer);
    blocking_.emplace(*containerizer_);
    ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  }

  void Write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
  }
  void Misbehave(absl::string_view command, absl::string_view mode) {
    Write(absl::StrCat(directory_, "/behave"),
          absl::StrCat(command, " ", mode, "\n"));
  }
  void Behave() { Misbehave("none", "none"); }

  LaunchRequest Request() {
    LaunchRequest request;
    request.id = "a";
    request.executor.mutable_executor_id()->set_value("executor");
    request.executor.mutable_framework_id()->set_value("framework");
    request.sandbox = {directory_, "sandbox", std::nullopt};
    return request;
  }

  // The oddity of the answer of the command that ended last.
  std::string LastRemark() {
    MutexLock lock(&mutex_);
    return last_remark_;
  }

  absl::Mutex mutex_;
  std::string last_remark_ ABSL_GUARDED_BY(mutex_);
  std::string directory_, program_;
  std::unique_ptr<Containerizer> containerizer_;
  std::optional<BlockingContainerizer> blocking_;
};

struct Case {
  const char* mode;
  absl::StatusCode code;
  const char* says;
};

TEST_F(MisbehavingProgramTest, EveryBadUsageIsOneClearErrorAndTheNextWorks) {
  ASSERT_THAT(blocking_->Launch(Request()), IsOk());
  const Case cases[] = {
      {"exit 1", absl::StatusCode::kInternal, "exited with status 1"},
      {"signal", absl::StatusCode::kInternal, "killed by signal"},
      {"text", absl::StatusCode::kDataLoss, "text"},
      {"text-linger", absl::StatusCode::kDataLoss, "text"},
      {"announce", absl::StatusCode::kDataLoss, "gave no answer"},
      {"short", absl::StatusCode::kDataLoss, "gave no answer"},
      {"prefix", absl::StatusCode::kDataLoss, "gave no answer"},
      // It is ended for its amount or for its time, whichever comes first.
      {"flood", absl::StatusCode::kDataLoss, "text where a record should be"},
      {"record-exit", absl::StatusCode::kInternal, "exited with status"},
      {"close-stdout", absl::StatusCode::kDeadlineExceeded, "in time"},
      {"hang", absl::StatusCode::kDeadlineExceeded, "in time"},
      {"ignore-signals", absl::StatusCode::kDeadlineExceeded, "in time"},
      {"empty-record", absl::StatusCode::kDataLoss, "incomplete"},
  };
  for (const Case& wrong : cases) {
    SCOPED_TRACE(wrong.mode);
    Misbehave("usage", wrong.mode);
    const absl::Time begin = absl::Now();
    const absl::Status status = blocking_->Usage("a").status();
    EXPECT_THAT(status,
                StatusIs(wrong.code,
                         AllOf(HasSubstr("usage of container \"a\""),
                               HasSubstr(program_), HasSubstr(wrong.says))));
    EXPECT_LT(absl::Now() - begin, absl::Seconds(30));
    Behave();
    const auto usage = blocking_->Usage("a");
    ASSERT_THAT(usage.status(), IsOk());
    EXPECT_FALSE(usage->has_value());
  }
}

TEST_F(MisbehavingProgramTest, WhatIsOnlyUntidyIsNoError) {
  ASSERT_THAT(blocking_->Launch(Request()), IsOk());
  for (const char* mode : {"ignore", "read-to-eof", "daemon"}) {
    SCOPED_TRACE(mode);
    Misbehave("update", mode);
    EXPECT_THAT(blocking_->Update("a", {}), IsOk());
  }
}

TEST_F(MisbehavingProgramTest, BytesBehindAnAnswerAreNamed) {
  Misbehave("containers", "two-records");
  EXPECT_THAT(blocking_->Containers(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(LastRemark(), HasSubstr("4 bytes behind its answer"));
  Misbehave("containers", "empty-record");
  EXPECT_THAT(blocking_->Containers(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(LastRemark(), "");
}

TEST_F(MisbehavingProgramTest, ALengthThatMakesSenseInBigEndianOrderIsNamed) {
  Misbehave("containers", "big-endian");
  EXPECT_THAT(blocking_->Containers().status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("is in big-endian order")));
}

TEST_F(MisbehavingProgramTest, ATerminationWithoutAStatusIsNamed) {
  Misbehave("wait", "empty-record");
  ASSERT_THAT(blocking_->Launch(Request()), IsOk());
  EXPECT_THAT(blocking_->Wait("a").status(), IsOk());
  EXPECT_THAT(LastRemark(), HasSubstr("the Termination has no status"));
}

TEST_F(MisbehavingProgramTest, ALaunchThatNeverReturnsIsEndedAndCleanedUp) {
  Misbehave("launch", "hang");
  EXPECT_THAT(blocking_->Launch(Request()),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("launch of container \"a\"")));
  Behave();
  // The id is free again when the cleaning-up is over.
  absl::Status again;
  do {
    again = blocking_->Launch(Request());
  } while (absl::IsAborted(again));
  EXPECT_THAT(again, IsOk());
}

TEST_F(MisbehavingProgramTest, ALaunchThatFailsSaysWhyInTheProgramsWords) {
  Misbehave("launch", "exit 1");
  EXPECT_THAT(blocking_->Launch(Request()),
              StatusIs(absl::StatusCode::kInternal,
                       AllOf(HasSubstr("exited with status 1"),
                             HasSubstr("stderr: \""))));
}

TEST_F(MisbehavingProgramTest, AWaitThatKeepsDyingCostsTheContainerOnly) {
  Misbehave("wait", "exit 1");
  ASSERT_THAT(blocking_->Launch(Request()), IsOk());
  const auto termination = blocking_->Wait("a");
  ASSERT_THAT(termination.status(), IsOk());
  EXPECT_FALSE(termination->has_status());
  EXPECT_THAT(termination->message(), HasSubstr("exited with status 1"));
  Behave();
  LaunchRequest other = Request();
  other.id = "b";
  EXPECT_THAT(blocking_->Launch(other), IsOk());
}

TEST_F(MisbehavingProgramTest, ADestroyThatFailsOfWhatIsNotListedIsGone) {
  ASSERT_THAT(blocking_->Launch(Request()), IsOk());
  Misbehave("destroy", "exit 1");
  EXPECT_THAT(blocking_->Destroy("a").status(), IsOk());
}

TEST_F(MisbehavingProgramTest, AListThatIsTextIsSaidToBeText) {
  Misbehave("containers", "text");
  EXPECT_THAT(blocking_->Containers().status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("containers")));
}

TEST_F(MisbehavingProgramTest, AnIdThatCouldBeSomethingElseStartsNothing) {
  ASSERT_THAT(blocking_->Launch(Request()), IsOk());
  Misbehave("usage", "exit 1");
  for (const std::string& id :
       {std::string("a/b"), std::string(".."), std::string("it's"),
        std::string("a\nb"), std::string(10240, 'x')}) {
    EXPECT_THAT(blocking_->Usage(id).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(blocking_->Usage("nobody").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace external_containerizer
