// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/inherited_environment.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace external_containerizer {
namespace {

constexpr char kDefaultPath[] =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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
    if (IsInherited(name, patterns)) {
      variables_.push_back({std::string(name), std::string(text)});
    }
  }
  const auto less = [](const Variable& a, const Variable& b) {
    return a.name < b.name;
  };
  std::stable_sort(variables_.begin(), variables_.end(), less);
  // Of a name that is there twice, the first counts, as to getenv().
  variables_.erase(std::unique(variables_.begin(), variables_.end(),
                               [](const Variable& a, const Variable& b) {
                                 return a.name == b.name;
                               }),
                   variables_.end());
  const Variable path{"PATH", kDefaultPath};
  const auto at =
      std::lower_bound(variables_.begin(), variables_.end(), path, less);
  if (IsInherited(path.name, patterns) &&
      (at == variables_.end() || at->name != path.name)) {
    variables_.insert(at, path);
  }
}

absl::string_view InheritedEnvironment::Get(absl::string_view name) const {
  for (const Variable& variable : variables_) {
    if (variable.name == name) {
      return absl::string_view(variable.text).substr(name.size() + 1);
    }
  }
  return "";
}

absl::StatusOr<EnvironmentBlock> InheritedEnvironment::With(
    const Environment& given) const {
  EnvironmentBlock block;
  block.given.reserve(given.size());
  block.pointers.reserve(variables_.size() + given.size() + 1);
  auto inherited = variables_.begin();
  const auto add_inherited = [&] {
    block.pointers.push_back(const_cast<char*>(inherited->text.c_str()));
    ++inherited;
  };
  for (const auto& [name, value] : given) {
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
    while (inherited != variables_.end() && inherited->name < name) {
      add_inherited();
    }
    if (inherited != variables_.end() && inherited->name == name) ++inherited;
    block.given.push_back(absl::StrCat(name, "=", value));
    // Reserved above, so the string stays where it is.
    block.pointers.push_back(block.given.back().data());
  }
  while (inherited != variables_.end()) add_inherited();
  block.pointers.push_back(nullptr);
  return block;
}

}  // namespace external_containerizer
