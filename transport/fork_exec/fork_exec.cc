// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/fork_exec.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/fork_exec/answer.h"
#include "external_containerizer/transport/fork_exec/command_line.h"
#include "external_containerizer/transport/fork_exec/command_starter.h"
#include "external_containerizer/transport/fork_exec/inherited_environment.h"
#include "external_containerizer/transport/fork_exec/journal.h"
#include "external_containerizer/transport/fork_exec/process.h"
#include "external_containerizer/transport/fork_exec/session_killer.h"
#include "external_containerizer/transport/fork_exec/starter_threads.h"
#include "external_containerizer/transport/record_io.h"
#include "external_containerizer/transport/unique_fd.h"

namespace external_containerizer {
namespace {

// What a program may write beyond the largest record before it is ended.
constexpr uint64_t kMaxExcess = uint64_t{64} << 20;

// A program that is being replaced is "busy" for an instant.
constexpr int kMaxBusyTries = 20;
constexpr absl::Duration kBusyPause = absl::Milliseconds(50);

// How long the destructor waits for what it kills, to leave no zombies.
constexpr absl::Duration kLastPatience = absl::Milliseconds(500);

// Two keep a processor each busy; more get a share of a machine that is.
constexpr size_t kMaxStarterThreads = 4;

// Most commands end soon, and what they wrote is in the pipe then: to look at
// it before is a wake-up for nothing. Who writes more than a pipe holds, or
// stays, is read from after this.
constexpr absl::Duration kOutputPause = absl::Milliseconds(5);

// For everything but waits.
constexpr rlim_t kReservedDescriptors = 256;

using Done = absl::AnyInvocable<void(Answer) &&>;

class ForkExec : public Transport {
 public:
  ForkExec(EventLoop* loop, ForkExecOptions options, UniqueFd directory,
           CommandLine line, InheritedEnvironment environment,
           std::unique_ptr<Journal> journal)
      : loop_(loop),
        options_(std::move(options)),
        directory_(std::move(directory)),
        starter_(std::move(line), std::move(environment),
                 options_.work_directory, directory_.get()),
        journal_(std::move(journal)),
        killer_(loop, options_.kill_patience),
        threads_(kMaxStarterThreads) {
    EndLeftovers();
  }
  ~ForkExec() override;

  InvocationId Invoke(Invocation invocation, Done done) override;
  void Cancel(InvocationId id) override;
  size_t MaxWaits() const override;

 private:
  // A command that has no process: it has to wait, or has failed already, or
  // is `starting` on a thread, which then is the only one to touch
  // `invocation` and `started`.
  struct Waiting {
    Invocation invocation;
    Done done;
    int busy_tries = 0;
    std::optional<EventLoop::TimerId> timer;
    bool starting = false;
    bool cancelled = false;  // While it was starting.
    std::optional<absl::StatusOr<StartedCommand>> started;
  };

  struct Running {
    Running(Command its_command, Done its_done, StartedCommand its_start,
            size_t max_output_bytes)
        : command(its_command),
          done(std::move(its_done)),
          started(std::move(its_start)),
          reader(max_output_bytes) {}

    Command command;
    Done done;
    StartedCommand started;
    RecordReader reader;
    Ending ending = Ending::kByItself;
    std::optional<EventLoop::TimerId> deadline;
    std::optional<EventLoop::TimerId> linger;
    std::optional<EventLoop::TimerId> output_pause;
    bool output_open = false;
    std::optional<Journal::Slot> slot;
  };

  void EndLeftovers();
  void Start(InvocationId id);
  void Started(InvocationId id, absl::StatusOr<StartedCommand> started);
  Running& Enter(InvocationId id, StartedCommand started);
  void FailSoon(InvocationId id, absl::Status status);
  void Watch(InvocationId id, Running* running, absl::Duration timeout);
  void WatchOutput(InvocationId id, Running* running);
  void EndUnwatched(InvocationId id, Running* running);
  void Unwatch(Running* running);
  void WriteInput(Running* running);
  void ReadOutput(InvocationId id, Running* running);
  void End(InvocationId id, Running* running, Ending ending);
  void Finish(InvocationId id, bool ended);
  static ProcessState TakeStatus(const StartedCommand& started,
                                 std::optional<int>* wait_status);
  void Abandon(Process process, std::optional<Journal::Slot> slot);

