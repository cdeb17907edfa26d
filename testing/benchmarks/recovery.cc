// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How fast an agent that starts reads its files and holds its containers again,
// and what writing the files costs. Reading is compared with a floor that is
// measured in the same run (bare_walk.h).
//
//   bazel run -c opt //testing/benchmarks:recovery
//
// The trees are in memory, so that neither waits for a disk.
// Tests give other sizes: recovery SMALL LARGE BLOCKS.

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>  // NOLINT(build/c++17)
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/state/file_system.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/mesos_writer_testing.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/testing/benchmarks/bare_walk.h"
#include "external_containerizer/testing/benchmarks/counting_file_system.h"
#include "external_containerizer/testing/benchmarks/quartiles.h"
#include "external_containerizer/testing/benchmarks/recovery_tree.h"
#include "external_containerizer/testing/benchmarks/turns.h"
#include "external_containerizer/transport/mock/oracle.h"

namespace external_containerizer {
namespace {

struct Sizes {
  size_t small = 10'000;
  size_t large = 100'000;
  int blocks = 25;
};

// The processor time of this thread or, with CLOCK_PROCESS_CPUTIME_ID, of all
// threads.
double CpuSeconds(clockid_t clock) {
  struct timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / 1e9;
}

// The time from one call to the next, without the time of other processes. All
// files are in memory, so the calls wait for nothing but the processor.
class Stopwatch {
 public:
  double Micros() const {
    return (CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - begin_) * 1e6;
  }

 private:
  const double begin_ = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
};

absl::StatusOr<double> WalkMicros(const std::string& tree, size_t executors) {
  const Stopwatch stopwatch;
  const absl::StatusOr<BareWalkCount> count = BareWalk(tree);
  const double micros = stopwatch.Micros();
  if (!count.ok()) return count.status();
  if (count->files < 5 * executors) {
    return absl::InternalError("the walk has not seen all files");
  }
  return micros / static_cast<double>(executors);
}

absl::StatusOr<double> ReadMicros(const std::string& tree, size_t executors) {
  // Like an agent that starts, it has an unused heap that must grow.
  malloc_trim(0);
  const Stopwatch stopwatch;
  const auto state = state::ReadAgentState(tree);
  const double micros = stopwatch.Micros();
  if (!state.ok()) return state.status();
  if (!state->problems.empty() ||
      state::KnownContainers(*state).size() != executors) {
    return absl::InternalError("the tree was not read as it was written");
  }
  return micros / static_cast<double>(executors);
}

class Benchmark {
 public:
  Benchmark(Sizes sizes, std::string small, std::string large, std::string disk)
      : sizes_(sizes),
        small_(std::move(small)),
        large_(std::move(large)),
        disk_(std::move(disk)) {}

  absl::Status Run() {
    PrintMachine(sizes_.blocks);
    absl::Status status = WriteRecoveryTree(small_, sizes_.small);
    if (status.ok()) status = Records();
    if (status.ok()) status = EndToEnd();
    if (!status.ok()) return status;
    const absl::StatusOr<double> read = Reading();
    if (!read.ok()) return read.status();
    status = WriteRecoveryTree(large_, sizes_.large);
    if (!status.ok()) return status;
    const absl::StatusOr<double> growth = Growth();
    if (!growth.ok()) return growth.status();
    absl::PrintF("\nRATIOS read10k=%.3f growth=%.3f\n", *read, *growth);
    return absl::OkStatus();
  }

 private:
  Contender Floor(const std::string& tree, size_t executors) const {
    return {absl::StrCat("floor, ", executors),
            [=] { return WalkMicros(tree, executors); }};
  }

  Contender Reader(const std::string& tree, size_t executors) const {
    return {absl::StrCat("reader, ", executors),
            [=] { return ReadMicros(tree, executors); }};
  }

  absl::StatusOr<double> Reading() const {
    return Compare(sizes_.blocks,
                   absl::StrCat("reading ", sizes_.small, " executors"),
                   "µs per executor", "(target: at most 1.5)",
                   {Floor(small_, sizes_.small), Reader(small_, sizes_.small)});
  }

