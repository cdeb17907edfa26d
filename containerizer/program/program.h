// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What the author of an external containerizer program writes: a class with a
// handler per command, and a main() of one line.
//
//   class MyProgram : public Program {
//     void Launch(const wire::Launch& launch, const Context& context,
//                 Reply<void> reply) override {
//       std::move(reply)(Start(launch.container_id().value()));
//     }
//     ...  // Wait and Destroy; the others have defaults
//   };
//   int main(int argc, char** argv) {
//     MyProgram program;
//     return ProgramMain(argc, argv, program);
//   }
//
// The agent runs `my_program launch`, `my_program wait`, ...: one process per
// command, several at once; or `my_program serve --socket=PATH`, one process
// for all commands, that may be killed and started anew at any time. So what a
// program knows of its containers belongs on disk or in its runtime, not in the
// object. `posix/posix_program.h` is a whole example.

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

// Whether the agent has lost interest in a command. Copies speak of the same
// command. Thread-safe.
class Cancellation {
 public:
  Cancellation();

  bool Cancelled() const;

  // Calls `callback` once when the command is cancelled, on the thread that
  // cancels it; at once if it is already. It may be called after the reply was
  // given, if a copy of the Context is still around.
  void OnCancelled(absl::AnyInvocable<void() &&> callback) const;

  // For who hosts the program.
  void Cancel() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Where a command comes from. May be copied and kept.
struct Context {
  // All variables of the command; what getenv() would say is not for handlers,
  // since one process may serve many commands.
  std::map<std::string, std::string> environment;
  // The container's working directory, absolute; empty for containers and
  // recover. Of a container whose sandbox the agent does not know (an orphan)
  // it may be another directory, or empty.
  std::string sandbox;
  // MESOS_WORK_DIRECTORY: tells agents on one machine apart. Empty if the
  // agent sets none.
  std::string work_directory;
  // MESOS_LIBEXEC_DIRECTORY: where the agent's helpers are, or empty.
  std::string libexec_directory;
  Cancellation cancellation;
};

// The answer to one command, to be given exactly once: from inside the handler
// or later, from any thread. A reply that is dropped answers with an INTERNAL
// error; only the first answer counts. T is void or a message.
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

  // An error's message need name neither command nor container: whoever hosts
  // the program puts them in front.
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

// One handler per command. Messages arrive complete, with container ids that
// are fit to be a file's name. Handlers may be called from several threads at
// once, also for one container: agents call `wait` while they call `usage`.
//
// In both hostings a command may overtake another one of the same container.
// An agent sends nothing else while `launch` runs. But it may send `destroy`
// soon after `wait`, and Destroy() may then be called, and be over, before
// Wait() is. So a Wait() for a container that is not known must fail at once,
// best with NOT_FOUND; the agent then knows that no Termination will come.
//
// `request` and `context` are the caller's and only live as long as the call.
class Program {
 public:
  virtual ~Program() = default;

  // Starts a container; OK when it runs. What is left of a launch that failed
  // is ended by a Destroy. An error because the container's command is not
  // there, or cannot be executed, should have that exit code (exit_code.h).
  virtual void Launch(const wire::Launch& request, const Context& context,
                      Reply<void> reply) = 0;

  // The container may use `resources` from now on. Default: OK.
  virtual void Update(const wire::Update& request, const Context& context,
                      Reply<void> reply);

  // What the container uses; nullopt if nothing is known now (the default).
  virtual void Usage(const wire::Usage& request, const Context& context,
                     Reply<std::optional<wire::ResourceStatistics>> reply);

  // How the container ended, as soon as it has (wire::MakeTermination()); also
  // if it has already, until Destroy; an error if it is not known. Should keep
  // `reply` rather than block; if it blocks, then only until
  // `context.cancellation` is cancelled.
  virtual void Wait(const wire::Wait& request, const Context& context,
                    Reply<wire::Termination> reply) = 0;

  // Ends the container, if it runs, and forgets it; OK when no process of it
  // is left. OK also for a container that is not known: agents ask again.
  virtual void Destroy(const wire::Destroy& request, const Context& context,
                       Reply<void> reply) = 0;

  // All containers launched and not yet destroyed, ended ones too. Default:
  // none, and then an agent destroys no orphans.
  virtual void Containers(const Context& context,
                          Reply<wire::Containers> reply);

  // Called first when an agent starts. Default: OK.
  virtual void Recover(const Context& context, Reply<void> reply);
};

// Hosts `program` for the one command that the arguments name, or for all that
// come to a socket (`serve`, see serve.h), and returns what main() should: 0;
// 1, or the error's exit code (exit_code.h), after an error, with a line on
// stderr that says which; 2 for arguments that it does not understand. `--help`
// lists them. While it serves, a handler runs on one of a bounded number of
// threads: at once at most 33 destroy, 4 of containers and recover, 32 of
// launch, update and usage. A Wait() that blocks, rather than to keep its
// reply, keeps one of 16 and must watch Context::cancellation: nobody else ends
// it. Of handlers that stay after their command was cancelled, as many again
// have threads, and no more. The soft limit on descriptors is then the hard
// one; what a handler executes should have DescriptorLimitToPassOn().
int ProgramMain(int argc, char** argv, Program& program);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_PROGRAM_H_
