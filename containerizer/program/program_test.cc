// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/program/command_host.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// The smallest possible program.
class TinyProgram : public Program {
 public:
  void Launch(const wire::Launch& request, const Context& context,
              Reply<void> reply) override {
    launched = request.container_id().value();
    seen = context;
    std::move(reply)(answer);
  }
  void Wait(const wire::Wait&, const Context&,
            Reply<wire::Termination> reply) override {
    if (wait) return wait(std::move(reply));
    std::move(reply)(wire::MakeTermination(3 << 8, "over"));
  }
  void Destroy(const wire::Destroy&, const Context&,
               Reply<void> reply) override {
    std::move(reply)(answer);
  }

  absl::Status answer;
  std::function<void(Reply<wire::Termination>)> wait;
  std::string launched;
  Context seen;
};

// The same, with answers to usage and containers.
class TellingProgram : public TinyProgram {
 public:
  void Usage(const wire::Usage&, const Context&,
             Reply<std::optional<wire::ResourceStatistics>> reply) override {
    std::move(reply)(std::optional<wire::ResourceStatistics>(statistics));
  }
  void Containers(const Context& context,
                  Reply<wire::Containers> reply) override {
    seen = context;
    std::move(reply)(containers);
  }

  wire::ResourceStatistics statistics;
  wire::Containers containers;
};

struct Outcome {
  int code = 0;
  std::string output;
  std::string errors;
};

class HostTest : public ::testing::Test {
 protected:
  static std::string ReadAll(int fd) {
    std::string all;
    char buffer[4096];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
      all.append(buffer, static_cast<size_t>(n));
    }
    close(fd);
    return all;
  }

  // Writes `input`, unchanged, to the command's stdin, and closes it.
  Outcome Run(Program& program, std::vector<std::string> arguments,
              const std::string& input) {
    int in[2], out[2], err[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
    Outcome outcome;
    std::thread writer([&] {
      size_t done = 0;
      while (done < input.size()) {
        const ssize_t n =
            write(in[1], input.data() + done, input.size() - done);
        if (n <= 0) break;
        done += static_cast<size_t>(n);
      }
      close(in[1]);
    });
    std::thread out_reader([&] { outcome.output = ReadAll(out[0]); });
    std::thread err_reader([&] { outcome.errors = ReadAll(err[0]); });
    CommandCall call;
    call.program = "tiny";
    call.arguments = std::move(arguments);
    call.environment = environment_;
    call.directory = "/the/sandbox";
    call.input = in[0];
    call.output = out[1];
    call.errors = err[1];
    outcome.code = HostCommand(call, program);
    close(out[1]);
    close(err[1]);
    out_reader.join();
    err_reader.join();
    // The rest of stdin, so that the writer can end.
    ReadAll(in[0]);
    writer.join();
    return outcome;
  }

  template <typename Message>
  static std::string About(const std::string& id) {
    Message message;
    message.mutable_container_id()->set_value(id);
    return EncodeRecord(message.SerializeAsString());
  }

  static std::string LaunchRecord(const std::string& id) {
    wire::Launch launch;
    launch.mutable_container_id()->set_value(id);
    return EncodeRecord(launch.SerializeAsString());
  }

  std::map<std::string, std::string> environment_;
};

TEST_F(HostTest, LaunchReachesTheHandlerWithItsContext) {
  environment_ = {{"MESOS_WORK_DIRECTORY", "/work"},
                  {"MESOS_LIBEXEC_DIRECTORY", "/libexec"},
                  {"OTHER", "x"}};
  TinyProgram program;
  const Outcome outcome = Run(program, {"launch"}, LaunchRecord("c 1"));
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, IsEmpty());
  EXPECT_THAT(outcome.errors, IsEmpty());
  EXPECT_EQ(program.launched, "c 1");
  EXPECT_EQ(program.seen.environment, environment_);
  EXPECT_EQ(program.seen.work_directory, "/work");
  EXPECT_EQ(program.seen.environment.at("MESOS_LIBEXEC_DIRECTORY"), "/libexec");
  EXPECT_EQ(program.seen.sandbox, "/the/sandbox");
  EXPECT_FALSE(program.seen.cancellation.IsCancelled());
}

