// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The least that a program of the library can do, in either hosting. Its
// containers are nothing but names, and run until they are destroyed.
//
// `usage` says of the process itself: how many `wait`s it holds (processes),
// and what of its heap is in use (mem_total_bytes).

#include <malloc.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/transport/linux/mutex_lock.h"

namespace external_containerizer {
namespace {

class TrivialProgram : public Program {
 public:
  void Launch(const wire::Launch&, const Context&, Reply<void> reply) override {
    std::move(reply)(absl::OkStatus());
  }

  void Usage(const wire::Usage&, const Context&,
             Reply<std::optional<wire::ResourceStatistics>> reply) override {
    wire::ResourceStatistics statistics;
    statistics.set_timestamp(1);
    const struct mallinfo2 heap = mallinfo2();
    statistics.set_mem_total_bytes(heap.uordblks + heap.hblkhd);
    {
      MutexLock lock(&mutex_);
      statistics.set_processes(static_cast<uint32_t>(waits_.size()));
    }
    std::move(reply)(std::move(statistics));
  }

  void Wait(const wire::Wait& request, const Context&,
            Reply<wire::Termination> reply) override {
    MutexLock lock(&mutex_);
    waits_.emplace(request.container_id().value(), std::move(reply));
  }

  void Destroy(const wire::Destroy& request, const Context&,
               Reply<void> reply) override {
    std::map<std::string, Reply<wire::Termination>>::node_type wait;
    {
      MutexLock lock(&mutex_);
      wait = waits_.extract(request.container_id().value());
    }
    if (!wait.empty()) {
      std::move(wait.mapped())(wire::MakeTermination(9, "destroyed"));
    }
    std::move(reply)(absl::OkStatus());
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, Reply<wire::Termination>> waits_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace
}  // namespace external_containerizer

int main(int argc, char** argv) {
  // What mallinfo2() says is of the first arena only.
  mallopt(M_ARENA_MAX, 1);
  external_containerizer::TrivialProgram program;
  return external_containerizer::ProgramMain(argc, argv, program);
}
