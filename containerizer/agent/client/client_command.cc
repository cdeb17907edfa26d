// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/client_command.h"

#include <cstdio>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/agent/task_flags.h"
#include "external_containerizer/containerizer/wire/exit.h"

namespace external_containerizer {
namespace {

std::vector<Flag> AllFlags(const ClientCommand& command) {
  std::vector<Flag> flags = {
      {"work_dir", "DIR",
       "That of the agent that serves: `agent serve --work_dir=DIR`. Default: "
       "$XDG_STATE_HOME/external_containerizer or "
       "~/.local/state/external_containerizer."}};
  flags.insert(flags.end(), command.flags.begin(), command.flags.end());
  flags.push_back(HelpFlag());
  return flags;
}

std::string HelpOf(const ClientCommand& command) {
  return absl::StrCat(
      command.description, "\nUsage: agent ", command.name, " [FLAGS]",
      command.usage.empty() ? "" : absl::StrCat(" ", command.usage), "\n\n",
      HelpOn(AllFlags(command)));
}

absl::Status CheckIds(const ClientCommand& command, const Flags& flags) {
  const size_t given = flags.rest().size();
  if (given < command.min_ids) {
    return absl::InvalidArgumentError("name the container, as in: agent " +
                                      command.name + " one");
  }
  if (given > command.max_ids) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", absl::CHexEscape(flags.rest()[command.max_ids].substr(0, 100)),
        "\" is one argument too many; flags come before the rest"));
  }
  return absl::OkStatus();
}

}  // namespace

int RunClientCommand(const ClientCommand& command,
                     const Surroundings& surroundings,
                     const std::vector<std::string>& arguments,
                     int (*act)(const ClientCall& call)) {
  absl::StatusOr<Flags> flags = Flags::Parse(AllFlags(command), arguments);
  if (!flags.ok()) {
    return UsageError(command.name, std::string(flags.status().message()));
  }
  if (flags->On("help")) {
    Print(HelpOf(command));
    return 0;
  }
  const absl::Status ids = CheckIds(command, *flags);
  if (!ids.ok()) return UsageError(command.name, std::string(ids.message()));
  absl::StatusOr<std::string> work_dir = WorkDirectoryOf(surroundings, *flags);
  if (!work_dir.ok()) {
    return UsageError(command.name, std::string(work_dir.status().message()));
  }
  return act({*std::move(flags), *std::move(work_dir), surroundings});
}

Flag JsonFlag(const std::string& help) { return {"json", "", help}; }

int Fail(const ClientCall& call, const absl::Status& status) {
  if (call.flags.On("json")) {
    Print(absl::StrCat(ErrorJson(status).ToString(), "\n"));
  }
  fprintf(stderr, "agent: %s\n", OneLine(status.message()).c_str());
  return kAgentFailed;
}

std::string EndedText(const wire::Termination& end) {
  const std::string why = WhyOf(end);
  return absl::StrCat(wire::ExitOf(end).ToString(),
                      why.empty() ? "" : absl::StrCat(" (", why, ")"));
}

JsonObject EndedJson(const wire::Termination& end) {
  const wire::Exit exit = wire::ExitOf(end);
  JsonObject json;
  if (exit.kind == wire::Exit::Kind::kExited) {
    json.Integer("exit_code", exit.number);
  } else if (exit.kind == wire::Exit::Kind::kSignaled) {
    json.Integer("signal", exit.number);
  }
  json.Text("message", exit.ToString());
  const std::string why = WhyOf(end);
  if (!why.empty()) json.Text("why", why);
  return json;
}

int ExitStatusOf(const wire::Termination& end) {
  const wire::Exit exit = wire::ExitOf(end);
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

}  // namespace external_containerizer
