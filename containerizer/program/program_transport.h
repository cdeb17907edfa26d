// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A Program in this process as a Transport. Its handlers run on a bounded
// number of threads, and a reply that is kept costs no thread. Handlers that
// block keep no destroy, containers or recover from running.
//
// A command finds what it would find as a process of its own: its environment,
// without this process's, and its sandbox. For launch the files `stdout` and
// `stderr` are made in the sandbox. Errors are appended to that `stderr`, too.
//
//   ProgramTransport transport(loop, "my_program", program);
//   transport.Invoke(std::move(invocation), [](Answer answer) { ... });

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_PROGRAM_TRANSPORT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_PROGRAM_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "external_containerizer/containerizer/program/dispatch.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/program/worker_threads.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

class ProgramTransport : public Transport {
 public:
  // `name` is the program's, for messages. `program` must outlive this and
  // every reply that it keeps.
  ProgramTransport(EventLoop& loop, std::string name, Program& program);

  // Waits for the handlers that are running.
  ~ProgramTransport() override;

  // Does not enforce `invocation.timeout`, because a handler cannot be ended.
  // The caller must Cancel().
  InvocationId Invoke(Invocation invocation,
                      absl::AnyInvocable<void(Answer) &&> done) override;

  // Tells the handler, through its Context. wait, usage and containers then end
  // at once, and their replies are ignored. The others end when they reply. A
  // command that no handler has taken was not started.
  void Cancel(InvocationId id) override;

  size_t MaxWaits() const override;

 private:
  // Leads replies, on any thread, to the loop for as long as the transport
  // exists.
  class Outlet;

  struct Call {
    absl::AnyInvocable<void(Answer) &&> done;
    Cancellation cancellation;
    Command command;
  };

  // On a worker's thread.
  static void Work(const std::shared_ptr<Outlet>& outlet, InvocationId id,
                   const Cancellation& cancellation, Program& program,
                   Invocation& invocation);
  void EndLater(InvocationId id, Answer answer);
  void End(InvocationId id, Answer answer);

  EventLoop& loop_;
  Program& program_;
  InvocationId next_id_ = 1;
  absl::flat_hash_map<InvocationId, Call> calls_;
  const std::shared_ptr<Outlet> outlet_;
  // The last member, because its threads use the others.
  WorkerThreads threads_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_PROGRAM_TRANSPORT_H_
