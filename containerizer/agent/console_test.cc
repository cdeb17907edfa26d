// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/console.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using Stream = Console::Stream;

// Returns what was written to the pipe since the last call.
class Pipe {
 public:
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reading_ = UniqueFd(ends[0]);
    writing_ = UniqueFd(ends[1]);
    EXPECT_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
  }

  int writing() const { return writing_.get(); }
  void CloseReading() { reading_ = UniqueFd(); }

  std::string Text() {
    char buffer[4096];
    const ssize_t got = read(reading_.get(), buffer, sizeof(buffer));
    return got < 0 ? "" : std::string(buffer, static_cast<size_t>(got));
  }

 private:
  UniqueFd reading_;
  UniqueFd writing_;
};

TEST(ConsoleTest, StreamsStayApart) {
  Pipe out, err;
  Console console(out.writing(), err.writing(), false);
  console.Write(Stream::kOut, "hello\n");
  console.Write(Stream::kErr, "oops\n");
  console.Line("agent: done");
  EXPECT_EQ(out.Text(), "hello\n");
  EXPECT_EQ(err.Text(), "oops\nagent: done\n");
}

TEST(ConsoleTest, LineOfOursBeginsANewLine) {
  Pipe out, err;
  Console console(out.writing(), err.writing(), false);
  console.Write(Stream::kOut, "unfinished");
  console.Line("one");
  console.Write(Stream::kErr, "unfinished");
  console.Line("two");
  EXPECT_EQ(err.Text(), "one\nunfinished\ntwo\n");
}

TEST(ConsoleTest, WhereStreamsMeetBothCount) {
  Pipe both;
  Console console(both.writing(), both.writing(), false);
  console.Write(Stream::kOut, "unfinished");
  console.Line("one");
  EXPECT_EQ(both.Text(), "unfinished\none\n");
}

TEST(ConsoleTest, WithoutATerminalThereIsNoStatusAndNoEscapeCode) {
  Pipe out, err;
  Console console(out.writing(), err.writing(), false);
  console.SetStatus("running");
  console.Write(Stream::kErr, "oops\n");
  console.SetStatus("");
  EXPECT_EQ(err.Text(), "oops\n");
}

TEST(ConsoleTest, StatusIsErasedAroundOutput) {
  Pipe both;
  Console console(both.writing(), both.writing(), true);
  console.SetStatus("running");
  EXPECT_EQ(both.Text(), "running");
  console.SetStatus("running");
  EXPECT_EQ(both.Text(), "");
  console.Write(Stream::kOut, "hello\n");
  EXPECT_EQ(both.Text(), "\r\x1b[Khello\nrunning");
  console.Line("agent: x");
  EXPECT_EQ(both.Text(), "\r\x1b[Kagent: x\nrunning");
  console.SetStatus("");
  EXPECT_EQ(both.Text(), "\r\x1b[K");
}

TEST(ConsoleTest, StatusWaitsUntilTheTasksLineIsFinished) {
  Pipe both;
  Console console(both.writing(), both.writing(), true);
  console.Write(Stream::kOut, "50%");
  console.SetStatus("running");
  EXPECT_EQ(both.Text(), "50%");
  console.Write(Stream::kOut, " 100%\n");
  EXPECT_EQ(both.Text(), " 100%\nrunning");
}

TEST(ConsoleTest, ClosedStdoutIsToldAndForgotten) {
  signal(SIGPIPE, SIG_IGN);
  Pipe out, err;
  Console console(out.writing(), err.writing(), false);
  EXPECT_THAT(console.out_status(), IsOk());
  out.CloseReading();
  console.Write(Stream::kOut, "hello\n");
  EXPECT_THAT(console.out_status(), StatusIs(absl::StatusCode::kUnavailable));
  console.Write(Stream::kOut, "hello\n");
  console.Line("still here");
  EXPECT_EQ(err.Text(), "still here\n");
}

TEST(ConsoleTest, FullDiskIsToldWithItsReason) {
  const UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full.valid()) GTEST_SKIP() << "no /dev/full";
  Pipe err;
  Console console(full.get(), err.writing(), false);
  console.Write(Console::Stream::kOut, "{}\n");
  EXPECT_THAT(console.out_status(), StatusIs(absl::StatusCode::kInternal,
                                             ::testing::HasSubstr("No space")));
}

TEST(ConsoleTest, WidthIsTheTerminals) {
  int master, terminal;
  struct winsize size = {};
  size.ws_col = 33;
  if (openpty(&master, &terminal, nullptr, nullptr, &size) != 0) {
    GTEST_SKIP() << "no terminals here";
  }
  const UniqueFd own_master(master), own_terminal(terminal);
  Pipe out;
  EXPECT_EQ(Console(out.writing(), terminal, true).Width(), 33u);
  EXPECT_EQ(Console(out.writing(), out.writing(), false).Width(), 80u);
}

}  // namespace
}  // namespace external_containerizer
