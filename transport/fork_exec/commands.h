// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The transport itself: which commands wait, start, run and end. The factory
// is in fork_exec.h.
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
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/fork_exec/answer.h"
#include "external_containerizer/transport/fork_exec/command_starter.h"
#include "external_containerizer/transport/fork_exec/options.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/leftovers.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/journal.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/linux/thread_pool.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"
#include "external_containerizer/transport/session_killer.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {
namespace fork_exec_internal {

// posix_spawn() keeps its caller waiting until the program is executed, most of
// a millisecond on a busy machine. Two threads keep a processor each busy; more
// get a share of a machine that is.
constexpr size_t kMaxStarterThreads = 4;

class ForkExec : public Transport {
 public:
  using Done = absl::AnyInvocable<void(Answer) &&>;

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
        starters_("starter", kMaxStarterThreads) {
    leftovers_alive_ = EndLeftovers(*journal_, killer_, [this] {
      leftovers_alive_ = false;
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
  // A dead agent's processes. Commands that arrive meanwhile are `queued_`.
  bool leftovers_alive_ = false;
  std::vector<InvocationId> queued_;
  // Of commands that have begun to start: all but waits.
  size_t in_flight_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  SessionKiller killer_;
  // Last: its threads use the others.
  ThreadPool starters_;
};

}  // namespace fork_exec_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMANDS_H_
