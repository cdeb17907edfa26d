// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A stream socket that carries frames, for a client and for a server.
//
//   class Printer : public Connection::Delegate {
//     void OnFrame(const Frame& frame) override { Print(frame.body); }
//     void OnClosed(const absl::Status& reason) override { ... }
//   };
//   auto connection = Connection::Create(loop, fd, {}, &printer);
//   (*connection)->Send(1, FrameType::kRequest, message);
//
// Only on the loop's thread, or before the loop runs.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CONNECTION_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/frame.h"
#include "google/protobuf/message_lite.h"

namespace external_containerizer {
namespace ttrpc {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  class Delegate {
   public:
    virtual ~Delegate() = default;
    // The frame is valid during the call, in which the connection may be
    // closed and the delegate destroyed.
    virtual void OnFrame(const Frame& frame) = 0;
    // held() has grown by `more` bytes, or shrunk if `more` is negative.
    virtual void OnHeld(ptrdiff_t more) { static_cast<void>(more); }
    // Called once, unless Close() was called first, and never inside Send().
    // The delegate is not used after this call.
    virtual void OnClosed(const absl::Status& reason) = 0;
  };

  struct Options {
    // The connection is not read while more bytes than this wait to be written.
    // A client always reads: otherwise client and server could wait for each
    // other.
    size_t stop_reading_above = std::numeric_limits<size_t>::max();
    // The connection is closed with DEADLINE_EXCEEDED if for this time, or
    // twice as long at most, the peer takes no byte of the output, or does not
    // send its first frame, or does not send the rest of a frame that it has
    // begun.
    absl::Duration stall_timeout = absl::InfiniteDuration();
  };

  // `fd` belongs to this class from now on, also if the call fails.
  static absl::StatusOr<std::shared_ptr<Connection>> Create(EventLoop& loop,
                                                            int fd,
                                                            Options options,
                                                            Delegate* delegate);
  ~Connection();

  // Queues a frame; it is written, together with others, at the end of this
  // turn of the loop. `body` is at most kMaxFrameBody.
  void Send(uint32_t stream_id, FrameType type,
            const google::protobuf::MessageLite& body);

  // Positions in the output, in bytes since its beginning: the end of the
  // queue, and the end of the bytes that the kernel has taken or that were left
  // out.
  uint64_t queued() const { return written_ + waiting(); }
  uint64_t written() const { return written_; }
  size_t waiting() const { return out_.size() - out_begin_; }

  // The memory for output that waits, and for input that was not handed over.
  size_t held() const {
    return reader_.held() + (waiting() > 0 ? out_.capacity() : 0);
  }

  // Leaves out the bytes between two positions, which are ends of frames, when
  // their turn to be written comes. None of them may be written yet. Until then
  // they count as waiting.
  void Withdraw(uint64_t begin, uint64_t end);

  // Pauses for back-pressure: then no frame is handed over and no byte is read.
  void Pause() { paused_ = true; }
  void Resume();

  // Closes the connection when the queue has been written.
  void CloseWhenWritten();
  // Closes the connection at once, without a call of OnClosed().
  void Close();
  // Closes the connection from the loop, with a call of OnClosed(). The reason
  // of the first call counts.
  void CloseLater(absl::Status reason);
  bool closed() const { return fd_ < 0; }

 private:
  Connection(EventLoop& loop, int fd, Options options, Delegate* delegate)
      : loop_(loop), fd_(fd), options_(options), delegate_(delegate) {}

  bool MayRead();
  void Turn(uint32_t events);
  void TurnLater();
  void Deliver(absl::string_view input);
  void Read();
  void Flush();
  void Advance(uint64_t bytes);
  absl::Status UpdateWatch();
  // Whether the peer has to send bytes, and the connection is read.
  bool AwaitsFrame() const;
  void UpdateStallTimer();
  void OnStallTimer();
  void CloseWith(const absl::Status& reason);
  void NoteHeld(size_t now);
  void FreeBuffers();

  EventLoop& loop_;
  int fd_;
  const Options options_;
  Delegate* delegate_;

  FrameReader reader_;
  bool undelivered_ = false;  // The reader may have a whole frame.
  bool paused_ = false;

  std::string out_;  // Waits to be written, from out_begin_ on.
  size_t out_begin_ = 0;
  uint64_t written_ = 0;
  std::map<uint64_t, uint64_t> withdrawn_;  // Begin and end positions.
  bool blocked_ = false;                    // The kernel takes no more now.
  bool close_when_written_ = false;
  // A write has failed; the input that has come is read before the close.
  absl::Status write_error_;
  absl::Status doom_;  // The reason of CloseLater().

  size_t noted_held_ = 0;
  bool in_turn_ = false;
  bool turn_posted_ = false;
  bool watching_ = false;
  uint32_t watched_ = 0;
  uint64_t frames_ = 0;  // The number of frames that have come.
  EventLoop::TimerId stall_timer_ = 0;
  // The counters when the timer was set, if the peer had to move them.
  std::optional<uint64_t> written_before_;
  std::optional<uint64_t> frames_before_;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CONNECTION_H_
