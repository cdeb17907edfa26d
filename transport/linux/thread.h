// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A thread whose start can fail with a status. std::thread throws instead, and
// nothing in this project throws.
//
//   Thread thread;
//   absl::Status status = thread.Start("loop", [&loop] { loop.Run(); });
//   if (!status.ok()) return status;
//   ...
//   thread.Join();

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_THREAD_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_THREAD_H_

#include <pthread.h>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace external_containerizer {

// Not thread-safe: one thread at a time uses the object.
class Thread {
 public:
  enum class Signals {
    kBlocked,   // The thread has all signals blocked from its beginning.
    kAsCaller,  // It has the signal mask of the thread that calls Start().
  };

  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  // Joins.
  ~Thread() { Join(); }

  // Runs `work` on a new thread and destroys it there. `name` is what ps and
  // debuggers show: the kernel keeps 15 characters. The object must not have a
  // thread yet, or have joined it. RESOURCE_EXHAUSTED if no thread can be
  // made; the message says what to do. `work` is destroyed then.
  absl::Status Start(const char* name, absl::AnyInvocable<void() &&> work,
                     Signals signals = Signals::kBlocked);

  // Waits for the end of the thread, if one was started. Not on that thread.
  void Join();

  bool started() const { return started_; }

 private:
  pthread_t thread_ = {};
  bool started_ = false;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_THREAD_H_