TEST_F(HostTest, MesosDirectoryIsTheSandbox) {
  environment_ = {{"MESOS_DIRECTORY", "/box"}};
  TinyProgram program;
  EXPECT_EQ(Run(program, {"launch"}, LaunchRecord("c")).code, 0);
  EXPECT_EQ(program.seen.sandbox, "/box");
}

TEST_F(HostTest, WaitAnswersWithARecord) {
  TinyProgram program;
  const Outcome outcome = Run(program, {"wait"}, About<wire::Wait>("c"));
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(
      outcome.output,
      EncodeRecord(wire::MakeTermination(3 << 8, "over").SerializeAsString()));
}

TEST_F(HostTest, AReplyMayComeLaterFromAnotherThread) {
  TinyProgram program;
  std::thread later;
  program.wait = [&later](Reply<wire::Termination> reply) {
    later = std::thread([reply = std::move(reply)]() mutable {
      std::move(reply)(wire::MakeTermination(9, "late"));
    });
  };
  const Outcome outcome = Run(program, {"wait"}, About<wire::Wait>("c"));
  later.join();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.output,
            EncodeRecord(wire::MakeTermination(9, "late").SerializeAsString()));
}

TEST_F(HostTest, ADroppedReplyIsAnError) {
  TinyProgram program;
  program.wait = [](Reply<wire::Termination>) {};
  const Outcome outcome = Run(program, {"wait"}, About<wire::Wait>("c"));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.output, IsEmpty());
  EXPECT_EQ(outcome.errors,
            "tiny: wait: container \"c\": handler dropped its reply "
            "(INTERNAL)\n");
}

TEST_F(HostTest, AnErrorIsOneLineThatIsSafeForATerminal) {
  TinyProgram program;
  program.answer = absl::NotFoundError("no \"such\"\nthing \x1b[31m");
  const Outcome outcome =
      Run(program, {"destroy"}, About<wire::Destroy>("\xc2\x9b"));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.errors,
            "tiny: destroy: container \"\\xc2\\x9b\": no \"such\"\\nthing "
            "\\x1b[31m (NOT_FOUND)\n");
}

TEST_F(HostTest, AVeryLongErrorIsCut) {
  TinyProgram program;
  program.answer = absl::InternalError(std::string(100000, 'x'));
  const Outcome outcome = Run(program, {"destroy"}, About<wire::Destroy>("c"));
  EXPECT_LT(outcome.errors.size(), 5000u);
  EXPECT_THAT(outcome.errors, EndsWith("...\n"));
}

TEST_F(HostTest, TheDefaultsAreThoseOfAProgramThatKeepsNothing) {
  TinyProgram program;
  Outcome outcome = Run(program, {"update"}, About<wire::Update>("c"));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output, IsEmpty());
  outcome = Run(program, {"usage"}, About<wire::Usage>("c"));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output, IsEmpty()) << "no data now";
  outcome = Run(program, {"containers"}, "");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.output, EncodeRecord("")) << "an empty list";
  outcome = Run(program, {"recover"}, "");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output, IsEmpty());
}

TEST_F(HostTest, UsageAndContainersAreWritten) {
  TellingProgram program;
  program.statistics.set_timestamp(1);
  program.statistics.set_threads(7);
  program.containers.add_containers()->set_value("a");
  Outcome outcome = Run(program, {"usage"}, About<wire::Usage>("c"));
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(outcome.output,
            EncodeRecord(program.statistics.SerializeAsString()));
  outcome = Run(program, {"containers"}, "");
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(outcome.output,
            EncodeRecord(program.containers.SerializeAsString()));
  EXPECT_THAT(program.seen.sandbox, IsEmpty());
}

TEST_F(HostTest, AnIncompleteAnswerIsAnErrorAndNotWritten) {
  TellingProgram program;
  program.statistics.set_threads(7);  // and no timestamp
  const Outcome outcome = Run(program, {"usage"}, About<wire::Usage>("c"));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.output, IsEmpty());
  EXPECT_THAT(outcome.errors, HasSubstr("timestamp"));
}

