// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {
namespace {

// A program's numbers are not to be trusted.
std::optional<absl::Duration> Seconds(bool there, double seconds) {
  if (!there || !std::isfinite(seconds) || seconds < 0) return std::nullopt;
  return absl::Seconds(seconds);
}

std::string SecondsText(absl::Duration duration) {
  return absl::StrFormat("%.2f s", absl::ToDoubleSeconds(duration));
}

bool IsOfCommand(const ContainerEvent& event) {
  return event.kind == ContainerEvent::Kind::kCommandStarted ||
         event.kind == ContainerEvent::Kind::kCommandEnded ||
         event.kind == ContainerEvent::Kind::kTrouble;
}

bool IsPlainlyDestroyed(const End& end) {
  return end.destroyed && end.exit.kind == wire::Exit::Kind::kUnknown;
}

std::string HowText(const End& end) {
  return IsPlainlyDestroyed(end) ? "destroyed" : end.exit.ToString();
}

JsonObject ExitJson(const wire::Exit& exit, absl::string_view message,
                    absl::string_view why) {
  JsonObject json;
  if (exit.kind == wire::Exit::Kind::kExited) {
    json.Integer("exit_code", exit.number);
  } else if (exit.kind == wire::Exit::Kind::kSignaled) {
    json.Integer("signal", exit.number);
  }
  json.Text("message", message);
  if (!why.empty()) json.Text("why", why);
  return json;
}

std::string MemoryText(const ResourceUse& used) {
  std::string text = absl::StrCat("memory ", BytesText(*used.memory_bytes));
  if (used.memory_limit_bytes.has_value()) {
    absl::StrAppend(&text, " of ", BytesText(*used.memory_limit_bytes));
  }
  return text;
}

// Returns the limits that were asked for and are not known to have been
// enforced: "0.5 cpus".
std::vector<std::string> LimitsNotKnown(const End& end) {
  std::vector<std::string> limits;
  const bool throttled =
      end.used.throttled.value_or(absl::ZeroDuration()) > absl::ZeroDuration();
  if (end.cpus_asked_for.has_value() && !end.used.cpus_limit.has_value() &&
      !throttled) {
    limits.push_back(absl::StrFormat("%.6g cpus", *end.cpus_asked_for));
  }
  if (end.memory_asked_for_bytes.has_value() &&
      !end.used.memory_limit_bytes.has_value()) {
    limits.push_back(BytesText(*end.memory_asked_for_bytes));
  }
  return limits;
}

double Sum(const Resources& resources, absl::string_view name) {
  double sum = 0;
  for (const wire::Resource& resource : resources) {
    if (resource.name() == name) sum += resource.scalar().value();
  }
  return sum;
}

std::string StatusText(const absl::Status& status) {
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ",
                      OneLine(status.message()));
}

}  // namespace

std::string DurationText(absl::Duration duration) {
  duration = std::max(duration, absl::ZeroDuration());
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 10) return absl::StrFormat("%.1f s", seconds);
  const int64_t whole = absl::ToInt64Seconds(duration);
  if (whole < 60) return absl::StrCat(whole, " s");
  if (whole < 3600) return absl::StrCat(whole / 60, " m ", whole % 60, " s");
  return absl::StrCat(whole / 3600, " h ", whole % 3600 / 60, " m");
}

