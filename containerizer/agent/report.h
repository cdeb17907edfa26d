// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What the agent says of a container: to people in one line, to programs as
// one JSON object. Text that came from elsewhere is escaped.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_REPORT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/json.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"

namespace external_containerizer {

// "0.2 s", "1 m 5 s", "2 h 0 m"; "1.2 MiB".
std::string DurationText(absl::Duration duration);
std::string BytesText(uint64_t bytes);

// What a container used until some moment; what nobody measured is unset.
struct Used {
  std::optional<absl::Duration> user;
  std::optional<absl::Duration> system;
  std::optional<uint64_t> memory_bytes;
  std::optional<uint64_t> memory_limit_bytes;
  std::optional<double> cpus_limit;
  // Time it could have run and had used up its share of CPUs.
  std::optional<absl::Duration> throttled;

  std::optional<absl::Duration> Cpu() const;
};

Used UsedOf(const wire::ResourceStatistics& statistics);

// One line for a terminal of `width` columns: "running 12 s | cpu 4.5 s (98%) |
// memory 3.4 MiB". `cpus`: how many were busy of late.
std::string StatusLine(absl::string_view state, absl::Duration elapsed,
                       const Used& used, std::optional<double> cpus,
                       size_t width);

struct End {
  wire::Exit exit;
  // The agent ended it. Then nobody wonders if the program does not say how.
  bool destroyed = false;
  std::string why;  // More, if the program said more; may be empty.
  absl::Duration took;
  Used used;
  int status = 0;  // What the agent exits with.
  // The limits it was to have. If `used` has none, that is said.
  std::optional<double> cpus_asked_for = std::nullopt;
  std::optional<uint64_t> memory_asked_for_bytes = std::nullopt;
  // The first thing that the agent could not do; empty if there is none.
  std::string error = {};
};

// "exited with code 3 after 0.2 s; cpu 0.01 s user 0.00 s system, memory
// 1.2 MiB of 64.0 MiB".
std::string EndText(const End& end);
JsonObject EndJson(const End& end);

// The sum of all "cpus", and of all "mem".
std::optional<double> CpusAskedFor(const Resources& resources);
std::optional<uint64_t> MemoryAskedFor(const Resources& resources);

// Why a container ended, as far as that says more than its exit does.
std::string WhyOf(const wire::Termination& termination);

// "state_changed".
absl::string_view EventName(ContainerEvent::Kind kind);
std::string EventText(const ContainerEvent& event);
JsonObject EventJson(const ContainerEvent& event);

JsonObject UsedJson(const Used& used);
JsonObject ErrorJson(const absl::Status& status);

// `text` with control characters and what is not ASCII escaped; newlines too.
// At most a few thousand bytes.
std::string OneLine(absl::string_view text);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_REPORT_H_
