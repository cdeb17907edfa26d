// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A Program in this process as a Transport: its handlers run on a bounded
// number of threads, and a reply that is kept costs none. Handlers that block,
// of whatever command, keep no destroy, containers or recover from running.
//
// What a command finds is what it would find as a process of its own: its
// environment (nothing of this process's), its sandbox, for launch with the
// files `stdout` and `stderr` in it; an error goes to that `stderr`, too.

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
  // `name` is the program's, for messages. `program` must outlive this, and
  // every reply that it keeps.
  ProgramTransport(EventLoop& loop, std::string name, Program& program);

  // Also waits for the handlers that are running.
  ~ProgramTransport() override;

  // Does not enforce `invocation.timeout`: a handler cannot be ended. Who calls
  // is to Cancel().
  InvocationId Invoke(Invocation invocation,
                      absl::AnyInvocable<void(Answer) &&> done) override;

  // Tells the handler, through its Context. wait, usage and containers then end
  // at once, whatever becomes of their replies; the others when they reply.
  // What no handler has taken yet was not started.
  void Cancel(InvocationId id) override;

  size_t MaxWaits() const override;

 private:
  // Where replies, on whatever thread, find the loop as long as there is a use.
  class Outlet;
  // What a command takes while no handler has taken it.
  class QueuedBytes;

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

  Program& program_;
  InvocationId next_id_ = 1;
  absl::flat_hash_map<InvocationId, Call> calls_;
  const std::shared_ptr<Outlet> outlet_;
  // Last: its threads use the others.
  WorkerThreads threads_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_PROGRAM_TRANSPORT_H_
