// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The transport itself: commands that wait, start, run and end. The factory is
// in fork_exec.h:
//
//   auto transport = ForkExecTransport(options)(loop);
//
//   Invoke ─▶ waiting_ ─ Start ─▶ running_ ─ its end, or End() ─▶ Finish
//                └ FailSoon ─────────────────────────────────────▶ done

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMANDS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMANDS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/alive.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/file_bound.h"
#include "external_containerizer/transport/fork_exec/answer.h"
#include "external_containerizer/transport/fork_exec/command_starter.h"
#include "external_containerizer/transport/fork_exec/options.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/leftovers.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/journal.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/thread_pool.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"
#include "external_containerizer/transport/session_killer.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {
namespace fork_exec_internal {

// Spawn() blocks until the program is executed, for almost a millisecond on a
// busy machine. Two threads keep two processors busy; more of them get a larger
// share of a machine that is busy with other work.
constexpr size_t kMaxStarterThreads = 4;

// Only on the loop's thread.
class ForkExec : public Transport {
 public:
  using Done = absl::AnyInvocable<void(Answer) &&>;

  ForkExec(EventLoop* loop, ForkExecOptions options, UniqueFd directory,
           CommandLine line, InheritedEnvironment environment,
           std::unique_ptr<Journal> journal)
      : loop_(loop),
        options_(std::move(options)),
        directory_(std::move(directory)),
        program_stderr_(*loop, directory_.get(), kProgramStderr),
        starter_(std::move(line), std::move(environment),
                 options_.work_directory, directory_.get()),
        journal_(std::move(journal)),
        leftovers_(loop, journal_, options_.kill_patience),
        killer_(loop, options_.kill_patience),
        starters_("starter", kMaxStarterThreads) {
    leftovers_.WhenDone([this] {
      begun_ = true;
      for (InvocationId id : std::exchange(queued_, {})) {
        if (waiting_.count(id) > 0) Start(id);
      }
    });
  }
  ~ForkExec() override;

  InvocationId Invoke(Invocation invocation, Done done) override;
  void Cancel(InvocationId id) override;
  size_t MaxWaits() const override;

 private:
  // A command without a process. It waits for leftovers or for another try, or
  // has failed, or is `starting` on a thread. Only that thread uses
  // `invocation` and `started` meanwhile.
  struct WaitingCommand {
    Invocation invocation;
    Done done;
    int busy_tries = 0;
    EventLoop::TimerId timer = 0;  // Set if it is tried again, or has failed.
    bool starting = false;
    bool cancelled = false;  // By Cancel() while it was starting.
    std::optional<absl::StatusOr<StartedCommand>> started;
  };

  // A command with a process.
  struct RunningCommand {
    RunningCommand(Command its_command, Done its_done, StartedCommand its_start,
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
    EventLoop::TimerId deadline = 0;      // Its time is over.
    EventLoop::TimerId linger = 0;        // It should have ended by itself.
    EventLoop::TimerId output_pause = 0;  // Its output is watched from now on.
    bool output_open = false;             // Its output is watched.
    std::optional<Journal::Slot> slot;    // Set for launch and wait.
  };

  // Starts the process, here or on a thread. OnStarted() follows.
  void Start(InvocationId id);
  void OnStarted(InvocationId id, absl::StatusOr<StartedCommand> started);
  // Moves the command from waiting_ to running_.
  RunningCommand& Enter(InvocationId id, StartedCommand started);
  // Ends a command that was not started, from the loop.
  void FailSoon(InvocationId id, absl::Status status);
  void Watch(InvocationId id, RunningCommand* running, absl::Duration timeout);
  void WatchOutput(InvocationId id, RunningCommand* running);
  // Ends a process that the loop cannot watch.
  void EndUnwatched(InvocationId id, RunningCommand* running);
  void Unwatch(RunningCommand* running);
  void ReadOutput(InvocationId id, RunningCommand* running);
  // Kills the process and its session. Finish() follows when they are dead.
  void End(InvocationId id, RunningCommand* running, Ending ending);
  // Answers the command. `ended` is false if its session could not be killed.
  void Finish(InvocationId id, bool ended);
  static ProcessState TakeStatus(const StartedCommand& started,
                                 std::optional<int>* wait_status);

  EventLoop* const loop_;
  const ForkExecOptions options_;
  const UniqueFd directory_;
  const FileBound program_stderr_;
  const CommandStarter starter_;
  const std::shared_ptr<Journal> journal_;
  InvocationId next_id_ = 1;
  // Node-based maps: callbacks hold pointers to the elements.
  std::unordered_map<InvocationId, WaitingCommand> waiting_;
  std::unordered_map<InvocationId, RunningCommand> running_;
  // False while a dead agent's processes are ended. New commands are queued
  // then.
  bool begun_ = false;
  std::vector<InvocationId> queued_;
  Leftovers leftovers_;
  // The number of commands, but for waits, that are starting or running.
  size_t in_flight_ = 0;
  SessionKiller killer_;
  // After the members that its threads use.
  ThreadPool starters_;
  const Alive alive_;
};

}  // namespace fork_exec_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMANDS_H_
