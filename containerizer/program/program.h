// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// An external containerizer program, as its author writes it: a class with a
// handler for each command, and a main() of one line.
//
//   class MyProgram : public Program {
//     void Launch(const wire::Launch& launch, const Context& context,
//                 Reply<void> reply) override {
//       std::move(reply)(Start(launch.container_id().value()));
//     }
//     ...  // Wait and Destroy. The others have defaults.
//   };
//   int main(int argc, char** argv) {
//     MyProgram program;
//     return ProgramMain(argc, argv, program);
//   }
//
// The agent runs `my_program launch`, `my_program wait` and so on, one process
// for each command, and several at once. Or it runs `my_program serve
// --socket=PATH`, one process for all commands, which may be killed and started
// again at any time. So a program must keep what it knows of its containers on
// disk or in its runtime, not in the object. posix/posix_program.h is a
// complete example.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_PROGRAM_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_PROGRAM_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"

namespace external_containerizer {

// Whether the agent has given up a command. Copies are about the same command.
// Thread-safe.
class Cancellation {
 public:
  Cancellation();

  bool IsCancelled() const;

  // Calls `callback` once when the command is cancelled, on the thread that
  // cancels it, or at once if it is cancelled already. While a copy of the
  // Context exists, the callback may be called even after the reply was given.
  void OnCancelled(absl::AnyInvocable<void() &&> callback) const;

  // For the host of the program.
  void Cancel() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The surroundings of a command. May be copied and kept.
struct Context {
  // All variables of the command. A handler must not use getenv(), since one
  // process may serve many commands.
  std::map<std::string, std::string> environment;
  // The container's working directory, absolute; empty for containers and
  // recover. If the agent does not know the container's sandbox, as for an
  // orphan, it may be another directory, or empty.
  std::string sandbox;
  // MESOS_WORK_DIRECTORY, which tells the agents of one machine apart. Empty if
  // the agent sets none.
  std::string work_directory;
  Cancellation cancellation;
};

// The answer to one command, to be given exactly once, in the handler or later,
// from any thread. A reply that is dropped answers with an INTERNAL error. T is
// void or a message.
template <typename T>
class Reply {
 public:
  using Answer = std::conditional_t<
      std::is_void_v<T>, absl::Status,
      absl::StatusOr<std::conditional_t<std::is_void_v<T>, char, T>>>;

  // `send` is called once.
  explicit Reply(absl::AnyInvocable<void(Answer) &&> send)
      : send_(std::move(send)) {}
  Reply(Reply&& other) noexcept : send_(std::exchange(other.send_, nullptr)) {}
  Reply& operator=(Reply&& other) noexcept {
    if (this != &other) {
      Drop();
      send_ = std::exchange(other.send_, nullptr);
    }
    return *this;
  }
  ~Reply() { Drop(); }

  // The message of an error need name neither command nor container: the host
  // puts them in front.
  void operator()(Answer answer) && {
    if (send_) std::exchange(send_, nullptr)(std::move(answer));
  }

 private:
  void Drop() {
    if (send_) {
      std::exchange(send_,
                    nullptr)(absl::InternalError("handler dropped its reply"));
    }
  }

  absl::AnyInvocable<void(Answer) &&> send_;
};

// One handler for each command. Messages arrive complete, and container ids are
// fit to be names of files. Handlers may be called on several threads at once,
// even for one container: agents call `wait` while they call `usage`.
//
// A command may overtake another one for the same container. An agent sends
// nothing else while `launch` runs. But it may send `destroy` soon after
// `wait`, and then Destroy() may be over before Wait() is called. So Wait() for
// an unknown container must fail at once, best with NOT_FOUND. The agent then
// knows that no Termination will come.
//
// `request` and `context` belong to the caller, and live as long as the call.
class Program {
 public:
  virtual ~Program() = default;

  // Starts a container; OK when it runs. A Destroy() ends what a failed launch
  // may have left. If the container's command does not exist, or cannot be
  // executed, the error should have that exit code (exit_code.h).
  virtual void Launch(const wire::Launch& request, const Context& context,
                      Reply<void> reply) = 0;

  // The container may use `request.resources()` from now on. The default does
  // nothing, and is OK.
  virtual void Update(const wire::Update& request, const Context& context,
                      Reply<void> reply);

  // Replies with what the container uses, or with nullopt if that is not known
  // now. The default is nullopt.
  virtual void Usage(const wire::Usage& request, const Context& context,
                     Reply<std::optional<wire::ResourceStatistics>> reply);

  // Replies with how the container ended (wire::MakeTermination()), as soon as
  // it has ended, and also if that was long ago, until Destroy(). An error if
  // the container is unknown. It should keep `reply` rather than block. If it
  // blocks, it must end when `context.cancellation` is cancelled.
  virtual void Wait(const wire::Wait& request, const Context& context,
                    Reply<wire::Termination> reply) = 0;

  // Ends the container, if it runs, and forgets it; OK when none of its
  // processes is left. It is OK for an unknown container, too: agents ask
  // again.
  virtual void Destroy(const wire::Destroy& request, const Context& context,
                       Reply<void> reply) = 0;

  // Replies with all containers that were launched and not destroyed, including
  // the ones that have ended. The default is none; an agent then destroys no
  // orphans.
  virtual void Containers(const Context& context,
                          Reply<wire::Containers> reply);

  // The first call of an agent that starts. The default is OK.
  virtual void Recover(const Context& context, Reply<void> reply);
};

// Hosts `program` for the one command that the arguments name, or, with
// `serve`, for all commands that come to a socket (serve.h). Returns the exit
// code for main():
//
//   0  The command has succeeded.
//   1  It has failed, and a line on stderr says why. An error with an exit code
//      of its own (exit_code.h) returns that instead.
//   2  The arguments make no sense. `--help` lists the ones that do.
//
// With `serve`, handlers run on a bounded number of threads: 33 for destroy, 4
// for containers and recover, 32 for launch, update and usage, and 16 for wait.
// A Wait() that blocks keeps a thread and must watch Context::cancellation,
// because nothing else ends it. Handlers that go on after their command was
// cancelled may keep as many threads again, and no more. `serve` also raises
// the soft limit on descriptors to the hard one; a child of a handler should
// have DescriptorLimitToPassOn().
int ProgramMain(int argc, char** argv, Program& program);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_PROGRAM_H_
