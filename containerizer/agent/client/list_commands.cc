// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/list_commands.h"

#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/client/client_command.h"
#include "external_containerizer/containerizer/agent/client/control_client.h"
#include "external_containerizer/containerizer/agent/client/table.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/wire/exit.h"

namespace external_containerizer {
namespace {

using Container = control::v1::ListReply::Container;

constexpr size_t kMostIds = 1000;

// Page by page.
absl::StatusOr<std::vector<Container>> Fetch(const ClientCall& call) {
  const auto client = ControlClient::Connect(call.work_dir);
  if (!client.ok()) return client.status();
  control::v1::ListRequest request;
  request.set_with_usage(true);
  for (const std::string& id : call.ids()) request.add_ids(id);
  std::vector<Container> containers;
  for (;;) {
    const auto reply = (*client)->Call(control::kList, request);
    if (!reply.ok()) return reply.status();
    containers.insert(containers.end(), reply->containers().begin(),
                      reply->containers().end());
    if (!reply->more() || reply->containers().empty()) return containers;
    request.set_after(containers.back().id());
  }
}

// Agents that know of names only have the same for both.
const std::string& IdOf(const Container& container) {
  return container.has_container_id() ? container.container_id()
                                      : container.id();
}

std::vector<std::string> CommandOf(const Container& container) {
  // Agents of before tell it as one text.
  if (container.arguments().empty()) return {container.command()};
  return {container.arguments().begin(), container.arguments().end()};
}

// Why it ended is too long for a table: `wait` and --json say it.
std::string StateText(const Container& container) {
  return container.state() == "exited" && container.has_end()
             ? wire::ExitOf(container.end()).ToString()
             : container.state();
}

std::string SecondsText(const std::optional<absl::Duration>& duration) {
  return duration.has_value()
             ? absl::StrFormat("%.2f s", absl::ToDoubleSeconds(*duration))
             : "";
}

std::string MemoryText(const std::optional<uint64_t>& bytes) {
  return bytes.has_value() ? BytesText(*bytes) : "";
}

void PrintJson(const std::vector<Container>& containers) {
  for (const Container& container : containers) {
    JsonObject json;
    json.Text("type", "container")
        .Text("container", container.id())
        .Text("id", IdOf(container))
        .Text("state", container.state())
        .Texts("command", CommandOf(container))
        .Text("sandbox", container.sandbox());
    if (container.has_end()) json.Append(EndedJson(container.end()));
    if (container.has_usage()) {
      json.Append(UsedJson(UsedOf(container.usage())));
    }
    if (container.has_problem()) json.Text("problem", container.problem());
    if (!Print(absl::StrCat(json.ToString(), "\n"))) return;
  }
}

// What needs an operator does not fit into a table.
void PrintProblems(const std::vector<Container>& containers) {
  for (const Container& container : containers) {
    if (!container.has_problem()) continue;
    fprintf(stderr, "agent: %s: %s\n", OneLine(container.id()).c_str(),
            OneLine(container.problem()).c_str());
  }
}

int List(const ClientCall& call) {
  const auto containers = Fetch(call);
  if (!containers.ok()) return Fail(call, containers.status());
  if (call.flags.On("json")) {
    PrintJson(*containers);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"CONTAINER", "STATE", "CPU", "MEMORY", "COMMAND"}};
  for (const Container& container : *containers) {
    const Used used = UsedOf(container.usage());
    rows.push_back({OneLine(container.id()), StateText(container),
                    SecondsText(used.Cpu()), MemoryText(used.memory_bytes),
                    OneLine(container.command())});
  }
  Print(Table(rows));
  PrintProblems(*containers);
  return 0;
}

int Usage(const ClientCall& call) {
  const auto containers = Fetch(call);
  if (!containers.ok()) return Fail(call, containers.status());
  if (call.flags.On("json")) {
    PrintJson(*containers);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"CONTAINER", "USER", "SYSTEM", "CPUS", "MEMORY", "LIMIT", "PROCESSES"}};
  for (const Container& container : *containers) {
    const wire::ResourceStatistics& usage = container.usage();
    const Used used = UsedOf(usage);
    rows.push_back(
        {OneLine(container.id()), SecondsText(used.user),
         SecondsText(used.system),
         usage.has_cpus_limit() ? absl::StrFormat("%.3g", usage.cpus_limit())
                                : "",
         MemoryText(used.memory_bytes),
         usage.has_mem_limit_bytes() ? BytesText(usage.mem_limit_bytes()) : "",
         usage.has_processes() ? absl::StrCat(usage.processes()) : ""});
  }
  Print(Table(rows));
  PrintProblems(*containers);
  return 0;
}

