// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What happens to a command from its start to its end.

#include "external_containerizer/transport/fork_exec/commands.h"

#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace external_containerizer {
namespace fork_exec_internal {
namespace {

// What a program may write beyond the largest record before it is ended.
constexpr uint64_t kMaxExcess = uint64_t{64} << 20;

// Most commands end soon, and what they wrote is in the pipe then: to look at
// it before is a wake-up for nothing. Who writes more than a pipe holds, or
// stays, is read from after this.
constexpr absl::Duration kOutputPause = absl::Milliseconds(5);

}  // namespace

void ForkExec::Watch(InvocationId id, Running* running,
                     absl::Duration timeout) {
  StartedCommand& started = running->started;
  if (!started.process.pidfd.valid()) {
    // It ended at once. What it wrote is in the pipes.
    running->deadline =
        loop_->RunAfter(absl::ZeroDuration(), [this, id] { Finish(id, true); });
    return;
  }
  absl::Status status =
      loop_->Watch(started.process.pidfd.get(), EPOLLIN,
                   [this, id](uint32_t) { Finish(id, true); });
  if (status.ok() && started.output.valid()) {
    running->output_pause = loop_->RunAfter(kOutputPause, [this, id, running] {
      running->output_pause.reset();
      WatchOutput(id, running);
    });
  }
  if (status.ok() && started.input != nullptr) {
    status = loop_->Watch(started.input->fd(), EPOLLOUT,
                          [this, running](uint32_t) { WriteInput(running); });
  }
  if (!status.ok()) {
    EndUnwatched(id, running);
  } else if (timeout != absl::InfiniteDuration()) {
    running->deadline = loop_->RunAfter(timeout, [this, id, running] {
      running->deadline.reset();
      End(id, running, Ending::kTimeout);
    });
  }
}

void ForkExec::WatchOutput(InvocationId id, Running* running) {
  running->output_open =
      loop_
          ->Watch(running->started.output.get(), EPOLLIN,
                  [this, id, running](uint32_t) { ReadOutput(id, running); })
          .ok();
  if (!running->output_open) EndUnwatched(id, running);
}

void ForkExec::EndUnwatched(InvocationId id, Running* running) {
  End(id, running, Ending::kUnwatched);
  if (running->ending != Ending::kByItself) return;
  // It has ended, and nobody may be there to say so.
  Unwatch(running);
  running->deadline =
      loop_->RunAfter(absl::ZeroDuration(), [this, id] { Finish(id, true); });
}

void ForkExec::Unwatch(Running* running) {
  StartedCommand& started = running->started;
  if (started.process.pidfd.valid()) {
    loop_->Unwatch(started.process.pidfd.get());
  }
  if (running->output_open) loop_->Unwatch(started.output.get());
  running->output_open = false;
  if (started.input != nullptr) loop_->Unwatch(started.input->fd());
  started.input.reset();
  for (auto* timer :
       {&running->deadline, &running->linger, &running->output_pause}) {
    if (timer->has_value()) loop_->CancelTimer(**timer);
    timer->reset();
  }
}

void ForkExec::WriteInput(Running* running) {
  InputPipe& input = *running->started.input;
  input.Write();
  if (!input.done()) return;
  loop_->Unwatch(input.fd());
  running->started.input.reset();
}

void ForkExec::ReadOutput(InvocationId id, Running* running) {
  RecordReader& reader = running->reader;
  const absl::StatusOr<bool> more =
      reader.ReadFrom(running->started.output.get());
  const bool at_end = !more.ok() || !*more;
  if (at_end) {
    loop_->Unwatch(running->started.output.get());
    running->output_open = false;
  }
  if (reader.total_bytes() > options_.max_output_bytes + kMaxExcess) {
    End(id, running, Ending::kFlood);
    return;
  }
  // A wait has no deadline, so it must not stay when it has no more to say;
  // others may have something to do still.
  const bool hopeless = reader.state() == RecordReader::State::kFailed;
  const bool wait_is_over =
      running->command == Command::kWait &&
      (at_end || reader.state() == RecordReader::State::kComplete);
  if ((hopeless || wait_is_over) && !running->linger.has_value()) {
    running->linger = loop_->RunAfter(options_.linger, [this, id, running] {
      End(id, running, Ending::kLingering);
    });
  }
}

void ForkExec::Cancel(InvocationId id) {
  if (const auto it = waiting_.find(id); it != waiting_.end()) {
    if (it->second.starting) {
      it->second.cancelled = true;
    } else {
      FailSoon(id, absl::CancelledError("it was cancelled"));
    }
    return;
  }
  const auto it = running_.find(id);
  if (it != running_.end()) End(id, &it->second, Ending::kCancelled);
}

void ForkExec::End(InvocationId id, Running* running, Ending ending) {
  const Process& process = running->started.process;
  // If it has ended by itself, the loop is about to say so.
  if (running->ending != Ending::kByItself || !process.pidfd.valid() ||
      HasEnded(process.pidfd.get())) {
    return;
  }
  running->ending = ending;
  Unwatch(running);
  killer_.Kill(process.pid, process.pidfd.get(), !ChildrenVanish(),
               [this, id](bool ended) { Finish(id, ended); });
}

void ForkExec::Finish(InvocationId id, bool ended) {
  const auto it = running_.find(id);
  Running running = std::move(it->second);
  running_.erase(it);
  if (running.command != Command::kWait) --in_flight_;
  Unwatch(&running);

  CommandEnd end;
  end.command = running.command;
  end.program = options_.program;
  end.ending = running.ending;
  end.ended = ended;
  const ProcessState state = TakeStatus(running.started, &end.wait_status);
  if (running.started.output.valid()) {
    // What is in the pipe now, and no more: others may hold it open (D7).
    RecordReader& reader = running.reader;
    uint64_t before;
    do {
      before = reader.total_bytes();
      if (!reader.ReadFrom(running.started.output.get()).ok()) break;
    } while (reader.state() == RecordReader::State::kNeedMore &&
             reader.total_bytes() > before);
    end.trailing_bytes = reader.trailing_bytes();
    end.record = std::move(reader).Finish();
  }
  Answer answer = MakeAnswer(std::move(end));
  if (!answer.status.ok()) {
    answer.status = WithStderr(answer.status, starter_.Stderr(running.started));
  }
  if (state == ProcessState::kRunning) {
    Abandon(std::move(running.started.process), running.slot);
  } else if (running.slot.has_value()) {
    journal_->Remove(*running.slot);
  }
  // Its descriptors may be what the next command needs.
  running.started = StartedCommand();
  // Last: it may destroy us.
  std::move(running.done)(std::move(answer));
}

ProcessState ForkExec::TakeStatus(const StartedCommand& started,
                                  std::optional<int>* wait_status) {
  const ProcessState state =
      started.process.pidfd.valid()
          ? Reap(started.process.pidfd.get(), wait_status)
          : ProcessState::kReaped;
  char text[16] = {};
  if (started.exit_status.valid() &&
      read(started.exit_status.get(), text, sizeof(text) - 1) > 0) {
    *wait_status = W_EXITCODE(atoi(text), 0);
  }
  return state;
}

void ForkExec::Abandon(Process process, std::optional<Journal::Slot> slot) {
  const pid_t pid = process.pid;
  const int pidfd = process.pidfd.get();
  const absl::Status status =
      loop_->Watch(pidfd, EPOLLIN, [this, pid, pidfd, slot](uint32_t) {
        std::optional<int> wait_status;
        Reap(pidfd, &wait_status);
        if (slot.has_value()) journal_->Remove(*slot);
        loop_->Unwatch(pidfd);
        abandoned_.erase(pid);
      });
  if (status.ok()) abandoned_[pid] = std::move(process);
}

}  // namespace fork_exec_internal
}  // namespace external_containerizer