  absl::StatusOr<double> Growth() const {
    const auto samples =
        TakeTurns((sizes_.blocks + 2) / 3,
                  {Reader(small_, sizes_.small), Reader(large_, sizes_.large),
                   Floor(small_, sizes_.small), Floor(large_, sizes_.large)});
    if (!samples.ok()) return samples.status();
    PrintHeading(absl::StrCat("reading ", sizes_.large, " executors"));
    constexpr char kUnit[] = "µs per executor";
    PrintRow(absl::StrCat("reader, ", sizes_.small), (*samples)[0], kUnit);
    PrintRow(absl::StrCat("reader, ", sizes_.large), (*samples)[1], kUnit);
    PrintRow(absl::StrCat("floor, ", sizes_.small), (*samples)[2], kUnit);
    PrintRow(absl::StrCat("floor, ", sizes_.large), (*samples)[3], kUnit);
    const std::vector<double> growth = Ratios((*samples)[1], (*samples)[0]);
    PrintRow("growth of the reader", growth, "(target: about 1)");
    PrintRow("growth of the floor", Ratios((*samples)[3], (*samples)[2]), "");
    return QuartilesOf(growth).median;
  }

  // From the files to a Containerizer that holds every container again.
  absl::Status EndToEnd() const {
    const auto world = std::make_shared<OracleWorld>();
    absl::Status status = Launch(world);
    if (!status.ok()) return status;
    Samples cpu, wall;
    for (int i = 0; i <= sizes_.blocks; ++i) {
      const double cpu_begin = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
      const absl::Time begin = absl::Now();
      status = Recover(world);
      if (!status.ok()) return status;
      if (i == 0) continue;
      cpu.push_back(CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin);
      wall.push_back(absl::ToDoubleSeconds(absl::Now() - begin));
    }
    PrintHeading(absl::StrCat("recovery of ", sizes_.small, " containers"));
    PrintRow("cpu time, all threads", cpu, "seconds (target: below 1)");
    PrintRow("time", wall, "seconds");
    return absl::OkStatus();
  }

  static LaunchRequest RequestOf(const state::RunId& run) {
    LaunchRequest request;
    request.id = run.container;
    request.executor = TreeExecutor(run);
    request.sandbox.root = "/";
    request.sandbox.path = state::RunPath(run);
    return request;
  }

  absl::Status Launch(const std::shared_ptr<OracleWorld>& world) const {
    auto containerizer = Containerizer::Create({}, OracleTransport(world));
    if (!containerizer.ok()) return containerizer.status();
    BlockingContainerizer blocking(**containerizer);
    absl::Status status = blocking.Recover({}).status();
    for (size_t i = 0; status.ok() && i < sizes_.small; ++i) {
      status = blocking.Launch(RequestOf(TreeRun(i)));
    }
    return status;
  }

  // This includes the end of the Containerizer.
  absl::Status Recover(const std::shared_ptr<OracleWorld>& world) const {
    const auto state = state::ReadAgentState(small_);
    if (!state.ok()) return state.status();
    auto containerizer = Containerizer::Create({}, OracleTransport(world));
    if (!containerizer.ok()) return containerizer.status();
    const auto summary = BlockingContainerizer(**containerizer)
                             .Recover(state::KnownContainers(*state));
    if (!summary.ok()) return summary.status();
    if (summary->recovered.size() != sizes_.small) {
      return absl::InternalError(absl::StrCat(
          "recovered are only ", summary->recovered.size(), " containers"));
    }
    return absl::OkStatus();
  }

