// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/inherited_environment.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace external_containerizer {
namespace {

constexpr char kDefaultPath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool Matches(absl::string_view name, absl::string_view pattern) {
  return absl::ConsumeSuffix(&pattern, "*") ? absl::StartsWith(name, pattern)
                                            : name == pattern;
}

bool IsInherited(absl::string_view name,
                 const std::vector<std::string>& patterns) {
  return std::any_of(
      patterns.begin(), patterns.end(),
      [&](const std::string& pattern) { return Matches(name, pattern); });
}

}  // namespace

std::vector<std::string> DefaultInherited() {
  return {"PATH", "HOME", "USER",   "LOGNAME",         "LANG",
          "LC_*", "TZ",   "TMPDIR", "LD_LIBRARY_PATH", "DOCKER_*"};
}

InheritedEnvironment::InheritedEnvironment(
    const char* const* variables, const std::vector<std::string>& patterns) {
  for (; variables != nullptr && *variables != nullptr; ++variables) {
    const absl::string_view text(*variables);
    const size_t equals = text.find('=');
    if (equals == absl::string_view::npos || equals == 0) continue;
    const absl::string_view name = text.substr(0, equals);
    // If a name occurs twice, the first one counts, as in getenv().
    if (IsInherited(name, patterns)) {
      variables_.emplace(name, text.substr(equals + 1));
    }
  }
  if (IsInherited("PATH", patterns)) variables_.emplace("PATH", kDefaultPath);
}

std::string InheritedEnvironment::Get(const std::string& name) const {
  const auto variable = variables_.find(name);
  return variable == variables_.end() ? "" : variable->second;
}

absl::StatusOr<EnvironmentBlock> InheritedEnvironment::With(
    const Environment& given) const {
  Environment all = given;
  all.insert(variables_.begin(), variables_.end());
  EnvironmentBlock block;
  // Reserved, so that the strings do not move.
  block.variables.reserve(all.size());
  for (const auto& [name, value] : all) {
    if (name.empty() || name.find('=') != std::string::npos ||
        name.find('\0') != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", absl::CHexEscape(name),
                       "\" cannot be the name of an environment variable"));
    }
    if (value.find('\0') != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("the value of the environment variable ",
                       absl::CHexEscape(name), " contains a NUL"));
    }
    block.variables.push_back(absl::StrCat(name, "=", value));
    block.pointers.push_back(block.variables.back().data());
  }
  block.pointers.push_back(nullptr);
  return block;
}

}  // namespace external_containerizer
