// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Carries one command to the external containerizer program, and its answer
// back. A transport handles bytes and knows nothing of containers.
//
//   caller ── Invocation ──▶ Transport ──▶ program
//      ▲                         │
//      └───────── Answer ────────┘
//
//   Invocation invocation;
//   invocation.command = Command::kUsage;
//   invocation.input = usage.SerializeAsString();
//   invocation.timeout = absl::Seconds(5);
//   transport.Invoke(std::move(invocation), [](Answer answer) {
//     if (!answer.status.ok()) LOG(ERROR) << answer.status;
//   });
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

// The commands of the protocol (Mesos 0.19–1.0).
enum class Command : uint8_t {
  kLaunch,
  kUpdate,
  kUsage,
  kWait,
  kDestroy,
  kContainers,
  kRecover,
};

// Returns the program's argument for a command, for example "launch".
absl::string_view CommandName(Command command);

// Whether the program answers with a record: usage, wait and containers.
bool HasResult(Command command);

// Whether a command is useless once nobody waits for its answer, so that it is
// ended then: usage, wait and containers, and recover, which the next agent
// repeats.
bool EndsWithItsCaller(Command command);

// The largest `Invocation::input`. It is the same for every transport, so that
// a change of transport makes no message too large.
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
  std::optional<Owner> owner;  // The owner of files that a transport makes.
  // SandboxIdentity() of the directory that the agent made. `launch` is started
  // in no other directory, but in any if this is empty.
  std::string identity = {};

  std::string FullPath() const { return root + "/" + path; }
};

using Environment = std::map<std::string, std::string>;

// One command to the program.
struct Invocation {
  Command command = Command::kRecover;
  // One serialized message. Empty for containers and recover.
  std::string input;
  std::optional<Sandbox> sandbox;
  // The variables of the protocol. They win over inherited ones (D20).
  Environment environment;
  // The time for sending and answering. Only the transport enforces it.
  absl::Duration timeout = absl::InfiniteDuration();
};

// Whether the program did a command that is over.
enum class Outcome {
  kAnswered,    // The program did the command, or said that it could not.
  kNotStarted,  // The program never saw the command.
  kEnded,       // It saw the command and ended, or was ended, unanswered.
  kUnknown,     // It may or may not have done it; it may still be at it.
};

// The end of a command. A caller looks at `output` before `status`: a program
// may answer `wait` correctly and then exit with the task's code (D21).
struct Answer {
  Outcome outcome = Outcome::kUnknown;
  // The payload of the one record that the program wrote, or nullopt if it
  // wrote none. A record may come together with an error in `status`.
  std::optional<std::string> output;
  // The waitpid() status of the command's process, or nullopt if the program
  // has no process per command, or other code has reaped the process.
  std::optional<int> wait_status;
  // OK if the process exited with 0 and wrote no garbage. Otherwise the message
  // names the command, the program and the reason, and quotes the end of
  // stderr, escaped:
  //   INTERNAL             the program failed (exit status, signal)
  //   DATA_LOSS            it wrote bytes that are not a record
  //   DEADLINE_EXCEEDED    `timeout` passed; it was ended
  //   FAILED_PRECONDITION  it cannot be executed
  //   UNAVAILABLE          it cannot be reached now; try again
  //   RESOURCE_EXHAUSTED   no process, descriptor or memory to start it
  //   INVALID_ARGUMENT     the invocation itself is not one (sizes, NULs)
  //   CANCELLED            Cancel() was called
  absl::Status status;
  // The program as the operator named it, for messages about a bad `output`.
  // Empty if the transport does not know it.
  std::string program = {};
  // A harmless oddity of a good `output`, in words. Empty if it has none.
  std::string remark = {};
};

using InvocationId = uint64_t;

// Carries commands. Created, used and destroyed on the loop's thread.
class Transport {
 public:
  // Destroys every outstanding `done` uncalled. Kills running wait, usage,
  // containers and recover commands; launch, update and destroy go on without
  // the transport. Never blocks.
  virtual ~Transport() = default;

  // Starts a command, and calls `done` exactly once, from the loop, never
  // inside Invoke() or Cancel(). Ids are never reused.
  virtual InvocationId Invoke(Invocation invocation,
                              absl::AnyInvocable<void(Answer) &&> done) = 0;

  // Ends a command. Its `done` is called when the command has provably ended,
  // or after 5 s with kUnknown. No effect on a command that is over.
  virtual void Cancel(InvocationId id) = 0;

  // How many `wait` commands can run at once, for example within the limit of
  // descriptors.
  virtual size_t MaxWaits() const = 0;
};

// Makes a transport on a loop. Is called once, on the loop's thread.
using TransportFactory =
    absl::AnyInvocable<absl::StatusOr<std::unique_ptr<Transport>>(
                           EventLoop& loop) &&>;

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TRANSPORT_H_