  // On a real disk, with counts.
  absl::Status Records() {
    absl::StatusOr<std::unique_ptr<state::FileSystem>> files =
        state::OpenFileSystem(disk_);
    if (!files.ok()) return files.status();
    FileSystemCounts counts;
    state::MesosWriter writer(
        disk_, std::make_unique<CountingFileSystem>(*std::move(files), counts));
    absl::PrintF("\n%-36s %9s %9s %9s %9s\n", "durable records", "files",
                 "fsyncs", "dirs", "fsyncs");
    absl::Status status;
    const auto record = [&](const char* name,
                            const std::function<absl::Status()>& call) {
      if (!status.ok()) return;
      counts = FileSystemCounts();
      status = call();
      absl::PrintF("  %-34s %9d %9d %9d %9d\n", name, counts.files,
                   counts.file_syncs, counts.directories,
                   counts.directory_syncs);
      if (status.ok() && (counts.file_syncs != counts.files ||
                          counts.directory_syncs != counts.directories)) {
        status = absl::InternalError(absl::StrCat(
            name, " syncs more or less than each file and directory once"));
      }
    };
    const state::RunId first = TreeRun(0), second = TreeRun(kTreeFrameworks);
    wire::Termination end;
    end.set_status(0);
    record("agent", [&] { return writer.RecordAgent(TreeAgent()); });
    record("framework", [&] {
      return writer.RecordFramework(first.agent, TreeFramework(first.framework),
                                    "@0.0.0.0:0");
    });
    record("launch, the first",
           [&] { return writer.RecordLaunch(first, TreeExecutor(first)); });
    record("launch, any other",
           [&] { return writer.RecordLaunch(second, TreeExecutor(second)); });
    record("launched", [&] { return writer.RecordLaunched(second); });
    record("forked pid", [&] { return writer.RecordForkedPid(second, 123); });
    record("task", [&] { return writer.RecordTask(second, TreeTask(second)); });
    record("exit", [&] { return writer.RecordExit(second, end); });
    record("completed", [&] { return writer.RecordCompleted(second); });
    if (!status.ok()) return status;

    Samples launch, both;
    for (int i = 1; i <= sizes_.blocks; ++i) {
      const state::RunId run =
          TreeRun(kTreeFrameworks * (static_cast<size_t>(i) + 1));
      const absl::Time begin = absl::Now();
      status = writer.RecordLaunch(run, TreeExecutor(run));
      launch.push_back(absl::ToDoubleMicroseconds(absl::Now() - begin));
      if (status.ok()) status = writer.RecordLaunched(run);
      if (!status.ok()) return status;
      both.push_back(absl::ToDoubleMicroseconds(absl::Now() - begin));
    }
    PrintHeading("on the disk of " + disk_);
    PrintRow("launch", launch, "µs");
    PrintRow("launch and launched", both, "µs");
    return absl::OkStatus();
  }

  const Sizes sizes_;
  const std::string small_, large_, disk_;
};

absl::StatusOr<std::string> MakeDirectory(const std::string& place) {
  std::string path = absl::StrCat(place, "/recovery.XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
  }
  return path;
}

absl::Status Main(Sizes sizes) {
  std::error_code error;
  const std::string disk = std::filesystem::temp_directory_path(error).string();
  if (error) return absl::InternalError(error.message());
  constexpr char kMemory[] = "/dev/shm";
  const std::string memory = access(kMemory, W_OK | X_OK) == 0 ? kMemory : disk;
  std::vector<std::string> directories;
  const auto remove = absl::MakeCleanup([&directories, &error] {
    for (const std::string& directory : directories) {
      std::filesystem::remove_all(directory, error);
    }
  });
  for (const std::string& place : {memory, memory, disk}) {
    const absl::StatusOr<std::string> directory = MakeDirectory(place);
    if (!directory.ok()) return directory.status();
    directories.push_back(*directory);
  }
  return Benchmark(sizes, directories[0], directories[1], directories[2]).Run();
}

}  // namespace
}  // namespace external_containerizer

int main(int argc, char** argv) {
  namespace ec = external_containerizer;
  ec::Sizes sizes;
  const bool is_asked_well =
      argc == 1 || (argc == 4 && absl::SimpleAtoi(argv[1], &sizes.small) &&
                    absl::SimpleAtoi(argv[2], &sizes.large) &&
                    absl::SimpleAtoi(argv[3], &sizes.blocks) &&
                    sizes.small > 0 && sizes.large > 0 && sizes.blocks > 0);
  if (!is_asked_well) {
    fprintf(stderr, "usage: recovery [SMALL LARGE BLOCKS]\n");
    return 2;
  }
  const absl::Status status = ec::Main(sizes);
  if (status.ok()) return 0;
  fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
