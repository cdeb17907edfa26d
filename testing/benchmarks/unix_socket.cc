// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How fast this project's ttrpc is, compared with containerd's in Go and with a
// bare exchange of 100 bytes over the same kind of socket; how fast commands
// reach a program through a persistent helper, compared with a process for
// each; and what a waiting container costs. Clients and servers are processes
// of their own, and all take turns in the same run.
//
//   bazel run -c opt //testing/benchmarks:unix_socket
//
// Tests give other sizes, and where peer.go is:
//   unix_socket BLOCKS CALLS CONTAINERS DIRECTORY

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>  // NOLINT(build/c++17)
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
#include "external_containerizer/testing/benchmarks/helper_costs.h"
#include "external_containerizer/testing/benchmarks/peers.h"
#include "external_containerizer/testing/benchmarks/quartiles.h"
#include "external_containerizer/testing/benchmarks/turns.h"
#include "external_containerizer/testing/ttrpc/go_peer.h"

namespace external_containerizer {
namespace {

namespace fs = std::filesystem;

constexpr int kAtOnce = 64;

struct Sizes {
  int blocks = 41;
  int calls = 3000;  // Per block; more of those that are at once.
  int containers = 10'000;
};

struct Costs {
  Samples calls_per_second;
  Samples cpu_micros;
};

class Benchmark {
 public:
  Benchmark(Sizes sizes, std::string self, std::string sources,
            std::string directory)
      : sizes_(sizes),
        self_(std::move(self)),
        sources_(std::move(sources)),
        directory_(std::move(directory)) {}

  absl::Status Run() {
    PrintMachine(sizes_.blocks);
    const auto go = BuildGoPeer(sources_, directory_);
    if (!go.ok()) return go.status();
    const std::string ours_at = Socket("ours"), go_at = Socket("go"),
                      bare_at = Socket("bare");
    auto ours = Peers::Start({self_, "ttrpc_server", ours_at},
                             {self_, "ttrpc_client", ours_at});
    auto theirs =
        Peers::Start({go->path, "server", go_at}, {go->path, "bench", go_at});
    auto bare = Peers::Start({self_, "bare_server", bare_at},
                             {self_, "bare_client", bare_at});
    for (const auto* peers : {&ours, &theirs, &bare}) {
      if (!peers->ok()) return peers->status();
    }

    const auto one = Measure(1, sizes_.calls, {&**theirs, &**ours, &**bare});
    if (!one.ok()) return one.status();
    const Samples vs_go_1 = PerSecond(*one, 1, 0);
    const Samples vs_bare_1 = PerSecond(*one, 1, 2);
    const Samples cpu_1 = CpuRatio(*one);
    PrintCosts("one caller", *one);
    PrintRow("calls per second, by Go's", vs_go_1, "(target: at least 1.5)");
    PrintRow("calls per second, by bare", vs_bare_1, "");
    PrintRow("cpu per call, by Go's", cpu_1, "(target: at most 0.5)");

    const auto many = Measure(kAtOnce, 5 * sizes_.calls, {&**theirs, &**ours});
    if (!many.ok()) return many.status();
    const Samples vs_go_64 = PerSecond(*many, 1, 0);
    const Samples cpu_64 = CpuRatio(*many);
    PrintCosts(absl::StrCat(kAtOnce, " calls outstanding"), *many);
    PrintRow("calls per second, by Go's", vs_go_64, "(target: at least 2)");
    PrintRow("cpu per call, by Go's", cpu_64, "(target: at most 0.5)");

    // The one of the two that is worse for this project.
    const double cpu =
        std::max(QuartilesOf(cpu_1).median, QuartilesOf(cpu_64).median);
    const absl::StatusOr<double> vs_fork_exec = Helpers();
    if (!vs_fork_exec.ok()) return vs_fork_exec.status();
    absl::PrintF(
        "\nRATIOS vs_go_1=%.3f vs_bare_1=%.3f vs_go_64=%.3f cpu_vs_go=%.3f "
        "vs_fork_exec=%.3f\n",
        QuartilesOf(vs_go_1).median, QuartilesOf(vs_bare_1).median,
        QuartilesOf(vs_go_64).median, cpu, *vs_fork_exec);
    return absl::OkStatus();
  }

 private:
  std::string Socket(const std::string& name) const {
    // ListenUnix() needs a directory that only this user may write to.
    return absl::StrCat(directory_, "/", name);
  }

