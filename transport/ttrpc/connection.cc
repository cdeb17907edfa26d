// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

constexpr size_t kReadBytes = 64 << 10;
// Reads of one turn, so that one connection cannot keep the loop to itself; and
// of the last one.
constexpr int kReads = 4;
constexpr int kLastReads = 64;

// An idle connection does not keep the memory of its busiest time.
constexpr size_t kKeptCapacity = 64 << 10;

}  // namespace

absl::StatusOr<std::shared_ptr<Connection>> Connection::Create(
    EventLoop& loop, int fd, Options options, Delegate* delegate) {
  std::shared_ptr<Connection> connection(
      new Connection(loop, fd, options, delegate));
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    return absl::ErrnoToStatus(errno, "ttrpc: not a usable descriptor");
  }
  absl::Status status = connection->UpdateWatch();
  if (!status.ok()) return status;
  connection->UpdateFrameTimer();
  return connection;
}

Connection::~Connection() { Close(); }

void Connection::Send(uint32_t stream_id, FrameType type,
                      const google::protobuf::MessageLite& body) {
  if (closed()) return;
  FrameHeader header;
  header.length = static_cast<uint32_t>(body.ByteSizeLong());
  header.stream_id = stream_id;
  header.type = type;
  const auto raw = EncodeHeader(header);
  out_.append(raw.data(), raw.size());
  static_cast<void>(body.AppendPartialToString(&out_));
  TurnLater();
}

void Connection::Withdraw(uint64_t begin, uint64_t end) {
  if (!closed()) withdrawn_.emplace(begin, end);
}

void Connection::Resume() {
  paused_ = false;
  TurnLater();
}

void Connection::CloseWhenWritten() {
  close_when_written_ = true;
  TurnLater();
}

void Connection::CloseLater(absl::Status reason) {
  if (doom_.ok()) doom_ = std::move(reason);
  TurnLater();
}

void Connection::Close() {
  delegate_ = nullptr;
  CloseWith(absl::OkStatus());
}

void Connection::CloseWith(const absl::Status& reason) {
  if (closed()) return;
  loop_.Unwatch(fd_);
  close(std::exchange(fd_, -1));
  loop_.CancelTimer(std::exchange(stall_timer_, 0));
  loop_.CancelTimer(std::exchange(frame_timer_, 0));
  Delegate* delegate = std::exchange(delegate_, nullptr);
  if (delegate != nullptr) delegate->OnClosed(reason);
}

// What is sent within a turn is written at its end, in one piece.
void Connection::TurnLater() {
  if (closed() || in_turn_ || turn_posted_) return;
  turn_posted_ = true;
  loop_.Post([self = shared_from_this()] {
    self->turn_posted_ = false;
    self->Turn(0);
  });
}

void Connection::Turn(uint32_t events) {
  if (closed()) return;
  const std::shared_ptr<Connection> self = shared_from_this();
  in_turn_ = true;
  if ((events & EPOLLOUT) != 0) blocked_ = false;
  DeliverLeftover();
  if ((events & ~uint32_t{EPOLLOUT}) != 0 && !closed()) {
    if (leftover_.empty() && MayRead()) {
      Read();
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      CloseWith(absl::UnavailableError("ttrpc: the peer closed"));
    }
  }
  // What has come before the end is still answered.
  if (!closed() && close_when_written_ && leftover_.empty() && MayRead()) {
    Read();
  }
  if (!closed() && doom_.ok()) Flush();
  // It may have answered something before it went away.
  if (!closed() && !write_error_.ok() && leftover_.empty() && !paused_) Read();
  in_turn_ = false;
  if (closed()) return;
  if (!doom_.ok()) return CloseWith(doom_);
  if (!write_error_.ok()) return CloseWith(write_error_);
  if (close_when_written_ && waiting() == 0) {
    return CloseWith(
        absl::CancelledError("ttrpc: closed after the last reply"));
  }
  if (!leftover_.empty() && MayRead()) TurnLater();
  absl::Status status = UpdateWatch();
  if (!status.ok()) return CloseWith(status);
  UpdateStallTimer();
  UpdateFrameTimer();
  delegate_->OnTurn();
}

bool Connection::MayRead() {
  if (waiting() > options_.stop_reading_above) Flush();
  return !paused_ && waiting() <= options_.stop_reading_above;
}

void Connection::DeliverLeftover() {
  if (leftover_.empty()) return;
  const absl::string_view rest =
      Deliver(absl::string_view(leftover_).substr(leftover_begin_));
  leftover_begin_ = leftover_.size() - rest.size();
  if (rest.empty()) {
    leftover_.clear();
    leftover_begin_ = 0;
  }
}

absl::string_view Connection::Deliver(absl::string_view input) {
  Frame frame;
  while (!closed() && doom_.ok() && MayRead()) {
    const FrameReader::State state = reader_.Next(input, frame);
    if (state == FrameReader::State::kNeedMore) {
      return {};
    }
    if (state == FrameReader::State::kCorrupt) {
      CloseWith(reader_.status());
      return {};
    }
    ++frames_;
    delegate_->OnFrame(frame);
  }
  return input;
}

