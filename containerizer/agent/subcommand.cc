// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/subcommand.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/standard_output.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostShown = 100;

std::string HelpOnAll(const std::vector<Subcommand>& subcommands) {
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

// Returns `arguments` with the flags before the others, so that `agent wait one
// --json` works.
absl::StatusOr<std::vector<std::string>> FlagsFirst(
    const std::vector<Flag>& known, std::vector<std::string> arguments) {
  std::vector<std::string> flags, rest;
  for (bool ended = false; !ended;) {
    const absl::StatusOr<Flags> parsed = Flags::Parse(known, arguments);
    if (!parsed.ok()) return parsed.status();
    size_t read = arguments.size() - parsed->rest().size();
    ended = parsed->rest().empty();
    if (read > 0 && arguments[read - 1] == "--") {
      --read;
      ended = true;
    }
    const auto end = arguments.begin() + static_cast<std::ptrdiff_t>(read);
    flags.insert(flags.end(), arguments.begin(), end);
    arguments = parsed->rest();
    if (!ended) {
      rest.push_back(arguments.front());
      arguments.erase(arguments.begin());
    }
  }
  flags.push_back("--");
  flags.insert(flags.end(), rest.begin(), rest.end());
  flags.insert(flags.end(), arguments.begin(), arguments.end());
  return flags;
}

int UsageError(const std::string& name, absl::string_view message) {
  fprintf(stderr, "agent: %s\nTry: agent %s--help\n",
          std::string(message).c_str(),
          name.empty() ? "" : absl::StrCat(name, " ").c_str());
  return kAgentFailed;
}

absl::StatusOr<int> Run(const Subcommand& subcommand,
                        const Surroundings& surroundings,
                        const std::vector<std::string>& arguments) {
  const absl::StatusOr<Call> call =
      ParseCall(subcommand, surroundings, arguments);
  if (!call.ok()) return call.status();
  if (!call->flags.On("help")) return subcommand.run(*call);
  Print(HelpOf(subcommand));
  return 0;
}

}  // namespace

std::string HelpOf(const Subcommand& subcommand) {
  std::vector<Flag> flags = subcommand.flags;
  flags.push_back({"help", "", "Shows this.", 'h'});
  return absl::StrCat(
      subcommand.description, "\nUsage: agent ", subcommand.name, " [FLAGS]",
      subcommand.usage.empty() ? "" : " ", subcommand.usage, "\n\n",
      HelpOn(flags), subcommand.notes.empty() ? "" : "\n", subcommand.notes);
}

absl::StatusOr<Call> ParseCall(const Subcommand& subcommand,
                               const Surroundings& surroundings,
                               const std::vector<std::string>& arguments) {
  absl::StatusOr<std::vector<std::string>> ordered = arguments;
  if (subcommand.max_arguments != Subcommand::kCommand) {
    ordered = FlagsFirst(subcommand.flags, arguments);
    if (!ordered.ok()) return ordered.status();
  }
  absl::StatusOr<Flags> flags = Flags::Parse(subcommand.flags, *ordered);
  if (!flags.ok()) return flags.status();
  Call call = {surroundings, *std::move(flags)};
  if (call.flags.On("help")) return call;
  const std::vector<std::string>& given = call.arguments();
  if (given.size() < subcommand.min_arguments) {
    return absl::InvalidArgumentError(absl::StrCat(
        "name the container, as in: agent ", subcommand.name, " one"));
  }
  if (given.size() > subcommand.max_arguments) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"",
        absl::CHexEscape(given[subcommand.max_arguments].substr(0, kMostShown)),
        "\" is one argument too many"));
  }
  return call;
}

int Dispatch(const std::vector<Subcommand>& subcommands,
             const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    fputs(HelpOnAll(subcommands).c_str(), stderr);
    return kAgentFailed;
  }
  std::string name = arguments[0];
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "help" && !rest.empty()) {
    name = rest[0];
    rest = {"--help"};
  }
  if (name == "--help" || name == "-h" || name == "help") {
    Print(HelpOnAll(subcommands));
    return OutputStatus(0);
  }
  std::vector<std::string> names;
  for (const Subcommand& subcommand : subcommands) {
    if (subcommand.name == name) {
      const absl::StatusOr<int> status = Run(subcommand, surroundings, rest);
      return OutputStatus(
          status.ok() ? *status : UsageError(name, status.status().message()));
    }
    names.push_back(subcommand.name);
  }
  const std::string nearest = Nearest(name, names);
  return UsageError(
      "", absl::StrCat("there is no command ",
                       absl::CHexEscape(name.substr(0, kMostShown)),
                       nearest.empty()
                           ? ""
                           : absl::StrCat("; did you mean ", nearest, "?")));
}

}  // namespace external_containerizer