std::string BytesText(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.96 would be printed as 1024.0.
  while (amount >= 1023.95 && unit < 5) {
    amount /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", amount, kUnits[unit]);
}

std::optional<absl::Duration> ResourceUse::Cpu() const {
  if (!user.has_value() && !system.has_value()) return std::nullopt;
  return user.value_or(absl::ZeroDuration()) +
         system.value_or(absl::ZeroDuration());
}

ResourceUse ResourceUseOf(const wire::ResourceStatistics& statistics) {
  ResourceUse used;
  used.user = Seconds(statistics.has_cpus_user_time_secs(),
                      statistics.cpus_user_time_secs());
  used.system = Seconds(statistics.has_cpus_system_time_secs(),
                        statistics.cpus_system_time_secs());
  if (statistics.has_mem_total_bytes()) {
    used.memory_bytes = statistics.mem_total_bytes();
  } else if (statistics.has_mem_rss_bytes()) {
    used.memory_bytes = statistics.mem_rss_bytes();
  }
  if (statistics.has_mem_limit_bytes()) {
    used.memory_limit_bytes = statistics.mem_limit_bytes();
  }
  if (std::isfinite(statistics.cpus_limit()) && statistics.cpus_limit() > 0) {
    used.cpus_limit = statistics.cpus_limit();
  }
  used.throttled = Seconds(statistics.has_cpus_throttled_time_secs(),
                           statistics.cpus_throttled_time_secs());
  return used;
}

std::string StatusLine(absl::string_view state, absl::Duration elapsed,
                       const ResourceUse& used, std::optional<double> cpus,
                       size_t width) {
  std::string line = absl::StrCat(state, " ", DurationText(elapsed));
  if (const auto cpu = used.Cpu(); cpu.has_value()) {
    absl::StrAppend(&line, " | cpu ", DurationText(*cpu));
    if (cpus.has_value()) {
      absl::StrAppendFormat(&line, " (%.0f%%)", std::max(0.0, *cpus) * 100);
    }
  }
  if (used.memory_bytes.has_value()) {
    absl::StrAppend(&line, " | ", MemoryText(used));
  }
  // In the last column some terminals would begin a new line.
  if (width > 0 && line.size() > width - 1) line.resize(width - 1);
  return line;
}

std::string EndText(const End& end) {
  std::string text =
      absl::StrCat(HowText(end), " after ", DurationText(end.took));
  if (!end.why.empty() && !IsPlainlyDestroyed(end)) {
    absl::StrAppend(&text, " (", end.why, ")");
  }
  const char* separator = "; ";
  if (end.used.Cpu().has_value()) {
    absl::StrAppend(
        &text, separator, "cpu ",
        SecondsText(end.used.user.value_or(absl::ZeroDuration())), " user ",
        SecondsText(end.used.system.value_or(absl::ZeroDuration())), " system");
    separator = ", ";
  }
  if (end.used.throttled.value_or(absl::ZeroDuration()) >
      absl::ZeroDuration()) {
    absl::StrAppend(&text, separator, "throttled for ",
                    SecondsText(*end.used.throttled));
    separator = ", ";
  }
  if (end.used.memory_bytes.has_value()) {
    absl::StrAppend(&text, separator, MemoryText(end.used));
  }
  const std::vector<std::string> limits = LimitsNotKnown(end);
  if (!limits.empty()) {
    const bool one = limits.size() == 1;
    absl::StrAppend(&text, one ? " (the limit of " : " (the limits of ",
                    absl::StrJoin(limits, " and "), one ? " is" : " are",
                    " not known to be enforced; see agent doctor)");
  }
  return text;
}

JsonObject EndJson(const End& end) {
  JsonObject json;
  json.Text("type", "end").Append(ExitJson(end.exit, HowText(end), end.why));
  if (!end.error.empty()) json.Text("error", end.error);
  return json.Number("seconds", absl::ToDoubleSeconds(end.took))
      .Append(ResourceUseJson(end.used))
      .Integer("status", end.status);
}

std::optional<double> CpusAskedFor(const Resources& resources) {
  const double cpus = Sum(resources, "cpus");
  if (!(cpus > 0)) return std::nullopt;
  return cpus;
}

std::optional<uint64_t> MemoryAskedFor(const Resources& resources) {
  const double mebibytes = Sum(resources, "mem");
  constexpr double kMost = 1e12;
  if (!(mebibytes > 0)) return std::nullopt;
  return static_cast<uint64_t>(std::min(mebibytes, kMost) * (1 << 20));
}

std::string WhyOf(const wire::Termination& termination) {
  std::string why;
  for (const wire::TaskStatus::Reason reason : wire::ReasonsOf(termination)) {
    // This reason only says that the container has ended.
    if (reason == wire::TaskStatus::REASON_EXECUTOR_TERMINATED) continue;
    const std::string name(wire::TaskStatus::Reason_Name(reason));
    if (!name.empty()) absl::StrAppend(&why, why.empty() ? "" : ", ", name);
  }
  // Most messages only repeat an exit that is known.
  const bool known =
      wire::ExitOf(termination).kind != wire::Exit::Kind::kUnknown;
  if (!termination.message().empty() && (!why.empty() || !known)) {
    absl::StrAppend(&why, why.empty() ? "" : ": ",
                    OneLine(termination.message()));
  }
  return why;
}

std::string TerminationText(const wire::Termination& end) {
  const std::string why = WhyOf(end);
  return absl::StrCat(wire::ExitOf(end).ToString(),
                      why.empty() ? "" : absl::StrCat(" (", why, ")"));
}

JsonObject TerminationJson(const wire::Termination& end) {
  const wire::Exit exit = wire::ExitOf(end);
  return ExitJson(exit, exit.ToString(), WhyOf(end));
}

int ExitStatusOf(const wire::Exit& exit) {
  switch (exit.kind) {
    case wire::Exit::Kind::kExited:
      return exit.number;
    case wire::Exit::Kind::kSignaled:
      return 128 + exit.number;
    case wire::Exit::Kind::kUnknown:
      break;
  }
  return kAgentFailed;
}

absl::string_view EventName(ContainerEvent::Kind kind) {
  switch (kind) {
    case ContainerEvent::Kind::kCommandStarted:
      return "command_started";
    case ContainerEvent::Kind::kCommandEnded:
      return "command_ended";
    case ContainerEvent::Kind::kStateChanged:
      return "state_changed";
    case ContainerEvent::Kind::kTrouble:
      return "trouble";
    case ContainerEvent::Kind::kNotice:
      break;
  }
  return "notice";
}

std::string EventText(const ContainerEvent& event) {
  std::string text;
  if (IsOfCommand(event)) {
    absl::StrAppend(&text, CommandName(event.command));
  }
  if (!event.container.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", OneLine(event.container));
  }
  switch (event.kind) {
    case ContainerEvent::Kind::kCommandStarted:
      absl::StrAppend(&text, " started");
      break;
    case ContainerEvent::Kind::kCommandEnded:
      absl::StrAppendFormat(&text, " ended after %.3f s",
                            absl::ToDoubleSeconds(event.took));
      if (event.queued >= absl::Milliseconds(1)) {
        absl::StrAppendFormat(&text, " (%.3f s in the queue)",
                              absl::ToDoubleSeconds(event.queued));
      }
      break;
    case ContainerEvent::Kind::kStateChanged:
      absl::StrAppend(&text, " is ", ContainerStateName(event.state));
      break;
    case ContainerEvent::Kind::kNotice:
    case ContainerEvent::Kind::kTrouble:
      break;
  }
  if (!event.detail.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : ": ", OneLine(event.detail));
  }
  if (!event.status.ok()) {
    absl::StrAppend(&text, text.empty() ? "" : ": ", StatusText(event.status));
  }
  return text;
}

