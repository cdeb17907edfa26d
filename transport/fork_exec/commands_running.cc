// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The part of ForkExec between the start of a process and its end.

#include "external_containerizer/transport/fork_exec/commands.h"

#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/reaper.h"

namespace external_containerizer {
namespace fork_exec_internal {
namespace {

// The bytes that a program may write beyond the largest record.
constexpr uint64_t kMaxExcess = uint64_t{64} << 20;

// Most commands end soon, and Finish() reads their output from the pipe:
// watching it would only wake up the loop. The output of a command that runs
// longer is watched after this time.
constexpr absl::Duration kOutputPause = absl::Milliseconds(5);

}  // namespace

void ForkExec::Watch(InvocationId id, RunningCommand* running,
                     absl::Duration timeout) {
  StartedCommand& started = running->started;
  if (!started.process.pidfd.valid()) {
    // The process has ended. Its output is in the pipe.
    running->deadline =
        loop_->RunAfter(absl::ZeroDuration(), [this, id] { Finish(id, true); });
    return;
  }
  absl::Status status =
      loop_->Watch(started.process.pidfd.get(), EPOLLIN,
                   [this, id](uint32_t) { Finish(id, true); });
  if (status.ok() && started.output.valid()) {
    running->output_pause = loop_->RunAfter(kOutputPause, [this, id, running] {
      running->output_pause = 0;
      WatchOutput(id, running);
    });
  }
  if (!status.ok()) {
    EndUnwatched(id, running);
  } else if (timeout != absl::InfiniteDuration()) {
    running->deadline = loop_->RunAfter(timeout, [this, id, running] {
      running->deadline = 0;
      End(id, running, Ending::kTimeout);
    });
  }
}

void ForkExec::WatchOutput(InvocationId id, RunningCommand* running) {
  running->output_open =
      loop_
          ->Watch(running->started.output.get(), EPOLLIN,
                  [this, id, running](uint32_t) { ReadOutput(id, running); })
          .ok();
  if (!running->output_open) EndUnwatched(id, running);
}

void ForkExec::EndUnwatched(InvocationId id, RunningCommand* running) {
  End(id, running, Ending::kUnwatched);
  if (running->ending != Ending::kByItself) return;
  // The process has ended, and no watch may be left to report that.
  Unwatch(running);
  running->deadline =
      loop_->RunAfter(absl::ZeroDuration(), [this, id] { Finish(id, true); });
}

void ForkExec::Unwatch(RunningCommand* running) {
  StartedCommand& started = running->started;
  if (started.process.pidfd.valid()) {
    loop_->Unwatch(started.process.pidfd.get());
  }
  if (running->output_open) loop_->Unwatch(started.output.get());
  running->output_open = false;
  for (auto* timer :
       {&running->deadline, &running->linger, &running->output_pause}) {
    loop_->CancelTimer(std::exchange(*timer, 0));
  }
}

void ForkExec::ReadOutput(InvocationId id, RunningCommand* running) {
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
  // A wait has no deadline, so it must end after its answer. Other commands may
  // still have work to do.
  const bool hopeless = reader.state() == RecordReader::State::kFailed;
  const bool wait_is_over =
      running->command == Command::kWait &&
      (at_end || reader.state() == RecordReader::State::kComplete);
  if ((hopeless || wait_is_over) && running->linger == 0) {
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

void ForkExec::End(InvocationId id, RunningCommand* running, Ending ending) {
  const Process& process = running->started.process;
  // If the process has ended by itself, the loop is about to call Finish().
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
  RunningCommand running = std::move(it->second);
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
    // Reads the bytes that are in the pipe now. Descendants may hold it open,
    // so it may have no end (D7).
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
    // The process could not be killed. It stays in the journal.
    ReapLater(*loop_, std::move(running.started.process.pidfd));
  } else if (running.slot.has_value()) {
    journal_->Remove(*running.slot);
  }
  // The next command may need its descriptors.
  running.started = StartedCommand();
  // Last: the callback may destroy this object.
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

}  // namespace fork_exec_internal
}  // namespace external_containerizer