TEST_F(HostTest, ContainersReadsNothing) {
  TinyProgram program;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  CommandCall call;
  call.program = "tiny";
  call.arguments = {"containers"};
  call.input = ends[0];  // open, and nothing will ever come
  call.output = open("/dev/null", O_WRONLY | O_CLOEXEC);
  call.errors = call.output;
  EXPECT_EQ(HostCommand(call, program), 0);
  close(call.output);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(HostTest, ARecordNeedNotBeFollowedByTheEndOfStdin) {
  TinyProgram program;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const std::string record = About<wire::Destroy>("c") + "more";
  ASSERT_EQ(write(ends[1], record.data(), record.size()),
            static_cast<ssize_t>(record.size()));
  CommandCall call;
  call.program = "tiny";
  call.arguments = {"destroy"};
  call.input = ends[0];
  EXPECT_EQ(HostCommand(call, program), 0);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(HostTest, WhatIsNoMessageIsRefused) {
  const std::string good = LaunchRecord("c");
  TinyProgram program;
  for (const std::string& input :
       {std::string(), good.substr(0, 3), good.substr(0, good.size() - 1),
        EncodeRecord("\xff\xff\xff"), EncodeRecord(""),
        std::string("\xff\xff\xff\xff"), std::string("hello world\n"),
        EncodeRecord(std::string((4 << 20) + 1, 'x'))}) {
    const Outcome outcome = Run(program, {"launch"}, input);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.errors,
                AllOf(StartsWith("tiny: launch: "), EndsWith(")\n")));
  }
  EXPECT_THAT(program.launched, IsEmpty());
}

TEST_F(HostTest, AnIdThatIsNoFileNameIsRefused) {
  TinyProgram program;
  for (const std::string& id :
       {std::string(), std::string("a/b"), std::string(".."),
        std::string("a\nb"), std::string("-x"), std::string(10000, 'x'),
        std::string("a\0b", 3)}) {
    const Outcome outcome = Run(program, {"launch"}, LaunchRecord(id));
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.errors, HasSubstr("(INVALID_ARGUMENT)"));
  }
  EXPECT_THAT(program.launched, IsEmpty());
}

TEST_F(HostTest, WhatIsNoCommandIsAUsageError) {
  TinyProgram program;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"lunch"}, {"launch", "x"}, {""}}) {
    const Outcome outcome = Run(program, arguments, "");
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.errors,
                AllOf(StartsWith("tiny: "), HasSubstr("recover")));
  }
}

TEST_F(HostTest, HelpListsTheCommands) {
  TinyProgram program;
  const Outcome outcome = Run(program, {"--help"}, "");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.errors, IsEmpty());
  for (const char* command : {"launch", "update", "usage", "wait", "destroy",
                              "containers", "recover"}) {
    EXPECT_THAT(outcome.output, HasSubstr(command));
  }
}

TEST(ReplyTest, OnlyTheFirstAnswerCounts) {
  int answers = 0;
  {
    Reply<void> reply([&answers](absl::Status status) {
      ++answers;
      EXPECT_THAT(status, IsOk());
    });
    std::move(reply)(absl::OkStatus());
    std::move(reply)(absl::InternalError("again"));
  }
  EXPECT_EQ(answers, 1);
}

TEST(ReplyTest, AMovedReplyAnswersForBoth) {
  std::vector<absl::Status> answers;
  {
    Reply<void> first(
        [&answers](absl::Status status) { answers.push_back(status); });
    Reply<void> second = std::move(first);
    EXPECT_THAT(answers, IsEmpty());
  }
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_THAT(answers[0], StatusIs(absl::StatusCode::kInternal,
                                   "handler dropped its reply"));
}

TEST(ReplyTest, AReplyThatIsReplacedCountsAsDropped) {
  std::vector<int> answered;
  Reply<void> first([&answered](absl::Status) { answered.push_back(1); });
  Reply<void> second([&answered](absl::Status) { answered.push_back(2); });
  first = std::move(second);
  EXPECT_THAT(answered, ::testing::ElementsAre(1));
  std::move(first)(absl::OkStatus());
  EXPECT_THAT(answered, ::testing::ElementsAre(1, 2));
}

TEST(CancellationTest, CallbacksAreCalledOnceWheneverTheyCame) {
  const Cancellation cancellation;
  const Cancellation copy = cancellation;
  int before = 0;
  int after = 0;
  copy.OnCancelled([&before] { ++before; });
  EXPECT_FALSE(copy.IsCancelled());
  cancellation.Cancel();
  cancellation.Cancel();
  EXPECT_TRUE(copy.IsCancelled());
  copy.OnCancelled([&after] { ++after; });
  EXPECT_EQ(before, 1);
  EXPECT_EQ(after, 1);
}

}  // namespace
}  // namespace external_containerizer
