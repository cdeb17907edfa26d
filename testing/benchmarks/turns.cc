// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/turns.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <thread>  // NOLINT(build/c++11)

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "external_containerizer/testing/benchmarks/quartiles.h"

namespace external_containerizer {

absl::StatusOr<std::vector<Samples>> TakeTurns(
    int blocks, const std::vector<Contender>& contenders) {
  std::vector<Samples> samples(contenders.size());
  // The first round warms up.
  for (int round = 0; round <= blocks; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      const size_t turn = round % 2 == 0 ? i : contenders.size() - 1 - i;
      const absl::StatusOr<double> sample = contenders[turn].block();
      if (!sample.ok()) return sample.status();
      if (round > 0) samples[turn].push_back(*sample);
    }
  }
  return samples;
}

void PrintMachine(int blocks) {
  constexpr double kGiB = 1 << 30;
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
      memory / kGiB, system.sysname, system.release, blocks);
#ifndef NDEBUG
  absl::PrintF("This is not an optimized build; use -c opt.\n");
#endif
  fflush(stdout);
}

void PrintHeading(const std::string& heading) {
  absl::PrintF("\n%-36s %9s %9s %9s\n", heading, "25 %", "median", "75 %");
}

void PrintRow(const std::string& name, const Samples& samples,
              const std::string& unit) {
  const Quartiles quartiles = QuartilesOf(samples);
  const int digits = quartiles.median < 10 ? 3 : 0;
  absl::PrintF("  %-34s %9.*f %9.*f %9.*f  %s\n", name, digits, quartiles.lower,
               digits, quartiles.median, digits, quartiles.upper, unit);
  fflush(stdout);
}

absl::StatusOr<double> Compare(int blocks, const std::string& heading,
                               const std::string& unit,
                               const std::string& target,
                               const std::vector<Contender>& contenders) {
  const auto samples = TakeTurns(blocks, contenders);
  if (!samples.ok()) return samples.status();
  PrintHeading(heading);
  for (size_t i = 0; i < contenders.size(); ++i) {
    PrintRow(contenders[i].name, (*samples)[i], unit);
  }
  for (size_t i = 1; i < contenders.size(); ++i) {
    PrintRow(absl::StrCat("ratio of ", contenders[i].name),
             Ratios((*samples)[i], (*samples)[0]), i == 1 ? target : "");
  }
  return QuartilesOf(Ratios((*samples)[1], (*samples)[0])).median;
}

}  // namespace external_containerizer
