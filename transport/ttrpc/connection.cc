// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

constexpr size_t kReadBytes = 64 << 10;
// The number of reads in one turn, so that one connection cannot keep the loop
// busy, and in the last turn.
constexpr int kReads = 4;
constexpr int kLastReads = 64;

// An idle connection does not keep the memory of its busiest time.
constexpr size_t kKeptCapacity = 4 << 10;

// Counted over all connections of this process: memory is given back to the
// system when much was held, and little is held again.
std::atomic<size_t> held_by_all{0};
std::atomic<size_t> most_held{0};
constexpr size_t kMuch = 8 << 20;
constexpr size_t kLittle = 1 << 20;

// The allocator keeps freed memory below memory that is in use.
void GiveMemoryBack() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

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
  connection->UpdateStallTimer();
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
  if (closed()) return;
  NoteHeld(0);
  loop_.Unwatch(fd_);
  close(std::exchange(fd_, -1));
  loop_.CancelTimer(std::exchange(stall_timer_, 0));
  delegate_ = nullptr;
  // A frame that is being handed over is still used.
  if (!in_turn_) FreeBuffers();
}

void Connection::CloseWith(const absl::Status& reason) {
  Delegate* const delegate = delegate_;
  if (closed()) return;
  Close();
  delegate->OnClosed(reason);
}

void Connection::FreeBuffers() {
  // An assignment alone would keep the memory.
  static_cast<void>(std::exchange(reader_, FrameReader()));
  std::string().swap(out_);
  out_begin_ = 0;
}

void Connection::NoteHeld(size_t now) {
  if (now == noted_held_) return;
  const size_t more = now - std::exchange(noted_held_, now);
  delegate_->OnHeld(static_cast<ptrdiff_t>(more));
  // Both wrap, as they should.
  const size_t all = held_by_all += more;
  if (all > most_held) most_held = all;
  if (most_held < kMuch || all > kLittle) return;
  most_held = 0;
  loop_.Post([] { GiveMemoryBack(); });
}

// Frames that are sent within a turn are written at its end, in one piece.
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
  if (!doom_.ok()) return CloseWith(doom_);
  in_turn_ = true;
  if ((events & EPOLLOUT) != 0) blocked_ = false;
  if (undelivered_ && MayRead()) Deliver({});
  if ((events & ~uint32_t{EPOLLOUT}) != 0 && !closed()) {
    if (!undelivered_ && MayRead()) {
      Read();
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      CloseWith(absl::UnavailableError("ttrpc: the peer closed"));
    }
  }
  // Requests that came before the end are answered.
  if (!closed() && close_when_written_ && !undelivered_ && MayRead()) Read();
  if (!closed() && doom_.ok()) Flush();
  // The peer may have sent replies before it closed.
  if (!closed() && !write_error_.ok() && !undelivered_ && MayRead()) Read();
  in_turn_ = false;
  if (closed()) return FreeBuffers();
  if (!doom_.ok()) return CloseWith(doom_);
  if (!write_error_.ok()) return CloseWith(write_error_);
  if (close_when_written_ && waiting() == 0) {
    return CloseWith(
        absl::CancelledError("ttrpc: closed after the last reply"));
  }
  if (undelivered_ && MayRead()) TurnLater();
  absl::Status status = UpdateWatch();
  if (!status.ok()) return CloseWith(status);
  UpdateStallTimer();
  NoteHeld(held());
}

bool Connection::MayRead() {
  if (waiting() > options_.stop_reading_above) Flush();
  return !paused_ && waiting() <= options_.stop_reading_above;
}

void Connection::Deliver(absl::string_view input) {
  undelivered_ = true;
  Frame frame;
  do {
    const FrameReader::State state = reader_.Next(input, frame);
    if (state == FrameReader::State::kCorrupt) {
      return CloseWith(reader_.status());
    }
    if (state == FrameReader::State::kNeedMore) {
      undelivered_ = false;
      return;
    }
    ++frames_;
    delegate_->OnFrame(frame);
  } while (!closed() && doom_.ok() && MayRead());
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
    Deliver(absl::string_view(buffer, static_cast<size_t>(n)));
    // A short read: the socket is empty now.
    if (closed() || undelivered_ || static_cast<size_t>(n) < sizeof(buffer) ||
        !MayRead()) {
      return;
    }
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
  if (!paused_ && waiting() <= options_.stop_reading_above && !undelivered_) {
    want |= EPOLLIN;
  }
  if (watching_ && want == watched_) return absl::OkStatus();
  watched_ = want;
  if (std::exchange(watching_, true)) return loop_.Modify(fd_, want);
  return loop_.Watch(fd_, want, [this](uint32_t events) { Turn(events); });
}

bool Connection::AwaitsFrame() const {
  return (frames_ == 0 || reader_.mid_frame()) && !paused_ &&
         waiting() <= options_.stop_reading_above;
}

void Connection::UpdateStallTimer() {
  if (stall_timer_ != 0 || (!blocked_ && !AwaitsFrame()) ||
      options_.stall_timeout == absl::InfiniteDuration()) {
    return;
  }
  written_before_.reset();
  frames_before_.reset();
  if (blocked_) written_before_ = written_;
  if (AwaitsFrame()) frames_before_ = frames_;
  stall_timer_ =
      loop_.RunAfter(options_.stall_timeout, [this] { OnStallTimer(); });
}

void Connection::OnStallTimer() {
  const std::shared_ptr<Connection> self = shared_from_this();
  stall_timer_ = 0;
  const std::string limit = absl::FormatDuration(options_.stall_timeout);
  if (blocked_ && written_before_ == written_) {
    return CloseWith(absl::DeadlineExceededError(
        absl::StrCat("ttrpc: the peer has read nothing for ", limit, "; ",
                     waiting(), " bytes wait for it")));
  }
  if (AwaitsFrame() && frames_before_ == frames_) {
    return CloseWith(absl::DeadlineExceededError(absl::StrCat(
        "ttrpc: the peer has sent ", frames_ == 0 ? "no" : "a part of a",
        " request, and not the rest, for ", limit)));
  }
  UpdateStallTimer();
}

}  // namespace ttrpc
}  // namespace external_containerizer
