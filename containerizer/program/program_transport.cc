// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/program_transport.h"

#include <unistd.h>

#include <atomic>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/containerizer/program/error_line.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/sandbox_files.h"

namespace external_containerizer {
namespace {

// Few enough to have their stacks, and as many of each kind as an agent lets
// run at once by default: 32, one more destroy, one more of the last kind.
// Waits are meant to keep their replies.
enum Lane : size_t { kDestroys, kListings, kOthers, kWaits };
constexpr size_t kThreads[] = {33, 4, 32, 16};

Lane LaneOf(Command command) {
  switch (command) {
    case Command::kDestroy:
      return kDestroys;
    case Command::kContainers:
    case Command::kRecover:
      return kListings;
    case Command::kWait:
      return kWaits;
    default:
      return kOthers;
  }
}

// The bytes of all commands that no handler has taken.
constexpr size_t kMaxQueuedBytes = size_t{64} << 20;

constexpr size_t kMaxWaits = 100'000;

// The memory of a command that waits for a handler.
size_t BytesOf(const Invocation& invocation) {
  size_t bytes = sizeof(Invocation) + invocation.input.size();
  for (const auto& [name, value] : invocation.environment) {
    bytes += name.size() + value.size();
  }
  if (invocation.sandbox.has_value()) {
    bytes += invocation.sandbox->root.size() + invocation.sandbox->path.size();
  }
  return bytes;
}

Answer NotStarted(absl::Status status) {
  Answer answer;
  answer.outcome = Outcome::kNotStarted;
  answer.status = std::move(status);
  return answer;
}

// Makes both files, as a launch's own process would have them for its stdout
// and stderr.
absl::Status MakeOutputs(const Sandbox& sandbox) {
  const absl::StatusOr<UniqueFd> directory = OpenSandboxForLaunch(sandbox);
  if (!directory.ok()) return directory.status();
  for (const char* name : {"stderr", "stdout"}) {
    absl::Status made = OpenForAppending(directory->get(), name, sandbox.owner,
                                         sandbox.FullPath())
                            .status();
    if (!made.ok()) return made;
  }
  return absl::OkStatus();
}

void AppendError(const Sandbox& sandbox, const std::string& line) {
  const absl::StatusOr<UniqueFd> directory = OpenSandbox(sandbox);
  if (!directory.ok()) return;
  const absl::StatusOr<AppendedFile> file = OpenForAppending(
      directory->get(), "stderr", sandbox.owner, sandbox.FullPath());
  if (!file.ok()) return;
  // The answer tells the error, too, if the disk is full.
  const ssize_t ignored = write(file->fd.get(), line.data(), line.size());
  static_cast<void>(ignored);
}

Answer ToAnswer(Command command, const std::string& name,
                HandlerResult result) {
  Answer answer;
  answer.outcome = Outcome::kAnswered;
  if (result.ok()) {
    answer.output = *std::move(result);
  } else {
    answer.status =
        absl::Status(result.status().code(),
                     absl::StrCat(CommandName(command), " by \"", name,
                                  "\" failed: ", WithCode(result.status())));
    // The wait status of a process of its own.
    if (const std::optional<int> code = ExitCodeOf(result.status())) {
      answer.wait_status = *code << 8;
    }
  }
  return answer;
}

}  // namespace

class ProgramTransport::Outlet {
 public:
  Outlet(ProgramTransport* transport, std::string program)
      : name(std::move(program)), transport_(transport) {}

  void Close() {
    MutexLock lock(&mutex_);
    transport_ = nullptr;
  }

  // Gives `answer` to the transport that `self` leads to.
  static void Put(const std::shared_ptr<Outlet>& self, InvocationId id,
                  Answer answer) {
    MutexLock lock(&self->mutex_);
    if (self->transport_ == nullptr) return;
    self->transport_->loop_.Post([self, id, answer = std::move(answer)]() mutable {
      // Only this thread closes it, so the transport stays for the call.
      ProgramTransport* const transport = self->TransportOnLoop();
      if (transport != nullptr) transport->End(id, std::move(answer));
    });
  }

  const std::string name;  // The program's.
  // The bytes of commands that no handler has taken.
  std::atomic<size_t> queued_bytes{0};

 private:
  ProgramTransport* TransportOnLoop() {
    MutexLock lock(&mutex_);
    return transport_;
  }

