// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/program_transport.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Keeps the replies to wait, and runs the test's function for launch.
class KeepingProgram : public Program {
 public:
  void Launch(const wire::Launch&, const Context& context,
              Reply<void> reply) override {
    seen = context;
    launch(context, std::move(reply));
  }
  void Wait(const wire::Wait&, const Context& context,
            Reply<wire::Termination> reply) override {
    MutexLock lock(&mutex);
    contexts.push_back(context);
    kept.push_back(std::move(reply));
  }
  void Destroy(const wire::Destroy&, const Context&,
               Reply<void> reply) override {
    std::move(reply)(absl::NotFoundError("no such thing"));
  }

  size_t Kept() {
    MutexLock lock(&mutex);
    return kept.size();
  }

  std::function<void(const Context&, Reply<void>)> launch =
      [](const Context&, Reply<void> reply) {
        std::move(reply)(absl::OkStatus());
      };
  Context seen;
  absl::Mutex mutex;
  std::vector<Context> contexts;
  std::vector<Reply<wire::Termination>> kept;
};

class ProgramTransportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "/p.XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
    ASSERT_EQ(mkdir((root_ + "/box").c_str(), 0700), 0);
    transport_ =
        std::make_unique<ProgramTransport>(*loop_, "keeping", program_);
  }

  template <typename Message>
  Invocation About(Command command) {
    Message message;
    message.mutable_container_id()->set_value("c");
    Invocation invocation;
    invocation.command = command;
    invocation.input = message.SerializePartialAsString();
    invocation.sandbox = Sandbox{root_, "box", std::nullopt};
    return invocation;
  }
  Invocation Launch() {
    wire::Launch launch;
    launch.mutable_container_id()->set_value("c");
    Invocation invocation = About<wire::Launch>(Command::kLaunch);
    invocation.input = launch.SerializeAsString();
    return invocation;
  }
  Invocation Wait() { return About<wire::Wait>(Command::kWait); }

  struct Pending {
    InvocationId id = 0;
    std::optional<Answer> answer;
  };

  std::shared_ptr<Pending> Invoke(Invocation invocation) {
    auto pending = std::make_shared<Pending>();
    pending->id = transport_->Invoke(
        std::move(invocation), [this, pending](Answer answer) {
          EXPECT_TRUE(loop_->OnLoopThread());
          EXPECT_FALSE(pending->answer.has_value());
          pending->answer = std::move(answer);
        });
    return pending;
  }

  void RunUntil(const std::function<bool()>& condition) {
    const absl::Time end = absl::Now() + absl::Seconds(60);
    std::function<void()> look = [&] {
      if (condition() || absl::Now() > end) {
        loop_->Stop();
      } else {
        loop_->RunAfter(absl::Milliseconds(1), look);
      }
    };
    look();
    loop_->Run();
    ASSERT_TRUE(condition());
  }

  Answer Await(const std::shared_ptr<Pending>& pending) {
    RunUntil([&] { return pending->answer.has_value(); });
    return pending->answer.value_or(Answer());
  }

  std::string root_;
  KeepingProgram program_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Transport> transport_;
};

TEST_F(ProgramTransportTest, HandlersSeeTheRequestsEnvironmentOnly) {
  ASSERT_EQ(setenv("OF_THIS_PROCESS", "1", 1), 0);
  Invocation invocation = Launch();
  invocation.environment = {{"MESOS_WORK_DIRECTORY", "/w"}, {"A", "b"}};
  EXPECT_THAT(Await(Invoke(std::move(invocation))).status, IsOk());
  EXPECT_THAT(
      program_.seen.environment,
      UnorderedElementsAre(Pair("MESOS_WORK_DIRECTORY", "/w"), Pair("A", "b")));
  EXPECT_EQ(program_.seen.work_directory, "/w");
  EXPECT_EQ(program_.seen.sandbox, root_ + "/box");
}

