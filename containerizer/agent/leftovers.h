// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Ends what runs that were killed left behind.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_LEFTOVERS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_LEFTOVERS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/containerizer/agent/run_directory.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/transport/linux/thread.h"
#include "external_containerizer/transport/selected.h"

namespace external_containerizer {

// Works on a thread of its own, so that nobody has to wait, and on a bounded
// number of directories for a bounded time; what remains is left to the next
// run. Nothing that goes wrong is fatal.
class LeftoverCleaner {
 public:
  using MakeTransport = std::function<TransportFactory(TransportOptions)>;
  using Notice = std::function<void(const std::string&)>;

  // Begins. On that thread, `notice` is told in one line of every container
  // that was destroyed and of every one that could not be; then `done` is
  // called, once. If no thread can be made, both are called at once.
  LeftoverCleaner(std::string work_dir, MakeTransport make_transport,
                  Notice notice, std::function<void()> done);

  // Does not wait for a program any longer.
  ~LeftoverCleaner();

 private:
  void Work();
  void Clean(RunDirectory run);
  absl::Status Destroy(const RunDirectory& run, const std::string& program);
  bool Stopped();

  const std::string work_dir_;
  const MakeTransport make_transport_;
  const Notice notice_;
  const std::function<void()> done_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Containerizer> active_ ABSL_GUARDED_BY(mutex_);
  Thread thread_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_LEFTOVERS_H_
