// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A helper in a process that the test forks. Its handlers misbehave, and so
// does its clock.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/program/program_transport.h"
#include "external_containerizer/containerizer/program/serve.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {
// Each look at the wall clock finds it an hour earlier.
bool wall_clock_goes_back = false;
time_t hours_back = 0;
}  // namespace

// Replaces libc's function in this whole binary.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (clock == CLOCK_REALTIME && wall_clock_goes_back) {
    time->tv_sec -= 3600 * ++hours_back;
  }
  return result;
}

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TestProgram : public Program {
 public:
  using LaunchHandler = std::function<void(const Context&, Reply<void>)>;
  explicit TestProgram(LaunchHandler launch) : launch_(std::move(launch)) {}

  void Launch(const wire::Launch&, const Context& context,
              Reply<void> reply) override {
    launch_(context, std::move(reply));
  }
  void Wait(const wire::Wait&, const Context&,
            Reply<wire::Termination>) override {}
  void Destroy(const wire::Destroy&, const Context&, Reply<void>) override {}

 private:
  const LaunchHandler launch_;
};

class ServeHandlersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/h.XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    options_.program = "program";
    options_.work_directory = directory_;
    options_.socket = directory_ + "/s.sock";
    options_.cancel_patience = absl::Milliseconds(100);
  }

  void TearDown() override {
    transport_.reset();
    if (helper_ <= 0) return;
    kill(helper_, SIGKILL);
    waitpid(helper_, nullptr, 0);
  }

  // Serves in a child process, after `prepare` has changed something in it.
  void Serve(std::vector<std::string> arguments,
             TestProgram::LaunchHandler launch,
             const std::function<void()>& prepare = nullptr) {
    helper_ = fork();
    if (helper_ != 0) return;
    if (prepare) prepare();
    TestProgram program(std::move(launch));
    _exit(ServeMain(
        "program", arguments, [&program](EventLoop& loop, const std::string&) {
          return std::make_unique<ProgramTransport>(loop, "program", program);
        }));
  }
  void ServeAtSocket(std::vector<std::string> arguments,
                     TestProgram::LaunchHandler launch) {
    arguments.push_back("--socket=" + options_.socket);
    Serve(std::move(arguments), std::move(launch));
    ttrpc::RunUntil(*loop_, [this] {
      auto client = ttrpc::Client::Connect(*loop_, options_.socket);
      if (client.ok()) client_ = *std::move(client);
      return client.ok();
    });
  }

  std::shared_ptr<std::optional<Answer>> Launch() {
    if (transport_ == nullptr) {
      auto transport = UnixSocketTransport(options_)(*loop_);
      EXPECT_THAT(transport, IsOk());
      transport_ = *std::move(transport);
    }
    wire::Launch launch;
    launch.mutable_container_id()->set_value("c");
    Invocation invocation;
    invocation.command = Command::kLaunch;
    invocation.input = launch.SerializeAsString();
    invocation.timeout = timeout_;
    auto answer = std::make_shared<std::optional<Answer>>();
    transport_->Invoke(std::move(invocation),
                       [answer](Answer given) { *answer = std::move(given); });
    return answer;
  }
  Answer Await(const std::shared_ptr<std::optional<Answer>>& answer) {
    ttrpc::RunUntil(*loop_, [&answer] { return answer->has_value(); });
    return answer->value_or(Answer());
  }

  int ExitStatus() {
    int status = -1;
    ttrpc::RunUntil(*loop_, [this, &status] {
      return waitpid(helper_, &status, WNOHANG) != 0;
    });
    if (status >= 0) helper_ = 0;
    return status;
  }

  std::string directory_;
  UnixSocketOptions options_;
  absl::Duration timeout_ = absl::Seconds(30);
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  pid_t helper_ = 0;
  std::unique_ptr<ttrpc::Client> client_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(ServeHandlersTest, IdleHelperEndsThoughTheWallClockGoesBack) {
  Serve(
      {"--socket=" + options_.socket, "--idle_exit=10ms"},
      [](const Context&, Reply<void>) {}, [] { wall_clock_goes_back = true; });
  EXPECT_EQ(ExitStatus(), 0);
}

