// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What the agent says about a container: one line for people, one JSON object
// for programs. Text from elsewhere is escaped.
//
//   EventText(event)  // "launch one ended after 0.012 s"
//   EventJson(event).ToString()

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

// What a container has used so far. Values that nobody measured are unset.
struct ResourceUse {
  std::optional<absl::Duration> user;
  std::optional<absl::Duration> system;
  std::optional<uint64_t> memory_bytes;
  std::optional<uint64_t> memory_limit_bytes;
  std::optional<double> cpus_limit;
  // The time for which it was held back, because its share of CPUs was used up.
  std::optional<absl::Duration> throttled;

  std::optional<absl::Duration> Cpu() const;
};

// Reads a program's statistics. Numbers that make no sense are left out.
ResourceUse ResourceUseOf(const wire::ResourceStatistics& statistics);

// Returns one line for a terminal of `width` columns: "running 12 s | cpu 4.5 s
// (98%) | memory 3.4 MiB". `cpus` is the number of CPUs that were busy lately.
std::string StatusLine(absl::string_view state, absl::Duration elapsed,
                       const ResourceUse& used, std::optional<double> cpus,
                       size_t width);

struct End {
  wire::Exit exit;
  // The agent ended it, so the program need not know how it ended.
  bool destroyed = false;
  std::string why;  // WhyOf()
  absl::Duration took;
  ResourceUse used;
  int status = 0;  // The agent's exit status.
  // The limits that were asked for. The text says so if `used` has none.
  std::optional<double> cpus_asked_for = std::nullopt;
  std::optional<uint64_t> memory_asked_for_bytes = std::nullopt;
  // The agent's first failure; empty if there was none.
  std::string error = {};
};

// "exited with code 3 after 0.2 s; cpu 0.01 s user 0.00 s system, memory
// 1.2 MiB of 64.0 MiB".
std::string EndText(const End& end);
JsonObject EndJson(const End& end);

// Return the sum of all "cpus" or "mem"; nullopt if there are none.
std::optional<double> CpusAskedFor(const Resources& resources);
std::optional<uint64_t> MemoryAskedFor(const Resources& resources);

// Returns why a container ended: its reasons and message, unless they only
// repeat what its exit says.
std::string WhyOf(const wire::Termination& termination);

// "killed by signal 9 (Killed) (REASON_CONTAINER_LIMITATION_MEMORY: ...)".
std::string TerminationText(const wire::Termination& end);
// Has the members exit_code or signal, message, and why.
JsonObject TerminationJson(const wire::Termination& end);

// Returns the exit status that a shell has for it: the exit code, or 128 + the
// signal's number; kAgentFailed if nobody knows.
int ExitStatusOf(const wire::Exit& exit);

// "state_changed".
absl::string_view EventName(ContainerEvent::Kind kind);
std::string EventText(const ContainerEvent& event);
JsonObject EventJson(const ContainerEvent& event);

JsonObject ResourceUseJson(const ResourceUse& used);
JsonObject ErrorJson(const absl::Status& status);

// Tells the user that the agent failed: "agent: <message>" on stderr, and if
// `json` also an object on stdout. Returns kAgentFailed, the exit status for
// that.
int Fail(const absl::Status& status, bool json = false);

// Returns `text` in one line: every byte but printable ASCII is escaped. Cut
// off after 4096 bytes.
std::string OneLine(absl::string_view text);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_REPORT_H_
