// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/display.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>  // NOLINT
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DisplayTest : public ::testing::Test {
 protected:
  DisplayTest() : path_(::testing::TempDir() + "/" + RandomName()) {
    EXPECT_THAT(MakePath(path_), IsOk());
    sandbox_ = UniqueFd(open(path_.c_str(), O_DIRECTORY | O_CLOEXEC));
    signal(SIGPIPE, SIG_IGN);
    const std::pair<UniqueFd*, UniqueFd*> pipes[] = {{&out_, &out_writing_},
                                                     {&err_, &err_writing_}};
    for (const auto& [reading, writing] : pipes) {
      int ends[2];
      EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
      *reading = UniqueFd(ends[0]);
      *writing = UniqueFd(ends[1]);
    }
  }

  void Append(const std::string& name, const std::string& text) {
    std::ofstream(path_ + "/" + name, std::ios::app | std::ios::binary) << text;
  }

  void Start(bool json) {
    Display::Options options;
    options.out = out_writing_.get();
    options.err = err_writing_.get();
    options.json = json;
    options.on_broken = [this](absl::Status status) {
      broken_status_ = std::move(status);
      ++broken_count_;
      broken_.Notify();
    };
    auto display = Display::Create(std::move(options));
    ASSERT_THAT(display, IsOk());
    display_ = *std::move(display);
  }

  void Drain() {
    absl::Notification drained;
    display_->Drain([&] { drained.Notify(); });
    drained.WaitForNotification();
  }

  // Waits for a line, and returns it with its newline.
  static std::string ReadLine(const UniqueFd& from) {
    std::string line;
    char c = 0;
    while (c != '\n' && read(from.get(), &c, 1) == 1) line += c;
    return line;
  }

  std::string path_;
  UniqueFd sandbox_, out_, out_writing_, err_, err_writing_;
  absl::Notification broken_;
  absl::Status broken_status_;
  int broken_count_ = 0;
  std::unique_ptr<Display> display_;
};

TEST_F(DisplayTest, OutputIsShownWhileItGrows) {
  Start(/*json=*/false);
  display_->Follow(sandbox_.get());
  Append("stdout", "one\n");
  EXPECT_EQ(ReadLine(out_), "one\n");
  Append("stderr", "oops\n");
  EXPECT_EQ(ReadLine(err_), "oops\n");
  Append("stdout", "two\n");
  EXPECT_EQ(ReadLine(out_), "two\n");
}

TEST_F(DisplayTest, DrainShowsAllThatIsThere) {
  Start(/*json=*/false);
  display_->Follow(sandbox_.get());
  std::string text;
  for (int i = 0; i < 100000; ++i) absl::StrAppend(&text, i, "\n");
  Append("stdout", text);
  std::string seen;
  std::thread reader([&] {
    char buffer[4096];
    for (ssize_t n; (n = read(out_.get(), buffer, sizeof(buffer))) > 0;) {
      seen.append(buffer, static_cast<size_t>(n));
    }
  });
  Drain();
  display_.reset();
  // The reader must see the end of the file.
  { const UniqueFd last = std::move(out_writing_); }
  reader.join();
  EXPECT_EQ(seen, text);
}

TEST_F(DisplayTest, LinesAndOutputKeepTheirOrder) {
  Start(/*json=*/false);
  display_->Follow(sandbox_.get());
  Append("stderr", "last words");
  Drain();
  display_->Notice("over");
  EXPECT_EQ(ReadLine(err_), "last words\n");
  EXPECT_EQ(ReadLine(err_), "agent: over\n");
}

TEST_F(DisplayTest, JsonIsOneObjectPerLine) {
  Start(/*json=*/true);
  display_->Follow(sandbox_.get());
  Append("stderr", "a\nb\x1b");
  EXPECT_THAT(ReadLine(out_), AllOf(HasSubstr("{\"time\":\"2"),
                                    HasSubstr("\"type\":\"stderr\","
                                              "\"data\":\"a\\nb\\u001b\"}\n")));
  display_->Notice("over");
  EXPECT_THAT(ReadLine(out_),
              HasSubstr("\"type\":\"notice\",\"message\":\"over\"}\n"));
}

TEST_F(DisplayTest, CharacterThatIsWrittenInPartsIsKeptWhole) {
  Start(/*json=*/true);
  display_->Follow(sandbox_.get());
  Append("stdout", "a\xe2\x82");
  EXPECT_THAT(ReadLine(out_), HasSubstr("\"data\":\"a\"}"));
  Append("stdout", "\xac");
  EXPECT_THAT(ReadLine(out_), HasSubstr("\"data\":\"\xe2\x82\xac\"}"));
  Append("stdout", "b\xe2");
  EXPECT_THAT(ReadLine(out_), HasSubstr("\"data\":\"b\"}"));
  Drain();
  EXPECT_THAT(ReadLine(out_), HasSubstr("\"base64\":\"4g==\"}"));
}

TEST_F(DisplayTest, ErrorIsForPeopleInAnyCase) {
  Start(/*json=*/true);
  display_->Error(absl::InternalError("bad\nnews"));
  EXPECT_EQ(ReadLine(err_), "agent: bad\\nnews\n");
  EXPECT_THAT(ReadLine(out_), HasSubstr("\"error_code\":\"INTERNAL\","
                                        "\"error\":\"bad\\nnews\"}"));
}

TEST_F(DisplayTest, LinkIsToldOnceAndNotShown) {
  Append("secret", "secret");
  ASSERT_EQ(symlink("secret", (path_ + "/stdout").c_str()), 0);
  Start(/*json=*/false);
  display_->Follow(sandbox_.get());
  EXPECT_THAT(ReadLine(err_), HasSubstr("the sandbox's stdout is not a file"));
  Append("stderr", "on\n");
  EXPECT_EQ(ReadLine(err_), "on\n");
}

TEST_F(DisplayTest, BrokenStdoutIsToldOnce) {
  Start(/*json=*/false);
  { const UniqueFd reader = std::move(out_); }
  display_->Follow(sandbox_.get());
  Append("stdout", "one\n");
  broken_.WaitForNotification();
  Append("stdout", "two\n");
  Drain();
  EXPECT_EQ(broken_status_.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(broken_count_, 1);
}

}  // namespace
}  // namespace external_containerizer
