// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How one command reaches the external containerizer program and how its
// answer comes back. Bytes in, bytes out: a transport knows no container.
//
//   caller ── Invocation ──▶ Transport ──▶ program
//      ▲                         │
//      └───────── Answer ────────┘
//
// Everything here happens on the thread of one EventLoop.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TRANSPORT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TRANSPORT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"

namespace external_containerizer {

// What a program can be told to do (Mesos 0.19–1.0).
enum class Command : uint8_t {
  kLaunch,
  kUpdate,
  kUsage,
  kWait,
  kDestroy,
  kContainers,
  kRecover,
};

// The command's name on the wire: the program's argument, e.g. "launch".
absl::string_view CommandName(Command command);

// Whether the program answers with a record: usage, wait and containers.
bool HasResult(Command command);

// Whether a command is of no use once nobody waits for its end, so that it is
// ended then: usage, wait and containers, and recover, which the next agent
// asks for again.
bool EndsWithItsCaller(Command command);

// The largest `Invocation::input`, the same for every transport, so that what
// one can carry every other can too.
inline constexpr size_t kMaxInputBytes = (4u << 20) - (4u << 10);

// A container's working directory. Programs and tasks can write below `root`,
// so `path` is only ever resolved beneath it, without following a link.
struct Sandbox {
  struct Owner {
    uid_t uid;
    gid_t gid;
  };

  std::string root;  // Absolute; only the agent can write to it.
  std::string path;  // Relative to `root`, at least one component, no "..".
  std::optional<Owner> owner;  // Of files that we make in it.
  // SandboxIdentity() of the directory as the agent made it. `launch` is not
  // started in any other. Empty: whatever directory is there.
  std::string identity = {};

  std::string FullPath() const { return root + "/" + path; }
};

using Environment = std::map<std::string, std::string>;

// One command to the program.
struct Invocation {
  Command command = Command::kRecover;
  // One serialized message; empty for containers and recover.
  std::string input;
  std::optional<Sandbox> sandbox;
  // The variables of the protocol. They win over what the transport was
  // configured to inherit (D20).
  Environment environment;
  // Sending and answering; enforced by the transport and nowhere else.
  absl::Duration timeout = absl::InfiniteDuration();
};

// What is known of a command that is over.
enum class Outcome {
  kAnswered,    // The program did the command, or said that it could not.
  kNotStarted,  // The program never saw the command.
  kEnded,       // It saw the command and ended, or was ended, unanswered.
  kUnknown,     // It may or may not have done it; it may still be at it.
};

// How a command ended. `output` is to be judged before `status`: a program
// may answer `wait` well and then exit with the task's code (D21).
struct Answer {
  Outcome outcome = Outcome::kUnknown;
  // The one record that the program wrote, without its length; nullopt if it
  // wrote none. May be present together with an error in `status`.
  std::optional<std::string> output;
  // waitpid() status of the command's process; nullopt where the program has
  // no process per command, or where somebody else reaped it.
  std::optional<int> wait_status;
  // OK if the command succeeded as far as a transport can tell: exit 0, and
  // no garbage in place of a record. Otherwise what failed, of which program,
  // why, and what it said on stderr, escaped and bounded:
  //   INTERNAL             the program failed (exit status, signal)
  //   DATA_LOSS            it wrote something that is no record
  //   DEADLINE_EXCEEDED    `timeout` passed; it was ended
  //   FAILED_PRECONDITION  it cannot be executed
  //   UNAVAILABLE          it cannot be reached now; try again
  //   RESOURCE_EXHAUSTED   no process, descriptor or memory to start it
  //   INVALID_ARGUMENT     the invocation itself is not one (sizes, NULs)
  //   CANCELLED            Cancel() was called
  absl::Status status;
  // Which program it was, as the operator knows it: for messages of those who
  // find fault with `output`. Empty if there is no telling.
  std::string program = {};
  // An oddity of a good `output` that does no harm. Empty: none.
  std::string remark = {};
};

using InvocationId = uint64_t;

// Carries commands. Created, used and destroyed on the loop's thread.
class Transport {
 public:
  // Destruction forgets every `done` that is outstanding, uncalled. It kills
  // running wait, usage, containers and recover commands; launch, update and
  // destroy are left to finish by themselves.
  virtual ~Transport() = default;

  // Starts a command. `done` is called exactly once, on the loop, never inside
  // Invoke() or Cancel(). Ids are never reused.
  virtual InvocationId Invoke(Invocation invocation,
                              absl::AnyInvocable<void(Answer) &&> done) = 0;

  // Ends a command. Its `done` is called when the command has provably ended,
  // or after 5 s with kUnknown. No effect on one that is over.
  virtual void Cancel(InvocationId id) = 0;

  // How many `wait` commands fit at once, e.g. by the descriptor limit.
  virtual size_t MaxWaits() const = 0;
};

// Makes a transport on a loop; called once, on the loop's thread.
using TransportFactory =
    absl::AnyInvocable<absl::StatusOr<std::unique_ptr<Transport>>(
                           EventLoop& loop) &&>;

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TRANSPORT_H_
