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
#include <sys/utsname.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>  // NOLINT(build/c++17)
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <thread>  // NOLINT(build/c++11)
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/benchmarks/bare_commands.h"
#include "external_containerizer/testing/benchmarks/quartiles.h"
#include "external_containerizer/testing/benchmarks/usage_agent.h"
#include "external_containerizer/testing/benchmarks/usage_worker.h"

namespace external_containerizer {
namespace {

// Short ones: what else the machine does then meets neighbours alike.
constexpr int kBlocks = 60;
constexpr int kSequentialCalls = 30;  // Per block.
constexpr int kAtOnce = 32;
constexpr int kParallelCalls = 10 * kAtOnce;
constexpr int kWaits = 1000;
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kTouchedBytes = 4096 * kMiB;

struct Contender {
  std::string name;
  // Runs one block. Time per call.
  std::function<absl::StatusOr<absl::Duration>()> block;
};

using Samples = std::vector<double>;  // One of each block.

enum class Unit { kMicrosecondsPerCall, kCallsPerSecond };

void PrintRow(const std::string& name, const Samples& samples,
              const std::string& unit) {
  const Quartiles quartiles = QuartilesOf(samples);
  const int digits = quartiles.median < 10 ? 3 : 0;
  absl::PrintF("  %-34s %9.*f %9.*f %9.*f  %s\n", name, digits, quartiles.lower,
               digits, quartiles.median, digits, quartiles.upper, unit);
}

// Lets all run kBlocks blocks, in turns, and prints quartiles of these and of
// their ratios to the first one's. Returns the median of the second's ratio.
absl::StatusOr<double> Compare(const std::string& heading, Unit unit,
                               const std::string& target,
                               const std::vector<Contender>& contenders) {
  std::vector<Samples> samples(contenders.size());
  // The first round warms up.
  for (size_t round = 0; round <= kBlocks; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      // Nobody always comes after the same one.
      const size_t turn = round % 2 == 0 ? i : contenders.size() - 1 - i;
      const absl::StatusOr<absl::Duration> time = contenders[turn].block();
      if (!time.ok()) return time.status();
      if (round == 0) continue;
      const double micros = absl::ToDoubleMicroseconds(*time);
      samples[turn].push_back(unit == Unit::kCallsPerSecond ? 1e6 / micros
                                                            : micros);
    }
  }
  absl::PrintF("\n%-36s %9s %9s %9s\n", heading, "25 %", "median", "75 %");
  for (size_t i = 0; i < contenders.size(); ++i) {
    PrintRow(
        contenders[i].name, samples[i],
        unit == Unit::kCallsPerSecond ? "calls per second" : "µs per call");
  }
  for (size_t i = 1; i < contenders.size(); ++i) {
    PrintRow(absl::StrCat("ratio of ", contenders[i].name),
             Ratios(samples[i], samples[0]), i == 1 ? target : "");
  }
  fflush(stdout);
  return QuartilesOf(Ratios(samples[1], samples[0])).median;
}

void PrintMachine() {
  double load[3] = {};
  getloadavg(load, 3);
  struct utsname system = {};
  uname(&system);
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(sysconf(_SC_PAGESIZE));
  absl::PrintF(
      "load %.2f %.2f %.2f · %d processors · %.1f GiB of memory · %s %s\n"
      "%d blocks of each, in turns\n",
      load[0], load[1], load[2], std::thread::hardware_concurrency(),
      memory / (1024.0 * kMiB), system.sysname, system.release, kBlocks);
#ifndef NDEBUG
  absl::PrintF("This is not an optimized build; use -c opt.\n");
#endif
  fflush(stdout);
}

class Benchmark {
 public:
  Benchmark(std::string program, std::string directory)
      : program_(std::move(program)), directory_(std::move(directory)) {}

  absl::Status Run() {
    PrintMachine();
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

  Contender Bare(const std::string& name, int calls, int at_once,
                 BareSession session) const {
    return {name, [=, program = program_] {
              return BareTimePerCall(program, calls, at_once, session);
            }};
  }

  absl::StatusOr<double> Sequential() const {
    const auto agent = UsageAgent::Start(program_, Directory("sequential"), 1);
    if (!agent.ok()) return agent.status();
    return Compare(
        "usage, one at a time", Unit::kMicrosecondsPerCall,
        "(target: at most 1.15)",
        {Bare("floor", kSequentialCalls, 1, BareSession::kOurs),
         {"containerizer",
          [&] { return (*agent)->TimePerCall(kSequentialCalls, 1); }},
         Bare("floor + setsid", kSequentialCalls, 1, BareSession::kItsOwn)});
  }

  absl::StatusOr<double> Parallel() const {
    const auto agent =
        UsageAgent::Start(program_, Directory("parallel"), kAtOnce);
    if (!agent.ok()) return agent.status();
    return Compare(
        absl::StrCat("usage, ", kAtOnce, " at once"), Unit::kCallsPerSecond,
        "(target: at least 0.9)",
        {Bare("floor", kParallelCalls, kAtOnce, BareSession::kOurs),
         {"containerizer",
          [&] { return (*agent)->TimePerCall(kParallelCalls, kAtOnce); }},
         Bare("floor + setsid", kParallelCalls, kAtOnce,
              BareSession::kItsOwn)});
  }

  static Contender Worker(const std::string& name, UsageWorker& worker) {
    return {name, [&worker] { return worker.TimePerCall(kSequentialCalls); }};
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
        "usage, by the agent's memory", Unit::kMicrosecondsPerCall,
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
    return Compare("usage, by containers that wait", Unit::kMicrosecondsPerCall,
                   "",
                   {Worker("1 waits", **one),
                    Worker(absl::StrCat(kWaits, " wait"), **many),
                    Bare(absl::StrCat("floor beside ", kWaits, " waits"),
                         kSequentialCalls, 1, BareSession::kOurs)});
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
