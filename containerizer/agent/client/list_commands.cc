// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/list_commands.h"

#include <cstdint>
#include <cstdio>
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

// Asks for the containers page by page.
absl::StatusOr<std::vector<Container>> Fetch(const Call& call) {
  const auto client = Connect(call);
  if (!client.ok()) return client.status();
  control::v1::ListRequest request;
  request.set_with_usage(true);
  for (const std::string& id : call.arguments()) request.add_ids(id);
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

// Agents that know names only have no other id.
const std::string& IdOf(const Container& container) {
  return container.has_container_id() ? container.container_id()
                                      : container.id();
}

std::vector<std::string> CommandOf(const Container& container) {
  // Older agents send the command as one text.
  if (container.arguments().empty()) return {container.command()};
  return {container.arguments().begin(), container.arguments().end()};
}

// The reason for its end is too long for a table; `wait` and --json have it.
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
    if (container.has_end()) json.Append(TerminationJson(container.end()));
    if (container.has_usage()) {
      json.Append(ResourceUseJson(ResourceUseOf(container.usage())));
    }
    if (container.has_problem()) json.Text("problem", container.problem());
    if (!Print(absl::StrCat(json.ToString(), "\n"))) return;
  }
}

// Problems do not fit into a table.
void PrintProblems(const std::vector<Container>& containers) {
  for (const Container& container : containers) {
    if (!container.has_problem()) continue;
    fprintf(stderr, "agent: %s: %s\n", OneLine(container.id()).c_str(),
            OneLine(container.problem()).c_str());
  }
}

absl::StatusOr<int> List(const Call& call) {
  const auto containers = Fetch(call);
  if (!containers.ok()) return Fail(call, containers.status());
  if (call.flags.On("json")) {
    PrintJson(*containers);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {
      {"CONTAINER", "STATE", "CPU", "MEMORY", "COMMAND"}};
  for (const Container& container : *containers) {
    const ResourceUse used = ResourceUseOf(container.usage());
    rows.push_back({OneLine(container.id()), StateText(container),
                    SecondsText(used.Cpu()), MemoryText(used.memory_bytes),
                    OneLine(container.command())});
  }
  Print(Table(rows));
  PrintProblems(*containers);
  return 0;
}

absl::StatusOr<int> Usage(const Call& call) {
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
    const ResourceUse used = ResourceUseOf(usage);
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

bool PrintEvent(const Call& call, const control::v1::Event& event) {
  if (call.flags.On("json")) {
    const std::string time = JsonTime(absl::FromUnixNanos(event.unix_nanos()));
    // The new members follow those that the agent wrote.
    return Print(absl::StrCat(event.json().substr(0, event.json().size() - 1),
                              ",\"time\":", JsonString(time),
                              ",\"number\":", event.number(), "}\n"));
  }
  const bool of_command =
      event.kind() == "command_started" || event.kind() == "command_ended";
  if (of_command && !call.flags.On("verbose")) return true;
  return Print(absl::StrCat(TimeText(event), " ", OneLine(event.text()), "\n"));
}

absl::StatusOr<int> Events(const Call& call) {
  control::v1::EventsRequest request;
  request.set_dont_wait(call.flags.On("past"));
  if (!call.arguments().empty()) request.set_container(call.arguments()[0]);
  const auto client = Connect(call);
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

}  // namespace

Subcommand ListSubcommand() {
  Subcommand list = {"list", "Lists the containers of a standing agent."};
  list.description =
      "Lists the containers of a standing agent, with what they use.\n";
  list.flags = ClientFlags({JsonFlag("One JSON object per container.")});
  list.run = List;
  return list;
}

Subcommand UsageSubcommand() {
  Subcommand usage = {"usage", "Tells what containers use and may use."};
  usage.usage = "[CONTAINER ...]";
  usage.description =
      "Tells what containers of a standing agent use, all of them or those "
      "that are\nnamed, and what they may use where the program says so.\n";
  usage.flags = ClientFlags({JsonFlag("One JSON object per container.")});
  usage.max_arguments = kMostIds;
  usage.run = Usage;
  return usage;
}

Subcommand EventsSubcommand() {
  Subcommand events = {"events", "Tells what happens to containers."};
  events.usage = "[CONTAINER]";
  events.description =
      "Tells what has happened to the containers of a standing agent, or to "
      "one, and then\nwhat happens, until it is interrupted or the agent "
      "ends.\n";
  events.flags = ClientFlags(
      {{"past", "", "Tells what has happened, and ends."},
       {"verbose", "", "Also the commands that the program is given.", 'v'},
       JsonFlag("One JSON object per event.")});
  events.max_arguments = 1;
  events.run = Events;
  return events;
}

}  // namespace external_containerizer