TEST_F(ProgramTransportTest, LaunchFindsItsOutputsAndOthersLeaveTheSandbox) {
  const auto wait = Invoke(Wait());
  RunUntil([this] { return program_.Kept() == 1; });
  struct stat info;
  EXPECT_NE(stat((root_ + "/box/stderr").c_str(), &info), 0);
  Invocation invocation = Launch();
  invocation.sandbox->owner = Sandbox::Owner{geteuid(), getegid()};
  EXPECT_THAT(Await(Invoke(std::move(invocation))).status, IsOk());
  for (const char* name : {"/box/stdout", "/box/stderr"}) {
    ASSERT_EQ(stat((root_ + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0644u);
    EXPECT_EQ(info.st_uid, geteuid());
  }
}

TEST_F(ProgramTransportTest, ErrorsAreInTheAnswerAndInTheSandbox) {
  program_.launch = [](const Context&, Reply<void> reply) {
    std::move(reply)(absl::UnavailableError("not\nnow"));
  };
  const Answer launch = Await(Invoke(Launch()));
  EXPECT_EQ(launch.outcome, Outcome::kAnswered);
  EXPECT_THAT(launch.status,
              StatusIs(absl::StatusCode::kUnavailable,
                       "launch by \"keeping\" failed: container \"c\": "
                       "not\nnow (UNAVAILABLE)"));
  EXPECT_EQ(Contents(root_ + "/box/stderr"),
            "keeping: launch: container \"c\": not\\nnow (UNAVAILABLE)\n");
  const Answer destroy = Await(Invoke(About<wire::Destroy>(Command::kDestroy)));
  EXPECT_THAT(destroy.status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Contents(root_ + "/box/stderr"), HasSubstr("(NOT_FOUND)\n"));
}

TEST_F(ProgramTransportTest, AnErrorsExitCodeIsAsOfAProcessOfItsOwn) {
  program_.launch = [](const Context&, Reply<void> reply) {
    absl::Status status = absl::FailedPreconditionError("no such command");
    SetExitCode(kCommandNotFound, status);
    std::move(reply)(std::move(status));
  };
  const auto pending = Invoke(Launch());
  RunUntil([&] { return pending->answer.has_value(); });
  EXPECT_EQ(pending->answer->outcome, Outcome::kAnswered);
  EXPECT_EQ(pending->answer->wait_status, 127 << 8);
  EXPECT_FALSE(pending->answer->status.ok());
}

TEST_F(ProgramTransportTest, MessageThatIsNoneIsAnError) {
  Invocation invocation = Wait();
  invocation.input = "\xff";
  const Answer answer = Await(Invoke(std::move(invocation)));
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("is no Wait")));
}

TEST_F(ProgramTransportTest, ManyWaitsCostNoThreadEach) {
  for (int i = 0; i < 1000; ++i) Invoke(Wait());
  RunUntil([this] { return program_.Kept() == 1000; });
  const std::string status = Contents("/proc/self/status");
  const size_t at = status.find("Threads:");
  EXPECT_LE(atoi(status.c_str() + at + 8), 40);
}

TEST_F(ProgramTransportTest, ReplyMayComeLaterFromAnyThread) {
  const auto wait = Invoke(Wait());
  RunUntil([this] { return program_.Kept() == 1; });
  std::thread([this] {
    std::move(program_.kept[0])(wire::MakeTermination(7 << 8, "over"));
  }).join();
  const Answer answer = Await(wait);
  wire::Termination termination;
  ASSERT_TRUE(termination.ParseFromString(answer.output.value_or("")));
  EXPECT_EQ(termination.status(), 7 << 8);
}

TEST_F(ProgramTransportTest, CancelledWaitEndsAtOnceAndItsReplyIsForgotten) {
  const auto wait = Invoke(Wait());
  RunUntil([this] { return program_.Kept() == 1; });
  transport_->Cancel(wait->id);
  EXPECT_FALSE(wait->answer.has_value());
  EXPECT_TRUE(program_.contexts[0].cancellation.IsCancelled());
  const Answer answer = Await(wait);
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kCancelled));
  std::move(program_.kept[0])(wire::MakeTermination(0, ""));
  EXPECT_THAT(Await(Invoke(Launch())).status, IsOk());
}

TEST_F(ProgramTransportTest, CancelledLaunchEndsWhenItsHandlerReplies) {
  absl::Notification running;
  program_.launch = [&running](const Context& context, Reply<void> reply) {
    auto kept = std::make_shared<Reply<void>>(std::move(reply));
    context.cancellation.OnCancelled(
        [kept] { std::move (*kept)(absl::CancelledError("given up")); });
    running.Notify();
  };
  const auto launch = Invoke(Launch());
  running.WaitForNotification();
  transport_->Cancel(launch->id);
  const Answer answer = Await(launch);
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ProgramTransportTest, WaitHandlersThatBlockDoNotKeepOthersOut) {
  class BlockingProgram : public KeepingProgram {
   public:
    void Wait(const wire::Wait&, const Context&,
              Reply<wire::Termination> reply) override {
      go.WaitForNotification();
      std::move(reply)(wire::MakeTermination(0, ""));
    }
    absl::Notification go;
  };
  BlockingProgram program;
  transport_ = std::make_unique<ProgramTransport>(*loop_, "blocks", program);
  std::vector<std::shared_ptr<Pending>> waits;
  for (int i = 0; i < 100; ++i) waits.push_back(Invoke(Wait()));
  EXPECT_THAT(Await(Invoke(Launch())).status, IsOk());
  program.go.Notify();
  for (const auto& wait : waits) EXPECT_THAT(Await(wait).status, IsOk());
  transport_.reset();
}

TEST_F(ProgramTransportTest, LaunchHandlersThatBlockKeepNoDestroyOrListingOut) {
  absl::Notification go;
  program_.launch = [&go](const Context&, Reply<void> reply) {
    go.WaitForNotification();
    std::move(reply)(absl::OkStatus());
  };
  std::vector<std::shared_ptr<Pending>> launches;
  for (int i = 0; i < 100; ++i) launches.push_back(Invoke(Launch()));
  for (const Command command : {Command::kContainers, Command::kRecover}) {
    Invocation invocation;
    invocation.command = command;
    EXPECT_THAT(Await(Invoke(std::move(invocation))).status, IsOk());
  }
  EXPECT_THAT(Await(Invoke(About<wire::Destroy>(Command::kDestroy))).status,
              StatusIs(absl::StatusCode::kNotFound));
  go.Notify();
  for (const auto& launch : launches) EXPECT_THAT(Await(launch).status, IsOk());
}