  // How many times faster than fork/exec it is, for the program that gains
  // less.
  absl::StatusOr<double> Helpers() const {
    const fs::path here = fs::path(self_).parent_path();
    const std::string trivial = (here / "trivial_helper").string();
    const std::string posix =
        (here.parent_path().parent_path() / "containerizer/posix/posix")
            .string();
    const int calls = std::max(20, sizes_.calls / 5);
    const auto of_trivial = CompareHostings(
        "a trivial program", trivial, Socket("trivial"), sizes_.blocks, calls);
    if (!of_trivial.ok()) return of_trivial.status();
    const auto of_posix =
        CompareHostings("posix", posix, Socket("posix"), sizes_.blocks, calls);
    if (!of_posix.ok()) return of_posix.status();
    absl::Status status =
        PrintWaitingCosts(trivial, Socket("waiting"), sizes_.containers);
    if (!status.ok()) return status;
    return std::min(*of_trivial, *of_posix);
  }

  // Measures each of `peers`, in turns.
  absl::StatusOr<std::vector<Costs>> Measure(
      int callers, int calls, const std::vector<Peers*>& peers) const {
    std::vector<Costs> costs(peers.size());
    std::vector<Contender> contenders;
    for (size_t i = 0; i < peers.size(); ++i) {
      contenders.push_back({"", [&, i]() -> absl::StatusOr<double> {
                              const auto cost = peers[i]->Run(callers, calls);
                              if (!cost.ok()) return cost.status();
                              costs[i].cpu_micros.push_back(cost->cpu_seconds *
                                                            1e6);
                              return 1 / cost->seconds;
                            }});
    }
    auto samples = TakeTurns(sizes_.blocks, contenders);
    if (!samples.ok()) return samples.status();
    for (size_t i = 0; i < peers.size(); ++i) {
      costs[i].calls_per_second = std::move((*samples)[i]);
      costs[i].cpu_micros.erase(costs[i].cpu_micros.begin());  // To warm up.
    }
    return costs;
  }

  static Samples PerSecond(const std::vector<Costs>& costs, size_t of,
                           size_t by) {
    return Ratios(costs[of].calls_per_second, costs[by].calls_per_second);
  }

  static Samples CpuRatio(const std::vector<Costs>& costs) {
    return Ratios(costs[1].cpu_micros, costs[0].cpu_micros);
  }

  static void PrintCosts(const std::string& heading,
                         const std::vector<Costs>& costs) {
    constexpr const char* kNames[] = {"Go's ttrpc", "ours", "bare"};
    PrintHeading(heading);
    for (size_t i = 0; i < costs.size(); ++i) {
      PrintRow(kNames[i], costs[i].calls_per_second, "calls per second");
    }
    for (size_t i = 0; i < costs.size(); ++i) {
      PrintRow(absl::StrCat(kNames[i], ", client and server"),
               costs[i].cpu_micros, "µs of cpu per call");
    }
  }

  const Sizes sizes_;
  const std::string self_, sources_, directory_;
};

// A file in this binary's runfiles, whatever the name of the main workspace is.
absl::StatusOr<std::string> FindSources(const std::string& self) {
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(absl::StrCat(self, ".runfiles"), error)) {
    const fs::path sources = entry.path() / "testing/ttrpc";
    if (fs::exists(sources / "peer.go", error)) return sources.string();
  }
  return absl::NotFoundError("peer.go is not among the runfiles");
}

absl::Status Main(Sizes sizes, std::string sources) {
  std::error_code error;
  const std::string self = fs::read_symlink("/proc/self/exe", error).string();
  if (error) return absl::InternalError(error.message());
  if (sources.empty()) {
    const absl::StatusOr<std::string> found = FindSources(self);
    if (!found.ok()) return found.status();
    sources = *found;
  }
  std::string directory =
      (fs::temp_directory_path(error) / "unix_socket.XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", directory));
  }
  const auto remove =
      absl::MakeCleanup([&] { fs::remove_all(directory, error); });
  return Benchmark(sizes, self, sources, directory).Run();
}

}  // namespace
}  // namespace external_containerizer

int main(int argc, char** argv) {
  namespace ec = external_containerizer;
  // mallinfo2() is about the first arena only.
  mallopt(M_ARENA_MAX, 1);
  // A process that has ended is an error.
  signal(SIGPIPE, SIG_IGN);
  absl::Status status;
  ec::Sizes sizes;
  if (argc == 3 && ec::IsPeerRole(argv[1])) {
    status = ec::PlayPeerRole(argv[1], argv[2]);
  } else if (argc == 1) {
    status = ec::Main(sizes, "");
  } else if (argc == 5 && absl::SimpleAtoi(argv[1], &sizes.blocks) &&
             absl::SimpleAtoi(argv[2], &sizes.calls) &&
             absl::SimpleAtoi(argv[3], &sizes.containers) && sizes.blocks > 0 &&
             sizes.calls > 0 && sizes.containers > 0) {
    status = ec::Main(sizes, argv[4]);
  } else {
    fprintf(stderr,
            "usage: unix_socket [BLOCKS CALLS CONTAINERS DIRECTORY_OF_PEER]\n");
    return 2;
  }
  if (status.ok()) return 0;
  fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
