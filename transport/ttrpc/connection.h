// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A stream socket with frames on it, for a client and a server alike. Only on
// the loop's thread, or before the loop runs.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CONNECTION_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
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
    // After whatever was read or written: held() may have changed.
    virtual void OnTurn() {}
    // Once, unless Close() came first; never inside a call of Send(). After
    // it the delegate is not used any more.
    virtual void OnClosed(const absl::Status& reason) = 0;
  };

  struct Options {
    // Frames are not read while more than this waits to be written. A client
    // always reads, or the two could wait for each other.
    size_t stop_reading_above = std::numeric_limits<size_t>::max();
    // Closed with DEADLINE_EXCEEDED if the peer takes nothing for so long.
    absl::Duration stall_timeout = absl::InfiniteDuration();
    // Closed with DEADLINE_EXCEEDED if the peer's first frame, or one that it
    // has begun, is not whole after so long, or twice that at most.
    absl::Duration frame_timeout = absl::InfiniteDuration();
  };

  // Owns `fd` from the call on, also if it fails.
  static absl::StatusOr<std::shared_ptr<Connection>> Create(EventLoop& loop,
                                                            int fd,
                                                            Options options,
                                                            Delegate* delegate);
  ~Connection();

  // Queues a frame; it is written, together with others, at the end of this
  // turn of the loop. `body` is at most kMaxFrameBody.
  void Send(uint32_t stream_id, FrameType type,
            const google::protobuf::MessageLite& body);

  // Positions in the stream, in bytes since its beginning: what was queued, and
  // what the kernel has taken (or was left out).
  uint64_t queued() const { return written_ + waiting(); }
  uint64_t written() const { return written_; }
  size_t waiting() const { return out_.size() - out_begin_; }

  // Bytes held for the peer: what waits to be written, and what came and was
  // not handed over.
  size_t held() const {
    return waiting() + reader_.kept() + leftover_.size() - leftover_begin_;
  }

  // Leaves out what lies between two positions, both frames' ends, when their
  // turn to be written comes. Nothing of it may be written yet. Until then it
  // counts as waiting.
  void Withdraw(uint64_t begin, uint64_t end);

  // For back-pressure: no frame is handed over, and nothing read, while paused.
  void Pause() { paused_ = true; }
  void Resume();

  // Closes when all that is queued has been written.
  void CloseWhenWritten();
  // Closes at once, without a call of OnClosed.
  void Close();
  // Calls OnClosed from the loop.
  void CloseLater(absl::Status reason);
  bool closed() const { return fd_ < 0; }

 private:
  Connection(EventLoop& loop, int fd, Options options, Delegate* delegate)
      : loop_(loop), fd_(fd), options_(options), delegate_(delegate) {}

  bool MayRead();
  void Turn(uint32_t events);
  void TurnLater();
  void DeliverLeftover();
  absl::string_view Deliver(absl::string_view input);
  void Read();
  void Flush();
  void Advance(uint64_t bytes);
  absl::Status UpdateWatch();
  void UpdateStallTimer();
  void OnStallTimer();
  // Whether the peer is to send something, and is listened to.
  bool AwaitsFrame() const;
  void UpdateFrameTimer();
  void OnFrameTimer();
  void CloseWith(const absl::Status& reason);

  EventLoop& loop_;
  int fd_;
  const Options options_;
  Delegate* delegate_;

  FrameReader reader_;
  // Read, but not delivered: from leftover_begin_ on.
  std::string leftover_;
  size_t leftover_begin_ = 0;
  bool paused_ = false;

  std::string out_;  // Waits to be written, from out_begin_ on.
  size_t out_begin_ = 0;
  uint64_t written_ = 0;
  std::map<uint64_t, uint64_t> withdrawn_;  // From a position to another.
  bool blocked_ = false;                    // Wait until the kernel takes more.
  bool close_when_written_ = false;
  // The peer takes nothing any more; what it still has to say is read first.
  absl::Status write_error_;
  absl::Status doom_;

  bool in_turn_ = false;
  bool turn_posted_ = false;
  bool watching_ = false;
  uint32_t watched_ = 0;
  EventLoop::TimerId stall_timer_ = 0;
  uint64_t written_at_stall_check_ = 0;
  EventLoop::TimerId frame_timer_ = 0;
  uint64_t frames_ = 0;  // That have come.
  uint64_t frames_at_check_ = 0;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CONNECTION_H_
