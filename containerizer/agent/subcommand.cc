// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/subcommand.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {
namespace {

std::string Help(const std::vector<Subcommand>& subcommands) {
  std::string text =
      "Runs containers through an external program: any executable that "
      "understands\nlaunch, update, usage, wait, destroy, containers and "
      "recover.\n\nUsage: agent COMMAND [FLAGS] ...\n\n";
  size_t width = 0;
  for (const Subcommand& subcommand : subcommands) {
    width = std::max(width, subcommand.name.size());
  }
  for (const Subcommand& subcommand : subcommands) {
    absl::StrAppend(&text, "  ", subcommand.name,
                    std::string(width + 2 - subcommand.name.size(), ' '),
                    subcommand.summary, "\n");
  }
  absl::StrAppend(&text,
                  "\nTry:\n  agent run -- sh -c 'echo hello; exit 3'\n  agent "
                  "run --help\n");
  return text;
}

}  // namespace

int Dispatch(const std::vector<Subcommand>& subcommands,
             const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    fputs(Help(subcommands).c_str(), stderr);
    return kAgentFailed;
  }
  std::string name = arguments[0];
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "help" && !rest.empty()) {
    name = rest[0];
    rest = {"--help"};
  }
  if (name == "--help" || name == "-h" || name == "help") {
    Print(Help(subcommands));
    return PrintedStatus(0);
  }
  const auto found = std::find_if(
      subcommands.begin(), subcommands.end(),
      [&](const Subcommand& candidate) { return candidate.name == name; });
  if (found != subcommands.end()) {
    return PrintedStatus(found->main(surroundings, rest));
  }
  std::vector<std::string> names;
  for (const Subcommand& subcommand : subcommands) {
    names.push_back(subcommand.name);
  }
  const std::string nearest = Nearest(name, names);
  constexpr size_t kMostShown = 100;
  return UsageError(
      "", absl::StrCat("there is no command ",
                       absl::CHexEscape(name.substr(0, kMostShown)),
                       nearest.empty()
                           ? ""
                           : absl::StrCat("; did you mean ", nearest, "?")));
}

int UsageError(const std::string& name, const std::string& message) {
  fprintf(stderr, "agent: %s\nTry: agent %s--help\n", message.c_str(),
          name.empty() ? "" : absl::StrCat(name, " ").c_str());
  return kAgentFailed;
}

}  // namespace external_containerizer