TEST_F(ProgramTransportTest,
       HandlersThatStayWhenTheyAreCancelledKeepNobodyOut) {
  class StuckProgram : public KeepingProgram {
   public:
    void Usage(const wire::Usage&, const Context&,
               Reply<std::optional<wire::ResourceStatistics>> reply) override {
      ++stuck;
      go.WaitForNotification();
      std::move(reply)(std::nullopt);
    }
    std::atomic<int> stuck{0};
    absl::Notification go;
  };
  StuckProgram program;
  transport_ = std::make_unique<ProgramTransport>(*loop_, "stuck", program);
  std::vector<std::shared_ptr<Pending>> usages;
  for (int i = 0; i < 32; ++i) {
    usages.push_back(Invoke(About<wire::Usage>(Command::kUsage)));
  }
  RunUntil([&program] { return program.stuck == 32; });
  for (const auto& usage : usages) transport_->Cancel(usage->id);
  EXPECT_THAT(Await(Invoke(Launch())).status, IsOk());
  program.go.Notify();
  transport_.reset();
}

TEST_F(ProgramTransportTest, CancelledBeforeAHandlerTookItWasNotStarted) {
  absl::Notification go;
  program_.launch = [&go](const Context&, Reply<void> reply) {
    go.WaitForNotification();
    std::move(reply)(absl::OkStatus());
  };
  std::vector<std::shared_ptr<Pending>> launches;
  for (int i = 0; i < 32; ++i) launches.push_back(Invoke(Launch()));
  // This would be more than may wait, if cancelled commands counted.
  for (int i = 0; i < 20; ++i) {
    Invocation invocation = Launch();
    invocation.environment["LARGE"] = std::string(4 << 20, 'e');
    const auto queued = Invoke(std::move(invocation));
    transport_->Cancel(queued->id);
    EXPECT_FALSE(queued->answer.has_value());
    const Answer answer = Await(queued);
    EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
    EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kCancelled));
  }
  go.Notify();
  for (const auto& launch : launches) EXPECT_THAT(Await(launch).status, IsOk());
}

TEST_F(ProgramTransportTest, CommandsWithoutAThreadAreRefusedAndLeaveNothing) {
  pthread_attr_t usual, vast;
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  ASSERT_EQ(pthread_attr_init(&vast), 0);
  // No thread can be made.
  ASSERT_EQ(pthread_attr_setstacksize(&vast, size_t{1} << 47), 0);
  ASSERT_EQ(pthread_setattr_default_np(&vast), 0);
  // The bytes of all commands are more than may wait for a handler.
  for (int i = 0; i < 70; ++i) {
    Invocation invocation = Launch();
    invocation.input.resize(1 << 20);
    const Answer answer = Await(Invoke(std::move(invocation)));
    EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
    EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kResourceExhausted,
                                        HasSubstr("no thread can be made")));
  }
  ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
  pthread_attr_destroy(&vast);
  pthread_attr_destroy(&usual);
  EXPECT_THAT(Await(Invoke(Launch())).status, IsOk());
}

TEST_F(ProgramTransportTest, EnvironmentsCountAmongTheBytesThatWait) {
  absl::Notification go;
  program_.launch = [&go](const Context&, Reply<void> reply) {
    go.WaitForNotification();
    std::move(reply)(absl::OkStatus());
  };
  std::vector<std::shared_ptr<Pending>> launches;
  for (int i = 0; i < 32; ++i) launches.push_back(Invoke(Launch()));
  const auto large = [this] {
    Invocation invocation = Launch();
    invocation.environment["LARGE"] = std::string(4 << 20, 'e');
    return Invoke(std::move(invocation));
  };
  for (int i = 0; i < 50; ++i) launches.push_back(large());
  const Answer answer = Await(large());
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kResourceExhausted,
                                      HasSubstr("wait for a handler already")));
  go.Notify();
  for (const auto& launch : launches) Await(launch);
}

TEST_F(ProgramTransportTest, RepliesAfterDestructionGoNowhere) {
  const auto wait = Invoke(Wait());
  RunUntil([this] { return program_.Kept() == 1; });
  transport_.reset();
  EXPECT_TRUE(program_.contexts[0].cancellation.IsCancelled());
  std::move(program_.kept[0])(wire::MakeTermination(0, ""));
  loop_->Stop();
  loop_->Run();
  EXPECT_FALSE(wait->answer.has_value());
}

TEST_F(ProgramTransportTest, LaunchIntoALinkWasNotStarted) {
  ASSERT_EQ(symlink("box", (root_ + "/link").c_str()), 0);
  Invocation invocation = Launch();
  invocation.sandbox->path = "link";
  const Answer answer = Await(Invoke(std::move(invocation)));
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                      AllOf(HasSubstr("was not started"),
                                            HasSubstr("symbolic link"))));
}

}  // namespace
}  // namespace external_containerizer