std::string TimeText(const control::v1::Event& event) {
  return absl::FormatTime("%H:%M:%E3S", absl::FromUnixNanos(event.unix_nanos()),
                          absl::LocalTimeZone());
}

bool PrintEvent(const ClientCall& call, const control::v1::Event& event) {
  if (call.flags.On("json")) {
    const std::string time = JsonTime(absl::FromUnixNanos(event.unix_nanos()));
    // Behind the members that the agent made.
    return Print(absl::StrCat(event.json().substr(0, event.json().size() - 1),
                              ",\"time\":", JsonString(time),
                              ",\"number\":", event.number(), "}\n"));
  }
  const bool of_command =
      event.kind() == "command_started" || event.kind() == "command_ended";
  if (of_command && !call.flags.On("verbose")) return true;
  return Print(absl::StrCat(TimeText(event), " ", OneLine(event.text()), "\n"));
}

int Events(const ClientCall& call) {
  control::v1::EventsRequest request;
  request.set_dont_wait(call.flags.On("past"));
  if (!call.ids().empty()) request.set_container(call.ids()[0]);
  const auto client = ControlClient::Connect(call.work_dir);
  if (!client.ok()) return Fail(call, client.status());
  for (;;) {
    const auto reply = (*client)->Call(control::kEvents, request);
    if (!reply.ok()) return Fail(call, reply.status());
    if (reply->missed() > 0) {
      fprintf(stderr, "agent: %llu earlier events are not kept any more\n",
              static_cast<unsigned long long>(reply->missed()));
    }
    for (const control::v1::Event& event : reply->events()) {
      if (!PrintEvent(call, event)) return 0;
    }
    if (call.flags.On("past") && reply->events().empty()) return 0;
    request.set_after(reply->last());
  }
}

constexpr char kListDescription[] =
    "Lists the containers of a standing agent, with what they use.\n";
constexpr char kUsageDescription[] =
    "Tells what containers of a standing agent use, all of them or those that "
    "are\nnamed, and what they may use where the program says so.\n";
constexpr char kEventsDescription[] =
    "Tells what has happened to the containers of a standing agent, or to one, "
    "and then\nwhat happens, until it is interrupted or the agent ends.\n";

}  // namespace

Subcommand ListSubcommand() {
  return {"list", "Lists the containers of a standing agent.",
          [](const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
            return RunClientCommand(
                {"list",
                 "",
                 kListDescription,
                 {JsonFlag("One JSON object per line and container.")},
                 0,
                 0},
                surroundings, arguments, List);
          }};
}

Subcommand UsageSubcommand() {
  return {"usage", "Tells what containers use and may use.",
          [](const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
            return RunClientCommand(
                {"usage",
                 "[CONTAINER ...]",
                 kUsageDescription,
                 {JsonFlag("One JSON object per line and container.")},
                 0,
                 kMostIds},
                surroundings, arguments, Usage);
          }};
}

Subcommand EventsSubcommand() {
  return {"events", "Tells what happens to containers.",
          [](const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
            return RunClientCommand(
                {"events",
                 "[CONTAINER]",
                 kEventsDescription,
                 {{"past", "", "Tells what has happened, and ends."},
                  {"verbose", "",
                   "Also the commands that the program is given.", 'v'},
                  JsonFlag("One JSON object per line and event.")},
                 0,
                 1},
                surroundings, arguments, Events);
          }};
}

}  // namespace external_containerizer