JsonObject EventJson(const ContainerEvent& event) {
  JsonObject json;
  json.Text("type", "event").Text("event", EventName(event.kind));
  if (!event.container.empty()) json.Text("container", event.container);
  if (IsOfCommand(event)) json.Text("command", CommandName(event.command));
  if (event.kind == ContainerEvent::Kind::kStateChanged) {
    json.Text("state", ContainerStateName(event.state));
  }
  if (event.kind == ContainerEvent::Kind::kCommandEnded) {
    json.Number("queued_seconds", absl::ToDoubleSeconds(event.queued))
        .Number("seconds", absl::ToDoubleSeconds(event.took));
  }
  if (!event.detail.empty()) json.Text("detail", event.detail);
  if (!event.status.ok()) {
    json.Text("error_code", absl::StatusCodeToString(event.status.code()))
        .Text("error", std::string(event.status.message()));
  }
  return json;
}

JsonObject ResourceUseJson(const ResourceUse& used) {
  JsonObject json;
  if (used.user.has_value()) {
    json.Number("cpu_user_seconds", absl::ToDoubleSeconds(*used.user));
  }
  if (used.system.has_value()) {
    json.Number("cpu_system_seconds", absl::ToDoubleSeconds(*used.system));
  }
  if (used.memory_bytes.has_value()) {
    json.Integer("memory_bytes", static_cast<int64_t>(*used.memory_bytes));
  }
  if (used.memory_limit_bytes.has_value()) {
    json.Integer("memory_limit_bytes",
                 static_cast<int64_t>(*used.memory_limit_bytes));
  }
  if (used.throttled.has_value()) {
    json.Number("cpu_throttled_seconds",
                absl::ToDoubleSeconds(*used.throttled));
  }
  return json;
}

JsonObject ErrorJson(const absl::Status& status) {
  return JsonObject()
      .Text("type", "error")
      .Text("error_code", absl::StatusCodeToString(status.code()))
      .Text("error", std::string(status.message()));
}

int Fail(const absl::Status& status, bool json) {
  if (json) Print(absl::StrCat(ErrorJson(status).ToString(), "\n"));
  fprintf(stderr, "agent: %s\n", OneLine(status.message()).c_str());
  return kAgentFailed;
}

std::string OneLine(absl::string_view text) {
  constexpr size_t kMost = 4096;
  std::string line;
  // Quotes in a message are escaped already; CHexEscape() of the whole would
  // double their backslashes.
  for (const char c : text.substr(0, kMost)) {
    if (c >= 0x20 && c < 0x7f) {
      line += c;
    } else {
      line += absl::CHexEscape(absl::string_view(&c, 1));
    }
  }
  if (text.size() > kMost) line += "...";
  return line;
}

}  // namespace external_containerizer