void Connection::Read() {
  char buffer[kReadBytes];
  const int reads = write_error_.ok() ? kReads : kLastReads;
  for (int i = 0; i < reads; ++i) {
    const ssize_t n = read(fd_, buffer, sizeof(buffer));
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      return CloseWith(absl::UnavailableError(
          absl::StrCat("ttrpc: the connection failed: ",
                       absl::ErrnoToStatus(errno, "read").message())));
    }
    if (n == 0) {
      return CloseWith(absl::UnavailableError(
          reader_.mid_frame()
              ? "ttrpc: the peer closed in the middle of a frame"
              : "ttrpc: the peer closed"));
    }
    const absl::string_view rest =
        Deliver(absl::string_view(buffer, static_cast<size_t>(n)));
    if (closed()) return;
    if (!rest.empty()) leftover_.assign(rest.data(), rest.size());
    // Less than was asked for: there is no more now.
    if (!rest.empty() || static_cast<size_t>(n) < sizeof(buffer)) return;
    if (!MayRead()) return;
  }
}

void Connection::Advance(uint64_t bytes) {
  out_begin_ += static_cast<size_t>(bytes);
  written_ += bytes;
}

void Connection::Flush() {
  while (waiting() > 0 && !blocked_ && write_error_.ok()) {
    size_t want = waiting();
    const auto gap = withdrawn_.begin();
    if (gap != withdrawn_.end()) {
      if (gap->first == written_) {
        Advance(gap->second - gap->first);
        withdrawn_.erase(gap);
        continue;
      }
      want = static_cast<size_t>(gap->first - written_);
    }
    const ssize_t n =
        send(fd_, out_.data() + out_begin_, want, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        blocked_ = true;
        break;
      }
      write_error_ = absl::UnavailableError(
          absl::StrCat("ttrpc: the connection failed: ",
                       absl::ErrnoToStatus(errno, "write").message()));
      break;
    }
    Advance(static_cast<uint64_t>(n));
    blocked_ = static_cast<size_t>(n) < want;
  }
  if (waiting() == 0) {
    if (out_.capacity() > kKeptCapacity) {
      std::string().swap(out_);  // An assignment keeps the memory.
    } else {
      out_.clear();
    }
    out_begin_ = 0;
  } else if (out_begin_ > out_.size() / 2) {
    out_.erase(0, out_begin_);
    out_begin_ = 0;
  }
}

absl::Status Connection::UpdateWatch() {
  uint32_t want = blocked_ ? uint32_t{EPOLLOUT} : 0;
  if (!paused_ && waiting() <= options_.stop_reading_above &&
      leftover_.empty()) {
    want |= EPOLLIN;
  }
  if (watching_ && want == watched_) return absl::OkStatus();
  watched_ = want;
  if (std::exchange(watching_, true)) return loop_.Modify(fd_, want);
  return loop_.Watch(fd_, want, [this](uint32_t events) { Turn(events); });
}

void Connection::UpdateStallTimer() {
  if (stall_timer_ != 0 || !blocked_ ||
      options_.stall_timeout == absl::InfiniteDuration()) {
    return;
  }
  written_at_stall_check_ = written_;
  stall_timer_ =
      loop_.RunAfter(options_.stall_timeout, [this] { OnStallTimer(); });
}

void Connection::OnStallTimer() {
  const std::shared_ptr<Connection> self = shared_from_this();
  stall_timer_ = 0;
  if (!blocked_) return;
  if (written_ != written_at_stall_check_) return UpdateStallTimer();
  CloseWith(absl::DeadlineExceededError(
      absl::StrCat("ttrpc: the peer has read nothing for ",
                   absl::FormatDuration(options_.stall_timeout), "; ",
                   waiting(), " bytes wait for it")));
}

bool Connection::AwaitsFrame() const {
  return (frames_ == 0 || reader_.mid_frame()) && !paused_ &&
         waiting() <= options_.stop_reading_above;
}

void Connection::UpdateFrameTimer() {
  if (frame_timer_ != 0 || !AwaitsFrame() ||
      options_.frame_timeout == absl::InfiniteDuration()) {
    return;
  }
  frames_at_check_ = frames_;
  frame_timer_ =
      loop_.RunAfter(options_.frame_timeout, [this] { OnFrameTimer(); });
}

void Connection::OnFrameTimer() {
  const std::shared_ptr<Connection> self = shared_from_this();
  frame_timer_ = 0;
  if (!AwaitsFrame() || frames_ != frames_at_check_) return UpdateFrameTimer();
  CloseWith(absl::DeadlineExceededError(absl::StrCat(
      "ttrpc: the peer has sent ", frames_ == 0 ? "no" : "a part of a",
      " request, and not the rest, for ",
      absl::FormatDuration(options_.frame_timeout))));
}

}  // namespace ttrpc
}  // namespace external_containerizer