TEST_F(ServeHandlersTest, ReplyThatNeverComesDoesNotKeepADrainingHelper) {
  timeout_ = absl::Milliseconds(100);
  ServeAtSocket({"--drain_limit=100ms"}, [](const Context&, Reply<void> reply) {
    static std::optional<Reply<void>> kept;
    kept.emplace(std::move(reply));
  });
  EXPECT_EQ(Await(Launch()).outcome, Outcome::kUnknown);
  ttrpc::Call(*client_, helper::kShutdown, helper::v1::ShutdownRequest(), {},
              [](ttrpc::CallResult<helper::v1::ShutdownReply>) {});
  EXPECT_EQ(ExitStatus(), 0);
}

TEST_F(ServeHandlersTest, HandlerThatNeverReturnsDoesNotKeepAHelperThatEnds) {
  timeout_ = absl::Milliseconds(100);
  ServeAtSocket({"--drain_limit=0s"}, [](const Context&, Reply<void>) {
    for (;;) pause();
  });
  EXPECT_EQ(Await(Launch()).outcome, Outcome::kUnknown);
  ASSERT_EQ(kill(helper_, SIGTERM), 0);
  EXPECT_EQ(ExitStatus(), 1 << 8) << "it left a command undone";
}

TEST_F(ServeHandlersTest, FileThatBecomesTooLargeFailsTheWriteAndEndsNoHelper) {
  ServeAtSocket({}, [](const Context&, Reply<void> reply) {
    rlimit limit = {};
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &limit);
    FILE* file = tmpfile();
    const bool written = write(fileno(file), "x", 1) == 1;
    std::move(reply)(written ? absl::OkStatus()
                             : absl::InternalError(strerror(errno)));
    fclose(file);
  });
  const Answer answer = Await(Launch());
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kInternal,
                                      HasSubstr("File too large")));
}

TEST_F(ServeHandlersTest, HandlerThatAbortsIsLookedForInTheHelpersStderr) {
  ServeAtSocket({}, [](const Context&, Reply<void>) { abort(); });
  const Answer answer = Await(Launch());
  EXPECT_EQ(answer.outcome, Outcome::kUnknown);
  EXPECT_THAT(answer.status,
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(absl::StrCat("(process ", helper_, ")")),
                             HasSubstr("ended or closed the connection"),
                             HasSubstr("look at its own stderr"))));
}

TEST_F(ServeHandlersTest, BrokenPipeEndsAHandlersProcessesAndNotTheHelper) {
  ServeAtSocket({}, [](const Context&, Reply<void> reply) {
    int ends[2];
    if (pipe(ends) != 0) return;
    close(ends[0]);
    if (write(ends[1], "", 1) != -1) return;
    close(ends[1]);
    // Children have the usual signals.
    const int status = system("kill -PIPE $$");
    std::move(reply)(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE
                         ? absl::OkStatus()
                         : absl::InternalError(absl::StrCat(status)));
  });
  EXPECT_THAT(Await(Launch()).status, IsOk());
}

TEST_F(ServeHandlersTest, SocketOfSystemdIsNotPassedOnToWhatHandlersExecute) {
  const auto listener = ttrpc::ListenUnix(options_.socket);
  ASSERT_THAT(listener, IsOk());
  Serve(
      {},
      [](const Context&, Reply<void> reply) {
        std::move(reply)(system("test -e /proc/$$/fd/3") == 0
                             ? absl::InternalError("it has descriptor 3")
                             : absl::OkStatus());
      },
      [&listener] {
        dup2(*listener, 3);
        setenv("LISTEN_FDS", "1", 1);
        setenv("LISTEN_PID", absl::StrCat(getpid()).c_str(), 1);
      });
  close(*listener);
  EXPECT_THAT(Await(Launch()).status, IsOk());
}

TEST_F(ServeHandlersTest, SocketOfSystemdThatIsAnotherProcesssIsNotTaken) {
  const struct {
    const char* descriptors;
    pid_t of;
  } kCases[] = {{"1", 1}, {"2", 0}, {"none", 0}};
  for (const auto& test : kCases) {
    Serve(
        {}, [](const Context&, Reply<void>) {},
        [&test] {
          setenv("LISTEN_FDS", test.descriptors, 1);
          setenv("LISTEN_PID",
                 absl::StrCat(test.of == 0 ? getpid() : test.of).c_str(), 1);
        });
    const int status = ExitStatus();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << status;
  }
}

}  // namespace
}  // namespace external_containerizer
