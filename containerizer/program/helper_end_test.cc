// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The messages about a helper that ended, instead of serving or while it
// served.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/serve_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class HelperEndTest : public ServeTest {
 protected:
  // The program is this script with options.
  void UseScript(const std::string& path, const std::string& text,
                 const std::string& options = "") {
    std::ofstream(path) << "#!/bin/sh\n" << text;
    ASSERT_EQ(chmod(path.c_str(), 0700), 0);
    options_.program = path + options;
  }

  std::string WhyNotStarted() {
    Connect();
    const Answer answer = Run(Command::kRecover);
    EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
    return std::string(answer.status.message());
  }
};

TEST_F(HelperEndTest, ProgramThatKnowsNoServeIsToldAboutExecHelper) {
  options_.program = root_ + "/program";
  std::ofstream(options_.program) << "#!/bin/sh\necho no \"$1\" >&2; exit 64\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  Connect();
  const Answer answer = Run(Command::kRecover);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(
      answer.status,
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("exited with status 64"), HasSubstr("no serve"),
                     HasSubstr("exec_helper '" + options_.program + "'"))));
}

TEST_F(HelperEndTest, ProgramWhoseEndNobodyKnowsIsQuotedWhenTimeIsOver) {
  options_.program = root_ + "/program";
  std::ofstream(options_.program) << "#!/bin/sh\necho no \"$1\" >&2\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  options_.start_timeout = absl::Milliseconds(500);
  const sighandler_t before = signal(SIGCHLD, SIG_IGN);
  Connect();
  const Answer answer = Run(Command::kRecover);
  signal(SIGCHLD, before);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(
      answer.status,
      StatusIs(absl::StatusCode::kUnavailable,
               AllOf(HasSubstr("SIGCHLD is ignored"), HasSubstr("no serve"),
                     HasSubstr("exec_helper '" + options_.program + "'"))));
}

TEST_F(HelperEndTest, HelperThatIsLostWithCommandsIsQuoted) {
  const std::string posix = options_.program;
  UseScript(root_ + "/program",
            "printf 'all is\\033[1m lost\\n' >&2; exec " + posix + " \"$@\"\n");
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  const Pending waits[] = {Invoke(Wait()), Invoke(Wait())};
  const pid_t helper = Helper();
  ASSERT_GT(helper, 0);
  ASSERT_EQ(kill(helper, SIGABRT), 0);
  for (const Pending& wait : waits) {
    const Answer answer = Await(wait);
    EXPECT_EQ(answer.outcome, Outcome::kUnknown);
    EXPECT_THAT(
        answer.status,
        StatusIs(absl::StatusCode::kUnavailable,
                 AllOf(HasSubstr(absl::StrCat("(process ", helper, ")")),
                       HasSubstr("was killed by signal 6 (Aborted)"),
                       HasSubstr("\"" + work_ + "/helper.stderr\""),
                       HasSubstr("\"all is\\x1b[1m lost\""))));
  }
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(HelperEndTest, OfALostHelperOfAnEarlierAgentTheFileIsNamed) {
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  const Pending wait = Invoke(Wait());
  const pid_t helper = Helper();
  ASSERT_EQ(kill(helper, SIGABRT), 0);
  EXPECT_THAT(std::string(Await(wait).status.message()),
              AllOf(HasSubstr(absl::StrCat("(process ", helper, ")")),
                    HasSubstr("ended or closed the connection"),
                    HasSubstr("\"" + work_ + "/helper.stderr\"")));
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(HelperEndTest, OfALostHelperOfAnOperatorItsOwnStderrIsNamed) {
  options_.socket = work_ + "/s.sock";
  const pid_t helper = SpawnAtSocket();
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  const Pending wait = Invoke(Wait());
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  ASSERT_EQ(kill(helper, SIGABRT), 0);
  EXPECT_THAT(std::string(Await(wait).status.message()),
              AllOf(HasSubstr(absl::StrCat("(process ", helper, ")")),
                    HasSubstr("ended or closed the connection"),
                    HasSubstr("look at its own stderr"),
                    Not(HasSubstr("helper.stderr"))));
  transport_.reset();
  EXPECT_EQ(ExitCode(helper), -SIGABRT);
  SpawnAtSocket();
  Connect();
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(HelperEndTest, HintCanBeFollowedToTheLetter) {
  UseScript(root_ + "/program", "[ \"$*\" = '--opt recover' ] || exit 64\n",
            " --opt");
  const std::string why = WhyNotStarted();
  const std::string before = "in front of it: ";
  const size_t hint = why.find(before);
  ASSERT_NE(hint, std::string::npos) << why;
  const std::string directory = root_ + "/bin";
  ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
  ASSERT_EQ(symlink(TestDataPath("containerizer/program/exec_helper").c_str(),
                    (directory + "/exec_helper").c_str()),
            0);
  const std::string path = getenv("PATH") == nullptr ? "" : getenv("PATH");
  ASSERT_EQ(setenv("PATH", absl::StrCat(directory, ":", path).c_str(), 1), 0);
  options_.program = why.substr(hint + before.size());
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk()) << options_.program;
  ASSERT_EQ(setenv("PATH", path.c_str(), 1), 0);
}

TEST_F(HelperEndTest, QuotesOfAProgramAreQuotedInTheHint) {
  UseScript(root_ + "/program", "exit 64\n", " 'a b'");
  EXPECT_THAT(WhyNotStarted(),
              HasSubstr(absl::StrCat("exec_helper '", root_,
                                     "/program '\\''a b'\\'''")));
}

TEST_F(HelperEndTest, NoHintForExecHelperItselfNorForWhatCannotBeExecuted) {
  const std::string exec_helper =
      TestDataPath("containerizer/program/exec_helper");
  const struct {
    std::string program;
    const char* end;
  } kCases[] = {
      // PROGRAM must be one argument, and here it is several.
      {exec_helper + " /none/x --opt", "exited with status 1"},
      {"'" + exec_helper + "' /none/x --opt", "exited with status 1"},
      {"'/none/x'", "exited with status 127"},
      {"'/'", "exited with status 126"},
  };
  for (const auto& test : kCases) {
    options_.program = test.program;
    EXPECT_THAT(WhyNotStarted(),
                AllOf(HasSubstr(test.end), Not(HasSubstr("in front of it"))));
  }
  // Only the directory has that name.
  ASSERT_EQ(mkdir((root_ + "/exec_helper").c_str(), 0700), 0);
  UseScript(root_ + "/exec_helper/program", "exit 64\n");
  EXPECT_THAT(WhyNotStarted(), HasSubstr("in front of it"));
}

}  // namespace
}  // namespace external_containerizer
