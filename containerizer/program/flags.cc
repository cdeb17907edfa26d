// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/flags.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace external_containerizer {
namespace {

// The number of letters to insert, remove or change to get from one to the
// other.
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

std::string Excerpt(absl::string_view text) {
  constexpr size_t kMost = 200;
  if (text.size() <= kMost) return absl::CHexEscape(text);
  return absl::StrCat(absl::CHexEscape(text.substr(0, kMost)), "...");
}

absl::Status Unknown(const std::vector<Flag>& known, const std::string& given,
                     const std::string& name) {
  std::vector<std::string> names = {"help"};
  for (const Flag& flag : known) names.push_back(flag.name);
  const std::string nearest = Nearest(name, names);
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no flag ", Excerpt(given),
      nearest.empty() ? "" : absl::StrCat("; did you mean --", nearest, "?")));
}

}  // namespace

absl::StatusOr<Flags> Flags::Parse(const std::vector<Flag>& known,
                                   const std::vector<std::string>& arguments) {
  Flags flags;
  size_t i = 0;
  for (; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      ++i;
      break;
    }
    if (argument.size() < 2 || argument[0] != '-') break;
    const bool is_long = absl::StartsWith(argument, "--");
    const size_t equals = is_long ? argument.find('=') : argument.npos;
    const bool assigned = equals != argument.npos;
    const size_t dashes = is_long ? 2 : 1;
    const std::string name =
        argument.substr(dashes, assigned ? equals - dashes : argument.npos);
    std::string value = assigned ? argument.substr(equals + 1) : "";
    if (name.empty() || (!is_long && name.size() != 1)) {
      return Unknown(known, argument, argument);
    }
    if (name == "help" || argument == "-h") {
      flags.values_["help"].push_back("true");
      continue;
    }
    const auto flag =
        std::find_if(known.begin(), known.end(), [&](const Flag& candidate) {
          return is_long ? candidate.name == name : candidate.letter == name[0];
        });
    if (flag == known.end()) {
      return Unknown(known, argument.substr(0, argument.find('=')), name);
    }
    if (flag->value.empty()) {
      if (!assigned) value = "true";
      if (value != "true" && value != "false" && value != "yes" &&
          value != "no") {
        return absl::InvalidArgumentError(absl::StrCat(
            "--", flag->name, " is on or off: it takes no value ",
            "other than true and false, and not \"", Excerpt(value), "\""));
      }
    } else if (!assigned) {
      if (++i == arguments.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", flag->name, " needs a value: --", flag->name,
                         "=", flag->value));
      }
      value = arguments[i];
    }
    flags.values_[flag->name].push_back(value);
  }
  flags.rest_.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i),
                     arguments.end());
  return flags;
}

bool Flags::On(absl::string_view name) const {
  const std::string value = Value(name, "false");
  return value == "true" || value == "yes";
}

std::string Flags::Value(absl::string_view name,
                         absl::string_view otherwise) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::string(otherwise) : found->second.back();
}

std::vector<std::string> Flags::Values(absl::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

namespace {

// `text` in lines of at most 79 columns, the first six of which are empty.
std::string Paragraph(absl::string_view text) {
  constexpr size_t kColumns = 79;
  constexpr char kIndent[] = "      ";
  std::string paragraph, line;
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (!line.empty() && line.size() + 1 + word.size() > kColumns) {
      absl::StrAppend(&paragraph, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? kIndent : " ", word);
  }
  return absl::StrCat(paragraph, line, "\n");
}

}  // namespace

std::string HelpOn(const std::vector<Flag>& flags) {
  std::string text;
  for (const Flag& flag : flags) {
    absl::StrAppend(&text, "  ",
                    flag.letter == 0
                        ? ""
                        : absl::StrCat("-", std::string(1, flag.letter), ", "),
                    "--", flag.name, flag.value.empty() ? "" : "=", flag.value,
                    "\n", Paragraph(flag.help));
  }
  return text;
}

std::string Nearest(absl::string_view word,
                    const std::vector<std::string>& words) {
  constexpr size_t kLongest = 64;
  if (word.size() > kLongest) return "";
  const std::string lower = absl::AsciiStrToLower(word);
  std::string nearest;
  // Words of three letters are near to too many.
  size_t least =
      lower.size() <= 3 ? 2 : std::max<size_t>(2, lower.size() / 3) + 1;
  for (const std::string& candidate : words) {
    // A right beginning is near, however much is missing.
    const size_t distance = lower.size() >= 3 && candidate.rfind(lower, 0) == 0
                                ? 1
                                : Distance(lower, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace external_containerizer
