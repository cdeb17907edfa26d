// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A helper, and an agent, of another user. Only root can be two users; and in
// Bazel's sandbox nobody can, so that this test is outside of it.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/mock/script.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "external_containerizer/transport/unix_socket/helper_server.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uid_t kOther = 65534;

class OtherUserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    // Where another user can get; the tests' own directory may not be.
    directory_ = "/tmp/other_user.XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
    options_.program = "program";
    options_.work_directory = directory_;
    options_.socket = directory_ + "/of_one/s.sock";
    options_.inherit = std::vector<std::string>();
  }

  void TearDown() override {
    transport_.reset();
    if (directory_.empty()) return;
    EXPECT_EQ(system(absl::StrCat("rm -rf '", directory_, "'").c_str()), 0);
  }

  // A process of another user's, which ends with 0 if `f` succeeds in it.
  static pid_t ForkOther(const std::function<bool()>& f) {
    const pid_t child = fork();
    if (child != 0) return child;
    if (setgid(kOther) != 0 || setuid(kOther) != 0) _exit(1);
    _exit(f() ? 0 : 2);
  }

  int StatusOf(pid_t child) {
    int status = -1;
    ttrpc::RunUntil(*loop_, [child, &status] {
      return waitpid(child, &status, WNOHANG) != 0;
    });
    return status;
  }

  Answer Run(Command command) {
    auto transport = UnixSocketTransport(options_)(*loop_);
    EXPECT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
    Invocation invocation;
    invocation.command = command;
    std::optional<Answer> answer;
    transport_->Invoke(std::move(invocation),
                       [&answer](Answer given) { answer = std::move(given); });
    ttrpc::RunUntil(*loop_, [&answer] { return answer.has_value(); });
    return answer.value_or(Answer());
  }

  std::string directory_;
  UnixSocketOptions options_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Transport> transport_;
};

TEST_F(OtherUserTest, HelperIsNotTrusted) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ForkOther([&] {
    const auto listener = ttrpc::ListenUnix(options_.socket);
    return listener.ok() && write(ends[1], "", 1) == 1 && pause() == 0;
  });
  close(ends[1]);
  char byte;
  ASSERT_EQ(read(ends[0], &byte, 1), 1) << "it does not listen";
  close(ends[0]);
  const Answer answer = Run(Command::kLaunch);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status,
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr("not to be trusted"),
                             HasSubstr(absl::StrCat("process ", child)),
                             HasSubstr(absl::StrCat("user ", kOther)))));
  kill(child, SIGKILL);
  EXPECT_EQ(StatusOf(child), SIGKILL);
}

TEST_F(OtherUserTest, AgentCannotReachAHelperNorSpeakToIt) {
  const auto listener = ttrpc::ListenUnix(options_.socket);
  ASSERT_THAT(listener, IsOk());
  auto program = ScriptTransport(std::make_shared<Script>(10))(*loop_);
  ASSERT_THAT(program, IsOk());
  HelperServer server(*loop_, *std::move(program), HelperOptions());
  ASSERT_THAT(server.Listen(*listener), IsOk());
  const auto reaches = [this] {
    return ttrpc::ConnectUnix(options_.socket).ok();
  };
  EXPECT_TRUE(reaches());
  EXPECT_NE(StatusOf(ForkOther(reaches)), 0);
  // The peer's user is checked also if the socket is open for all.
  ASSERT_EQ(chmod((directory_ + "/of_one").c_str(), 0755), 0);
  ASSERT_EQ(chmod(options_.socket.c_str(), 0666), 0);
  EXPECT_EQ(StatusOf(ForkOther(reaches)), 0);
  EXPECT_EQ(StatusOf(ForkOther([this] {
              const auto fd = ttrpc::ConnectUnix(options_.socket);
              pollfd closed = {fd.value_or(-1), POLLIN, 0};
              char byte;
              return poll(&closed, 1, -1) == 1 && read(*fd, &byte, 1) == 0;
            })),
            0);
}

}  // namespace
}  // namespace external_containerizer
