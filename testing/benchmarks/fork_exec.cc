// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How fast commands reach a program over fork/exec, against a floor that is
// measured in the same run (bare_commands.h). Everything is measured in short
// blocks that take turns with what they are compared to.
//
//   bazel run -c opt //testing/benchmarks:fork_exec

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>  // NOLINT(build/c++17)
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/benchmarks/bare_commands.h"
#include "external_containerizer/testing/benchmarks/turns.h"
#include "external_containerizer/testing/benchmarks/usage_agent.h"
#include "external_containerizer/testing/benchmarks/usage_worker.h"

namespace external_containerizer {
namespace {

// Blocks are short, so that other work of the machine meets neighbours alike.
constexpr int kBlocks = 60;
constexpr int kSequentialCalls = 30;  // Per block.
constexpr int kAtOnce = 32;
constexpr int kParallelCalls = 10 * kAtOnce;
constexpr int kWaits = 1000;
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kTouchedBytes = 4096 * kMiB;

using Block = std::function<absl::StatusOr<absl::Duration>()>;

Contender MicrosecondsPerCall(const std::string& name, Block block) {
  return {name, [block = std::move(block)]() -> absl::StatusOr<double> {
            const absl::StatusOr<absl::Duration> time = block();
            if (!time.ok()) return time.status();
            return absl::ToDoubleMicroseconds(*time);
          }};
}

Contender CallsPerSecond(const std::string& name, Block block) {
  return {name, [block = std::move(block)]() -> absl::StatusOr<double> {
            const absl::StatusOr<absl::Duration> time = block();
            if (!time.ok()) return time.status();
            return 1 / absl::ToDoubleSeconds(*time);
          }};
}

constexpr char kMicroseconds[] = "µs per call";

class Benchmark {
 public:
  Benchmark(std::string program, std::string directory)
      : program_(std::move(program)), directory_(std::move(directory)) {}

  absl::Status Run() {
    PrintMachine(kBlocks);
    const auto sequential = Sequential();
    if (!sequential.ok()) return sequential.status();
    const auto parallel = Parallel();
    if (!parallel.ok()) return parallel.status();
    const auto with_memory = WithMemory();
    if (!with_memory.ok()) return with_memory.status();
    const auto beside_waits = BesideWaits();
    if (!beside_waits.ok()) return beside_waits.status();
    absl::PrintF("\nRATIOS sequential=%.3f parallel32=%.3f rss4g=%.3f\n",
                 *sequential, *parallel, *with_memory);
    return absl::OkStatus();
  }

 private:
  std::string Directory(const std::string& name) const {
    return absl::StrCat(directory_, "/", name);
  }

  Block Bare(int calls, int at_once, BareSession session) const {
    return [=, program = program_] {
      return BareTimePerCall(program, calls, at_once, session);
    };
  }

  absl::StatusOr<double> Sequential() const {
    const auto agent = UsageAgent::Start(program_, Directory("sequential"), 1);
    if (!agent.ok()) return agent.status();
    return Compare(
        kBlocks, "usage, one at a time", kMicroseconds,
        "(target: at most 1.15)",
        {MicrosecondsPerCall("floor",
                             Bare(kSequentialCalls, 1, BareSession::kOurs)),
         MicrosecondsPerCall(
             "containerizer",
             [&] { return (*agent)->TimePerCall(kSequentialCalls, 1); }),
         MicrosecondsPerCall("floor + setsid",
                             Bare(kSequentialCalls, 1, BareSession::kItsOwn))});
  }

  absl::StatusOr<double> Parallel() const {
    const auto agent =
        UsageAgent::Start(program_, Directory("parallel"), kAtOnce);
    if (!agent.ok()) return agent.status();
    return Compare(
        kBlocks, absl::StrCat("usage, ", kAtOnce, " at once"),
        "calls per second", "(target: at least 0.9)",
        {CallsPerSecond("floor",
                        Bare(kParallelCalls, kAtOnce, BareSession::kOurs)),
         CallsPerSecond(
             "containerizer",
             [&] { return (*agent)->TimePerCall(kParallelCalls, kAtOnce); }),
         CallsPerSecond("floor + setsid",
                        Bare(kParallelCalls, kAtOnce, BareSession::kItsOwn))});
  }

  static Contender Worker(const std::string& name, UsageWorker& worker) {
    return MicrosecondsPerCall(
        name, [&worker] { return worker.TimePerCall(kSequentialCalls); });
  }

  absl::StatusOr<double> WithMemory() const {
    const auto little = UsageWorker::Start(program_, Directory("little"), 1, 0);
    if (!little.ok()) return little.status();
    const auto much =
        UsageWorker::Start(program_, Directory("much"), 1, kTouchedBytes);
    if (!much.ok()) return much.status();
    const auto name = [](const UsageWorker& worker) {
      return absl::StrCat("agent of ", worker.resident_bytes() / kMiB, " MiB");
    };
    return Compare(
        kBlocks, "usage, by the agent's memory", kMicroseconds,
        "(target: at most 1.2)",
        {Worker(name(**little), **little), Worker(name(**much), **much)});
  }

  // The kernel copies all descriptors for each process, and closes them again
  // when it executes the program, whoever asks for it.
  absl::StatusOr<double> BesideWaits() const {
    const auto one = UsageWorker::Start(program_, Directory("one"), 1, 0);
    if (!one.ok()) return one.status();
    const auto many =
        UsageWorker::Start(program_, Directory("many"), kWaits, 0);
    if (!many.ok()) return many.status();
    const BareWaits bare_waits(program_, kWaits);
    if (!bare_waits.ok()) return absl::InternalError("a bare wait failed");
    return Compare(
        kBlocks, "usage, by containers that wait", kMicroseconds, "",
        {Worker("1 waits", **one),
         Worker(absl::StrCat(kWaits, " wait"), **many),
         MicrosecondsPerCall(absl::StrCat("floor beside ", kWaits, " waits"),
                             Bare(kSequentialCalls, 1, BareSession::kOurs))});
  }

  const std::string program_;
  const std::string directory_;
};

// A waiting command costs two descriptors.
void RaiseDescriptorLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::Status Main() {
  RaiseDescriptorLimit();
  std::error_code error;
  const std::filesystem::path self =
      std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return absl::InternalError(error.message());
  std::string directory =
      (std::filesystem::temp_directory_path(error) / "fork_exec.XXXXXX")
          .string();
  if (mkdtemp(directory.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", directory));
  }
  const std::string program = (self.parent_path() / "trivial_program").string();
  const absl::Status status = Benchmark(program, directory).Run();
  std::filesystem::remove_all(directory, error);
  return status;
}

}  // namespace
}  // namespace external_containerizer

int main(int argc, char** argv) {
  namespace ec = external_containerizer;
  const absl::Status status = ec::IsUsageWorker(argc, argv)
                                  ? ec::UsageWorkerMain(argc, argv)
                                  : ec::Main();
  if (status.ok()) return 0;
  fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
