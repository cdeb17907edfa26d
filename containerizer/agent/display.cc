// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/display.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace external_containerizer {
namespace {

constexpr size_t kChunk = 64 << 10;
// A file that grows is read often, and one that does not less often.
constexpr absl::Duration kShortestPoll = absl::Milliseconds(5);
constexpr absl::Duration kLongestPoll = absl::Milliseconds(50);

}  // namespace

struct Display::FollowedFile {
  FollowedFile(int sandbox, const char* file_name, Console::Stream to)
      : file(sandbox, file_name), name(file_name), stream(to) {}

  OutputFile file;
  const char* name;
  Console::Stream stream;
  bool failed = false;
  // The first bytes of a character that is not complete yet.
  std::string unfinished;
};

absl::StatusOr<std::unique_ptr<Display>> Display::Create(Options options) {
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  std::unique_ptr<Display> display(
      new Display(std::move(options), *std::move(loop)));
  absl::Status started = display->thread_.Start(
      "display", [loop = display->loop_.get()] { loop->Run(); });
  if (!started.ok()) return started;
  return display;
}

Display::Display(Options options, std::unique_ptr<EventLoop> loop)
    : options_(std::move(options)),
      loop_(std::move(loop)),
      console_(options_.out, options_.err, options_.live && !options_.json),
      poll_delay_(kShortestPoll) {}

Display::~Display() {
  loop_->Stop();
  thread_.Join();
}

void Display::Follow(int sandbox) {
  loop_->Post([this, sandbox] {
    if (out_ != nullptr) return;
    out_ = std::make_unique<FollowedFile>(sandbox, "stdout",
                                          Console::Stream::kOut);
    err_ = std::make_unique<FollowedFile>(sandbox, "stderr",
                                          Console::Stream::kErr);
    Poll();
  });
}

void Display::Poll() {
  const bool out = Show(*out_);
  const bool err = Show(*err_);
  if (out || err) {
    poll_delay_ = kShortestPoll;
    loop_->RunAfter(absl::ZeroDuration(), [this] { Poll(); });
    return;
  }
  loop_->RunAfter(poll_delay_, [this] { Poll(); });
  poll_delay_ = std::min(poll_delay_ * 2, kLongestPoll);
}

bool Display::Show(FollowedFile& followed) {
  if (followed.failed) return false;
  absl::StatusOr<std::string> bytes = followed.file.Read(kChunk);
  if (!bytes.ok()) {
    followed.failed = true;
    Error(bytes.status());
    return false;
  }
  if (bytes->empty()) return false;
  ShowBytes(followed, *std::move(bytes));
  return true;
}

void Display::ShowBytes(FollowedFile& followed, std::string bytes) {
  if (!options_.json) {
    console_.Write(followed.stream, bytes);
  } else {
    bytes.insert(0, std::exchange(followed.unfinished, ""));
    const size_t whole = Utf8Prefix(bytes);
    if (IsUnfinishedCharacter(
            absl::string_view(bytes).substr(std::min(whole, bytes.size())))) {
      followed.unfinished = bytes.substr(whole);
      bytes.resize(whole);
    }
    if (!bytes.empty()) {
      Record(JsonObject().Text("type", followed.name).Data(bytes));
    }
  }
  CheckOut();
}

void Display::Drain(absl::AnyInvocable<void() &&> done) {
  loop_->Post([this, done = std::move(done)]() mutable {
    for (FollowedFile* followed : {out_.get(), err_.get()}) {
      if (followed == nullptr) continue;
      // Unread() knows only a file that is open.
      Show(*followed);
      // A process that left the container may write for ever.
      size_t left = followed->file.Unread();
      while (left > 0 && Show(*followed)) left -= std::min(left, kChunk);
      Show(*followed);
      if (!followed->unfinished.empty()) {
        Record(JsonObject()
                   .Text("type", followed->name)
                   .Data(std::exchange(followed->unfinished, "")));
      }
    }
    CheckOut();
    // Record() has posted the last bytes; `done` must come after them.
    loop_->Post(std::move(done));
  });
}

void Display::Then(absl::AnyInvocable<void() &&> done) {
  loop_->Post(std::move(done));
}

void Display::CheckOut() {
  if (console_.out_status().ok() || !options_.on_broken) return;
  std::exchange(options_.on_broken, nullptr)(console_.out_status());
}

void Display::Line(std::string text) {
  if (options_.json) return;
  loop_->Post([this, text = std::move(text)] { console_.Line(text); });
}

void Display::Record(JsonObject object) {
  if (!options_.json) return;
  JsonObject stamped;
  stamped.Text("time", JsonTime(absl::Now())).Append(object);
  loop_->Post([this, line = stamped.ToString()] {
    console_.Write(Console::Stream::kOut, absl::StrCat(line, "\n"));
    CheckOut();
  });
}

void Display::Notice(const std::string& text) {
  Line(absl::StrCat("agent: ", text));
  Record(JsonObject().Text("type", "notice").Text("message", text));
}

void Display::Error(const absl::Status& status) {
  Record(ErrorJson(status));
  loop_->Post(
      [this, line = absl::StrCat("agent: ", OneLine(status.message()))] {
        console_.Line(line);
      });
}

void Display::Status(std::string state, absl::Duration elapsed,
                     ResourceUse used, std::optional<double> cpus) {
  if (!options_.live) return;
  loop_->Post([this, state = std::move(state), elapsed, used, cpus] {
    console_.SetStatus(
        StatusLine(state, elapsed, used, cpus, console_.Width()));
  });
}

void Display::ClearStatus() {
  if (!options_.live) return;
  loop_->Post([this] { console_.SetStatus(""); });
}

}  // namespace external_containerizer