  absl::Mutex mutex_;
  ProgramTransport* transport_ ABSL_GUARDED_BY(mutex_);
};

ProgramTransport::ProgramTransport(EventLoop& loop, std::string name,
                                   Program& program)
    : loop_(loop),
      program_(program),
      outlet_(std::make_shared<Outlet>(this, std::move(name))),
      threads_({std::begin(kThreads), std::end(kThreads)}) {}

ProgramTransport::~ProgramTransport() {
  outlet_->Close();
  for (auto& [id, call] : calls_) {
    if (EndsWithItsCaller(call.command)) call.cancellation.Cancel();
  }
}

InvocationId ProgramTransport::Invoke(
    Invocation invocation, absl::AnyInvocable<void(Answer) &&> done) {
  const InvocationId id = next_id_++;
  const Command command = invocation.command;
  Call& call = calls_[id];
  call.done = std::move(done);
  call.command = command;
  if (invocation.input.size() > kMaxInputBytes) {
    EndLater(id, NotStarted(absl::InvalidArgumentError(
                     absl::StrCat("a message of ", invocation.input.size(),
                                  " bytes is too large"
                                  "; the limit is ",
                                  kMaxInputBytes))));
    return id;
  }
  const size_t bytes = BytesOf(invocation);
  if (outlet_->queued_bytes + bytes > kMaxQueuedBytes) {
    EndLater(id, NotStarted(absl::ResourceExhaustedError(
                     absl::StrCat("commands of ", kMaxQueuedBytes,
                                  " bytes wait for a handler already"))));
    return id;
  }
  outlet_->queued_bytes += bytes;
  auto queued = absl::MakeCleanup(
      [outlet = outlet_, bytes] { outlet->queued_bytes -= bytes; });
  const bool accepted =
      threads_.Run(LaneOf(command), id,
                   [id, queued = std::move(queued), outlet = outlet_,
                    cancellation = call.cancellation, program = &program_,
                    invocation = std::move(invocation)]() mutable {
                     std::move(queued).Invoke();
                     Work(outlet, id, cancellation, *program, invocation);
                   });
  if (!accepted) {
    EndLater(id, NotStarted(absl::ResourceExhaustedError(
                     "no thread can be made for a handler")));
  }
  return id;
}

void ProgramTransport::Work(const std::shared_ptr<Outlet>& outlet,
                            InvocationId id, const Cancellation& cancellation,
                            Program& program, Invocation& invocation) {
  const Command command = invocation.command;
  if (cancellation.IsCancelled()) {
    return Outlet::Put(outlet, id,
                       NotStarted(absl::CancelledError("it was cancelled")));
  }
  // To write errors to. Commands that may take long do not keep it.
  std::unique_ptr<Sandbox> sandbox;
  Context context = MakeContext(std::move(invocation.environment));
  context.cancellation = cancellation;
  if (invocation.sandbox.has_value()) {
    context.sandbox = invocation.sandbox->FullPath();
    if (command == Command::kLaunch) {
      absl::Status made = MakeOutputs(*invocation.sandbox);
      if (!made.ok()) {
        return Outlet::Put(
            outlet, id,
            NotStarted(absl::Status(
                made.code(),
                absl::StrCat("launch by \"", outlet->name,
                             "\" was not started: ", made.message()))));
      }
    }
    if (!HasResult(command)) {
      sandbox = std::make_unique<Sandbox>(*std::move(invocation.sandbox));
    }
  }
  Dispatch(command, invocation.input, context, program,
           [outlet, id, command,
            sandbox = std::move(sandbox)](HandlerResult result) {
             if (!result.ok() && sandbox != nullptr) {
               AppendError(*sandbox,
                           ErrorLine(outlet->name,
                                     absl::StrCat(CommandName(command), ": ",
                                                  WithCode(result.status()))) +
                               "\n");
             }
             Outlet::Put(outlet, id,
                         ToAnswer(command, outlet->name, std::move(result)));
           });
}

void ProgramTransport::Cancel(InvocationId id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  // The caller of Cancel() does not wait long for the end.
  if (threads_.Abandon(id)) {
    return EndLater(
        id, NotStarted(absl::CancelledError("no handler was free to take it")));
  }
  // The callbacks may take long, and may need the program's locks.
  const Cancellation cancellation = it->second.cancellation;
  if (HasResult(it->second.command)) {
    Answer answer;
    answer.outcome = Outcome::kEnded;
    answer.status = absl::CancelledError("it was cancelled");
    EndLater(id, std::move(answer));
  }
  cancellation.Cancel();
}

void ProgramTransport::EndLater(InvocationId id, Answer answer) {
  Outlet::Put(outlet_, id, std::move(answer));
}

void ProgramTransport::End(InvocationId id, Answer answer) {
  auto node = calls_.extract(id);
  if (node.empty()) return;  // It replied after it was cancelled.
  answer.program = outlet_->name;
  // This comes last, because it may destroy the transport.
  std::move(node.mapped().done)(std::move(answer));
}

size_t ProgramTransport::MaxWaits() const { return kMaxWaits; }

}  // namespace external_containerizer
