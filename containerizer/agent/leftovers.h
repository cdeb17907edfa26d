// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Destroys the containers of runs that were killed, and removes their
// directories.
//
//   LeftoverCleaner cleaner(
//       work_dir, SelectedTransport,
//       [](const std::string& notice) { Print(notice + "\n"); },
//       [&] { cleaned_up.Notify(); });

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

// Works on a thread of its own, on up to 32 directories and for up to a minute.
// The next run does the rest. No failure is fatal.
class LeftoverCleaner {
 public:
  using MakeTransport = std::function<TransportFactory(TransportOptions)>;
  using Notice = std::function<void(const std::string&)>;

  // Starts the thread. `notice` gets one line for every container that was
  // destroyed, and for every directory that could not be cleaned up; then
  // `done` is called once. Both are called on that thread, or inside this call
  // if no thread is to be had.
  LeftoverCleaner(std::string work_dir, MakeTransport make_transport,
                  Notice notice, std::function<void()> done);

  // Stops the work. Does not wait for a program that hangs.
  ~LeftoverCleaner();

 private:
  void Work();
  void Clean(RunDirectory run);
  absl::Status Destroy(const RunDirectory& run, const std::string& program);
  bool IsStopped();

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
