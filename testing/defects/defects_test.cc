// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Defects of the original that no narrower test has with a real program: each
// case lets a script play its part, and fails if the defect comes back. The
// ledger in docs/protocol.md says which defect is held by which case.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/fork_exec/fork_exec.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

// Writes its life to `log`. In its directory, COMMAND.hold makes a command wait
// until somebody writes to the FIFO COMMAND.gate, COMMAND.fails makes it fail,
// and COMMAND.answer is what it prints.
constexpr char kProgram[] = R"sh(#!/bin/sh
cd "$(dirname "$0")" || exit
echo "$1 begins" >>log
cat >"$1.input"
[ ! -e "$1.hold" ] || read -r line <"$1.gate"
[ ! -e "$1.answer" ] || cat "$1.answer"
[ ! -e "$1.releases_wait" ] || echo >wait.gate
echo "$1 ends" >>log
[ ! -e "$1.fails" ]
)sh";

// The result of a call that is still under way.
template <typename T>
class Pending {
 public:
  Done<T> Callback() {
    return [this](absl::StatusOr<T> result) {
      result_ = std::move(result);
      done_.Notify();
    };
  }
  DoneStatus StatusCallback() {
    return [this](absl::Status status) {
      result_ = status.ok() ? absl::StatusOr<T>(T()) : std::move(status);
      done_.Notify();
    };
  }
  bool IsDone() const { return done_.HasBeenNotified(); }
  const absl::StatusOr<T>& Await() {
    done_.WaitForNotification();
    return result_;
  }

 private:
  absl::Notification done_;
  absl::StatusOr<T> result_ = absl::UnknownError("not done");
};

class DefectsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = absl::StrCat(::testing::TempDir(), "/defects.XXXXXX");
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    ASSERT_EQ(mkdir(Path("sandbox").c_str(), 0700), 0);
    Write("program", kProgram);
    ASSERT_EQ(chmod(Path("program").c_str(), 0700), 0);
    for (const char* command : {"launch", "update", "usage", "wait", "destroy",
                                "containers", "recover"}) {
      ASSERT_EQ(mkfifo(Path(absl::StrCat(command, ".gate")).c_str(), 0600), 0);
    }
    List({});
    wire::Termination termination;
    termination.set_status(7 << 8);
    Write("wait.answer", EncodeRecord(termination.SerializeAsString()));
    Hold("wait");

    options_.lifecycle.retry_delay = absl::Milliseconds(1);
    options_.lifecycle.max_attempts = 2;
  }

  // Makes the containerizer; Recover() is left to the case.
  void Create() {
    ForkExecOptions transport;
    transport.program = Path("program");
    transport.work_directory = directory_;
    auto containerizer =
        Containerizer::Create(options_, ForkExecTransport(transport));
    ASSERT_THAT(containerizer.status(), IsOk());
    containerizer_ = *std::move(containerizer);
    blocking_.emplace(*containerizer_);
  }
  void CreateAndRecover() {
    Create();
    ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  }

  std::string Path(absl::string_view name) const {
    return absl::StrCat(directory_, "/", name);
  }
  void Write(absl::string_view name, const std::string& text) {
    std::ofstream(Path(name), std::ios::trunc) << text;
  }
  std::string Read(absl::string_view name) {
    std::ifstream file(Path(name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void Hold(absl::string_view command) {
    Write(absl::StrCat(command, ".hold"), "");
  }
  void Fail(absl::string_view command) {
    Write(absl::StrCat(command, ".fails"), "");
  }
  void Remove(absl::string_view name) {
    ASSERT_EQ(unlink(Path(name).c_str()), 0);
  }
  // Lets the command pass that is at its gate, or comes there, and holds no
  // later one.
  void Release(absl::string_view command) {
    const int gate = open(Path(absl::StrCat(command, ".gate")).c_str(),
                          O_WRONLY | O_CLOEXEC);
    ASSERT_GE(gate, 0);
    Remove(absl::StrCat(command, ".hold"));
    EXPECT_EQ(write(gate, "\n", 1), 1);
    close(gate);
  }
  void List(const std::vector<std::string>& ids) {
    wire::Containers containers;
    for (const std::string& id : ids) {
      containers.add_containers()->set_value(id);
    }
    Write("containers.answer", EncodeRecord(containers.SerializeAsString()));
  }
  std::vector<std::string> Log() {
    return absl::StrSplit(Read("log"), '\n', absl::SkipEmpty());
  }
  size_t Count(absl::string_view line) {
    const std::vector<std::string> log = Log();
    return static_cast<size_t>(std::count(log.begin(), log.end(), line));
  }

  LaunchRequest Request(const std::string& id) {
    LaunchRequest request;
    request.id = id;
    request.executor.mutable_executor_id()->set_value("executor");
    request.executor.mutable_framework_id()->set_value("framework");
    request.sandbox = {directory_, "sandbox", std::nullopt};
    return request;
  }
  Resources Cpus(double cpus) {
    wire::Resource resource;
    resource.set_name("cpus");
    resource.set_type(wire::Value::SCALAR);
    resource.mutable_scalar()->set_value(cpus);
    return {resource};
  }

  std::string directory_;
  Options options_;
  std::unique_ptr<Containerizer> containerizer_;
  std::optional<BlockingContainerizer> blocking_;
};

// D1
TEST_F(DefectsTest, ManyRunningWaitsHoldUpNoOtherCommand) {
  CreateAndRecover();
  std::vector<std::unique_ptr<Pending<wire::Termination>>> waits;
  for (int i = 0; i < 64; ++i) {
    const std::string id = absl::StrCat("c", i);
    ASSERT_THAT(blocking_->Launch(Request(id)), IsOk());
    waits.push_back(std::make_unique<Pending<wire::Termination>>());
    containerizer_->Wait(id, waits.back()->Callback());
  }
  EXPECT_THAT(blocking_->Usage("c63").status(), IsOk());
  for (const auto& wait : waits) EXPECT_FALSE(wait->IsDone());
  containerizer_.reset();
}

// D2
TEST_F(DefectsTest, OrphansAreDestroyedAFewAtATime) {
  std::vector<std::string> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(absl::StrCat("orphan", i));
  List(ids);
  Remove("wait.hold");
  options_.lifecycle.orphans = OrphanPolicy::kAll;
  options_.lifecycle.max_orphans_at_once = 4;
  Create();
  const auto summary = blocking_->Recover({});
  ASSERT_THAT(summary.status(), IsOk());
  EXPECT_THAT(summary->destroyed, SizeIs(40));
  int at_once = 0, most = 0;
  for (const std::string& line : Log()) {
    if (line == "destroy begins") most = std::max(most, ++at_once);
    if (line == "destroy ends") --at_once;
  }
  EXPECT_GE(most, 1);
  EXPECT_LE(most, 4);
  EXPECT_EQ(Count("destroy ends"), 40u);
}

// D5
TEST_F(DefectsTest, ChatterOnTheStdoutOfACommandWithoutAnAnswerIsHarmless) {
  CreateAndRecover();
  Write("launch.answer", std::string(1 << 20, 'x'));
  Write("update.answer", std::string(1 << 20, 'x'));
  EXPECT_THAT(blocking_->Launch(Request("a")), IsOk());
  EXPECT_THAT(blocking_->Update("a", Cpus(1)), IsOk());
}

// D11, D12
TEST_F(DefectsTest, CallsBehindALaunchThatFailsEndAndDestroyIsRun) {
  CreateAndRecover();
  Hold("launch");
  Fail("launch");
  Pending<bool> launch, update;
  Pending<wire::Termination> wait;
  Pending<std::optional<wire::ResourceStatistics>> usage;
  containerizer_->Launch(Request("a"), launch.StatusCallback());
  containerizer_->Update("a", Cpus(1), update.StatusCallback());
  containerizer_->Wait("a", wait.Callback());
  containerizer_->Usage("a", usage.Callback());
  Release("launch");
  EXPECT_THAT(launch.Await().status(), Not(IsOk()));
  EXPECT_THAT(update.Await().status(), Not(IsOk()));
  EXPECT_THAT(usage.Await().status(), Not(IsOk()));
  EXPECT_THAT(wait.Await().status(), Not(IsOk()));
  // Its id is free once `destroy` is over.
  Remove("launch.fails");
  absl::Status again;
  do {
    again = blocking_->Launch(Request("a"));
  } while (absl::IsAborted(again));
  EXPECT_THAT(again, IsOk());
  EXPECT_EQ(Count("destroy ends"), 1u);
  EXPECT_EQ(Count("update begins") + Count("usage begins"), 0u);
}

// D15
TEST_F(DefectsTest, AContainerWhoseDestroyFailsIsHeldAndCanBeDestroyedAgain) {
  CreateAndRecover();
  ASSERT_THAT(blocking_->Launch(Request("a")), IsOk());
  List({"a"});
  Fail("destroy");
  EXPECT_THAT(blocking_->Destroy("a").status(), Not(IsOk()));
  EXPECT_THAT(blocking_->Usage("a").status(), IsOk());
  Remove("destroy.fails");
  Write("destroy.releases_wait", "");
  EXPECT_THAT(blocking_->Destroy("a").status(), IsOk());
  EXPECT_THAT(blocking_->Usage("a").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

// D16
TEST_F(DefectsTest, ADestroyTellsHowTheContainerTrulyEnded) {
  CreateAndRecover();
  ASSERT_THAT(blocking_->Launch(Request("a")), IsOk());
  Pending<wire::Termination> wait;
  containerizer_->Wait("a", wait.Callback());
  Write("destroy.releases_wait", "");
  const auto destroyed = blocking_->Destroy("a");
  ASSERT_THAT(destroyed.status(), IsOk());
  EXPECT_EQ(destroyed->status(), 7 << 8);
  ASSERT_THAT(wait.Await().status(), IsOk());
  EXPECT_EQ(wait.Await()->status(), 7 << 8);
}

// D18
TEST_F(DefectsTest, AResultIsNoErrorBecauseTheContainerEndedMeanwhile) {
  CreateAndRecover();
  ASSERT_THAT(blocking_->Launch(Request("a")), IsOk());
  Hold("update");
  Pending<bool> update;
  containerizer_->Update("a", Cpus(1), update.StatusCallback());
  Release("wait");
  ASSERT_THAT(blocking_->Wait("a").status(), IsOk());
  Release("update");
  EXPECT_THAT(update.Await().status(), IsOk());
}

// D19, D39
TEST_F(DefectsTest, UpdatesAreSentOneAtATimeAndOfThoseThatWaitTheNewest) {
  CreateAndRecover();
  ASSERT_THAT(blocking_->Launch(Request("a")), IsOk());
  Hold("update");
  Pending<bool> updates[5];
  double cpus = 0;
  for (Pending<bool>& update : updates) {
    containerizer_->Update("a", Cpus(++cpus), update.StatusCallback());
  }
  // The calls have arrived once one that came after them was answered.
  EXPECT_THAT(blocking_->Usage("a").status(), IsOk());
  Release("update");
  for (Pending<bool>& update : updates) {
    EXPECT_THAT(update.Await().status(), IsOk());
  }
  EXPECT_EQ(Count("update begins"), 2u);
  wire::Update newest;
  const std::string input = Read("update.input");
  ASSERT_GE(input.size(), 4u);
  ASSERT_TRUE(newest.ParseFromString(input.substr(4)));
  ASSERT_THAT(newest.resources(), SizeIs(1));
  EXPECT_EQ(newest.resources(0).scalar().value(), 5);
}

// D30
TEST_F(DefectsTest, WhatOthersRunIsLeftAloneAtRecovery) {
  List({"of-another-agent"});
  Create();
  const auto summary = blocking_->Recover({});
  ASSERT_THAT(summary.status(), IsOk());
  EXPECT_THAT(summary->surviving, ElementsAre("of-another-agent"));
  EXPECT_EQ(Count("destroy begins"), 0u);
}

// D36
TEST_F(DefectsTest, ADestroyThatComesDuringRecoveryIsRunAfterIt) {
  List({"a"});
  Create();
  Hold("recover");
  KnownContainer known;
  known.id = "a";
  known.sandbox = {directory_, "sandbox", std::nullopt};
  Pending<RecoverySummary> recovery;
  Pending<wire::Termination> destroyed;
  containerizer_->Recover({known}, recovery.Callback());
  containerizer_->Destroy("a", destroyed.Callback());
  Write("destroy.releases_wait", "");
  Release("recover");
  EXPECT_THAT(recovery.Await().status(), IsOk());
  ASSERT_THAT(destroyed.Await().status(), IsOk());
  EXPECT_EQ(destroyed.Await()->status(), 7 << 8);
  const std::vector<std::string> log = Log();
  EXPECT_LT(std::find(log.begin(), log.end(), "containers ends"),
            std::find(log.begin(), log.end(), "destroy begins"));
  EXPECT_EQ(Count("destroy begins"), 1u);
}

}  // namespace
}  // namespace external_containerizer
