// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The smallest program that uses the library, for one command or as a helper.
// Its containers are only names, and run until they are destroyed.
//
// `usage` is about the process itself: `processes` is the number of `wait`s
// that it holds, and mem_total_bytes the part of its heap that is in use.

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
  void Launch(const wire::Launch& request, const Context&,
              Reply<void> reply) override {
    {
      MutexLock lock(&mutex_);
      containers_[request.container_id().value()];
    }
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
      statistics.set_processes(waits_);
    }
    std::move(reply)(std::move(statistics));
  }

  void Wait(const wire::Wait& request, const Context&,
            Reply<wire::Termination> reply) override {
    {
      MutexLock lock(&mutex_);
      const auto it = containers_.find(request.container_id().value());
      if (it != containers_.end()) {
        if (!it->second.has_value()) ++waits_;
        it->second = std::move(reply);
        return;
      }
    }
    // The Destroy may have overtaken this.
    std::move(reply)(absl::NotFoundError("it is not known here"));
  }

  void Destroy(const wire::Destroy& request, const Context&,
               Reply<void> reply) override {
    std::map<std::string, Kept>::node_type container;
    {
      MutexLock lock(&mutex_);
      container = containers_.extract(request.container_id().value());
      if (!container.empty() && container.mapped().has_value()) --waits_;
    }
    if (!container.empty() && container.mapped().has_value()) {
      std::move (*container.mapped())(wire::MakeTermination(9, "destroyed"));
    }
    std::move(reply)(absl::OkStatus());
  }

 private:
  using Kept = std::optional<Reply<wire::Termination>>;  // Of the last Wait.

  absl::Mutex mutex_;
  std::map<std::string, Kept> containers_ ABSL_GUARDED_BY(mutex_);
  uint32_t waits_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace
}  // namespace external_containerizer

int main(int argc, char** argv) {
  // mallinfo2() is about the first arena only.
  mallopt(M_ARENA_MAX, 1);
  external_containerizer::TrivialProgram program;
  return external_containerizer::ProgramMain(argc, argv, program);
}