  EventLoop* const loop_;
  const ForkExecOptions options_;
  const UniqueFd directory_;
  const CommandStarter starter_;
  const std::unique_ptr<Journal> journal_;
  InvocationId next_id_ = 1;
  // Their elements stay where they are while others come and go.
  std::unordered_map<InvocationId, Waiting> waiting_;
  std::unordered_map<InvocationId, Running> running_;
  // By pid: what could not be ended, until it ends after all.
  std::unordered_map<pid_t, Process> abandoned_;
  // Commands that arrive meanwhile are `queued_`.
  std::vector<Journal::Leftover> leftovers_;
  size_t leftovers_alive_ = 0;
  std::vector<InvocationId> queued_;
  // Of commands that have begun to start: all but waits.
  size_t in_flight_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  SessionKiller killer_;
  // Last: its threads use the others.
  StarterThreads threads_;
};

ForkExec::~ForkExec() {
  *alive_ = false;
  threads_.Stop();
  std::vector<InvocationId> starting;
  for (auto& [id, waiting] : waiting_) {
    if (waiting.started.has_value() && waiting.started->ok()) {
      starting.push_back(id);
    }
  }
  for (InvocationId id : starting) {
    Enter(id, **std::move(waiting_.at(id).started));
  }
  queued_.clear();
  for (auto& [id, waiting] : waiting_) {
    if (waiting.timer.has_value()) loop_->CancelTimer(*waiting.timer);
  }
  for (auto& [pid, process] : abandoned_) loop_->Unwatch(process.pidfd.get());
  const bool is_child = !ChildrenVanish();
  for (auto& [id, running] : running_) {
    Unwatch(&running);
    const bool to_end =
        HasResult(running.command) || running.ending != Ending::kByItself;
    if (!to_end || !running.started.process.pidfd.valid()) continue;
    // If it is being ended already this takes the place of that.
    Running* const last = &running;
    killer_.Kill(last->started.process.pid, last->started.process.pidfd.get(),
                 is_child, [this, last](bool) {
                   std::optional<int> wait_status;
                   TakeStatus(last->started, &wait_status);
                   if (last->slot.has_value()) journal_->Remove(*last->slot);
                 });
  }
  killer_.Finish(kLastPatience);
}

void ForkExec::EndLeftovers() {
  leftovers_ = journal_->TakeLeftovers();
  leftovers_alive_ = leftovers_.size();
  for (const Journal::Leftover& leftover : leftovers_) {
    const int pidfd = leftover.pidfd.get();
    siginfo_t info;
    const bool is_child =
        !ChildrenVanish() && waitid(P_PIDFD, static_cast<id_t>(pidfd), &info,
                                    WEXITED | WNOHANG | WNOWAIT) == 0;
    killer_.Kill(leftover.pid, pidfd, is_child,
                 [this, slot = leftover.slot, pidfd](bool ended) {
                   std::optional<int> wait_status;
                   Reap(pidfd, &wait_status);
                   // What is still there is left to the next transport.
                   if (ended) journal_->Remove(slot);
                   if (--leftovers_alive_ > 0) return;
                   leftovers_.clear();
                   for (InvocationId id : std::exchange(queued_, {})) {
                     if (waiting_.count(id) > 0) Start(id);
                   }
                 });
  }
}

InvocationId ForkExec::Invoke(Invocation invocation, Done done) {
  const InvocationId id = next_id_++;
  Waiting waiting;
  waiting.invocation = std::move(invocation);
  waiting.done = std::move(done);
  const auto it = waiting_.emplace(id, std::move(waiting)).first;
  if (it->second.invocation.input.size() > kMaxInputBytes) {
    FailSoon(id, absl::InvalidArgumentError(absl::StrCat(
                     "a record of ", it->second.invocation.input.size(),
                     " bytes is too large; the limit is ", kMaxInputBytes)));
  } else if (leftovers_alive_ > 0) {
    queued_.push_back(id);
  } else {
    Start(id);
  }
  return id;
}

void ForkExec::Start(InvocationId id) {
  Waiting& waiting = waiting_.at(id);
  if (waiting.timer.has_value()) return;  // It was cancelled meanwhile.
  const Command command = waiting.invocation.command;
  if (command != Command::kWait) ++in_flight_;
  // Usage is what comes in masses, and nothing is lost with one that is
  // forgotten; but for who is alone a thread is a detour. Without a sandbox,
  // a file is shared that only one may put aside.
  if (in_flight_ <= 1 || command != Command::kUsage ||
      !waiting.invocation.sandbox.has_value()) {
    Started(id, starter_.Start(&waiting.invocation));
    return;
  }
  waiting.starting = true;
  threads_.Run([this, id, waiting = &waiting, alive = alive_] {
    waiting->started = starter_.Start(&waiting->invocation);
    loop_->Post([this, id, alive] {
      if (!*alive) return;
      Waiting& started = waiting_.at(id);
      started.starting = false;
      Started(id, *std::exchange(started.started, std::nullopt));
    });
  });
}

void ForkExec::Started(InvocationId id,
                       absl::StatusOr<StartedCommand> started) {
  Waiting& waiting = waiting_.at(id);
  const Command command = waiting.invocation.command;
  if (!started.ok()) {
    if (command != Command::kWait) --in_flight_;
    if (waiting.cancelled) {
      FailSoon(id, absl::CancelledError("it was cancelled"));
    } else if (absl::IsUnavailable(started.status()) &&
               ++waiting.busy_tries < kMaxBusyTries) {
      waiting.timer = loop_->RunAfter(kBusyPause, [this, id] {
        waiting_.at(id).timer.reset();
        Start(id);
      });
    } else {
      FailSoon(id, started.status());
    }
    return;
  }
  const absl::Duration timeout = waiting.invocation.timeout;
  const bool cancelled = waiting.cancelled;
  Running& running = Enter(id, *std::move(started));
  const Process& process = running.started.process;
  if (command == Command::kLaunch || command == Command::kWait) {
    // A full disk is no reason not to run it.
    running.slot = journal_->Add(process.pid);
  }
  if (options_.on_started) options_.on_started(command, process.pid);
  Watch(id, &running, timeout);
  if (cancelled) End(id, &running, Ending::kCancelled);
}

ForkExec::Running& ForkExec::Enter(InvocationId id, StartedCommand started) {
  const auto waiting = waiting_.find(id);
  Running& running =
      running_
          .emplace(std::piecewise_construct, std::forward_as_tuple(id),
                   std::forward_as_tuple(waiting->second.invocation.command,
                                         std::move(waiting->second.done),
                                         std::move(started),
                                         options_.max_output_bytes))
          .first->second;
  waiting_.erase(waiting);
  return running;
}

void ForkExec::FailSoon(InvocationId id, absl::Status status) {
  Waiting& waiting = waiting_.at(id);
  if (waiting.timer.has_value()) loop_->CancelTimer(*waiting.timer);
  Answer answer;
  answer.outcome = Outcome::kNotStarted;
  answer.status = absl::Status(
      status.code(), absl::StrCat(CommandName(waiting.invocation.command),
                                  " by \"", absl::CHexEscape(options_.program),
                                  "\" was not started: ", status.message()));
  waiting.timer = loop_->RunAfter(
      absl::ZeroDuration(), [this, id, answer = std::move(answer)]() mutable {
        Done done = std::move(waiting_.at(id).done);
        waiting_.erase(id);
        std::move(done)(std::move(answer));
      });
}

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

size_t ForkExec::MaxWaits() const {
  struct rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  const rlim_t each = ChildrenVanish() ? 3 : 2;
  return limit.rlim_cur <= kReservedDescriptors + each
             ? 1
             : static_cast<size_t>((limit.rlim_cur - kReservedDescriptors) /
                                   each);
}

absl::StatusOr<std::unique_ptr<Transport>> Create(EventLoop& loop,
                                                  ForkExecOptions options) {
  const InheritedEnvironment environment(environ, options.inherit.has_value()
                                                      ? *options.inherit
                                                      : DefaultInherited());
  std::unique_ptr<char, decltype(&free)> current(getcwd(nullptr, 0), &free);
  absl::StatusOr<CommandLine> line =
      ParseProgram(options.program, environment.Get("PATH"),
                   current == nullptr ? "/" : current.get());
  if (!line.ok()) return line.status();
  UniqueFd directory(
      open(options.work_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot use the work directory \"",
        absl::CHexEscape(options.work_directory), "\": ", strerror(errno)));
  }
  absl::StatusOr<std::unique_ptr<Journal>> journal =
      Journal::Open(directory.get(), options.work_directory);
  if (!journal.ok()) return journal.status();
  return std::make_unique<ForkExec>(&loop, std::move(options),
                                    std::move(directory), *std::move(line),
                                    environment, *std::move(journal));
}

}  // namespace

TransportFactory ForkExecTransport(ForkExecOptions options) {
  return [options = std::move(options)](EventLoop& loop) mutable {
    return Create(loop, std::move(options));
  };
}

}  // namespace external_containerizer
