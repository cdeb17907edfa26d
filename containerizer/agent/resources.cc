// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/resources.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "external_containerizer/containerizer/program/flags.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "re2/re2.h"

namespace external_containerizer {
namespace {

// Far above any machine, and exact as a double with three decimals.
constexpr double kLargestScalar = 1e12;
constexpr size_t kMostItems = 1000;

constexpr char kExample[] =
    "as in cpus:0.5;mem:64;ports:[31000-32000];disks:{a,b}";

// A name that people write, and the name that they mean.
struct Word {
  const char* written;
  const char* meant;
  wire::Value::Type type;
};
constexpr Word kWords[] = {
    {"cpus", "cpus", wire::Value::SCALAR},
    {"mem", "mem", wire::Value::SCALAR},
    {"disk", "disk", wire::Value::SCALAR},
    {"gpus", "gpus", wire::Value::SCALAR},
    {"ports", "ports", wire::Value::RANGES},
    {"memory", "mem", wire::Value::SCALAR},
    {"ram", "mem", wire::Value::SCALAR},
    {"cores", "cpus", wire::Value::SCALAR},
};

bool IsUsual(absl::string_view name) {
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](const Word& word) { return name == word.meant; });
}

// Returns the usual name that `name` most likely means; empty if there is none.
std::string MeantName(absl::string_view name, wire::Value::Type type) {
  std::vector<std::string> words;
  for (const Word& word : kWords) {
    if (word.type == type) words.push_back(word.written);
  }
  const std::string nearest = Nearest(name, words);
  for (const Word& word : kWords) {
    if (nearest == word.written) return word.meant;
  }
  return "";
}

std::string Quoted(absl::string_view text) {
  constexpr size_t kMost = 100;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kMost)),
                      text.size() > kMost ? "..." : "", "\"");
}

absl::Status Wrong(absl::string_view item, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("resource ", Quoted(item), " ", why));
}

absl::Status ReadScalar(absl::string_view item, const std::string& text,
                        wire::Resource& resource) {
  static const RE2& kNumber = *new RE2("[0-9]+(\\.[0-9]+)?", RE2::Latin1);
  double value = 0;
  if (!RE2::FullMatch(text, kNumber) || !absl::SimpleAtod(text, &value)) {
    return Wrong(item,
                 absl::StrCat("needs a number, ranges [1-2,5-6] or a set {a,b} "
                              "behind the colon; numbers have no sign and no "
                              "unit (mem and disk are in MiB), ",
                              kExample));
  }
  if (value > kLargestScalar) return Wrong(item, "is more than 1e12");
  value = std::round(value * 1000) / 1000;
  if (value <= 0) return Wrong(item, "must be at least 0.001");
  resource.set_type(wire::Value::SCALAR);
  resource.mutable_scalar()->set_value(value);
  return absl::OkStatus();
}

absl::Status ReadRanges(absl::string_view item, const std::string& inside,
                        wire::Resource& resource) {
  static const RE2& kRange =
      *new RE2("\\s*([0-9]+)\\s*(-\\s*([0-9]+)\\s*)?", RE2::Latin1);
  resource.set_type(wire::Value::RANGES);
  for (const std::string& range :
       std::vector<std::string>(absl::StrSplit(inside, ','))) {
    std::string begin, upper, end;
    if (!RE2::FullMatch(range, kRange, &begin, &upper, &end)) {
      return Wrong(item, absl::StrCat("has a range ", Quoted(range),
                                      ", which is not like 31000-32000"));
    }
    if (upper.empty()) end = begin;
    uint64_t first = 0, last = 0;
    if (!absl::SimpleAtoi(begin, &first) || !absl::SimpleAtoi(end, &last)) {
      return Wrong(item, "has a number of more than 64 bits");
    }
    if (first > last) {
      return Wrong(item,
                   absl::StrCat("has a range that ends before it begins: ",
                                Quoted(range)));
    }
    if (resource.name() == "ports" && last > 65535) {
      return Wrong(item, absl::StrCat("has a port above 65535: ", Quoted(end)));
    }
    wire::Value::Range* added = resource.mutable_ranges()->add_range();
    added->set_begin(first);
    added->set_end(last);
  }
  return absl::OkStatus();
}

absl::Status ReadSet(absl::string_view item, const std::string& inside,
                     wire::Resource& resource) {
  static const RE2& kWord = *new RE2(
      "\\s*([^\\s{}()\\[\\]\\x00-\\x1f\\x7f-\\xff]+)\\s*", RE2::Latin1);
  resource.set_type(wire::Value::SET);
  for (const std::string& part :
       std::vector<std::string>(absl::StrSplit(inside, ','))) {
    std::string word;
    if (!RE2::FullMatch(part, kWord, &word)) {
      return Wrong(item, absl::StrCat("has ", Quoted(part),
                                      " in its set, which is not one word"));
    }
    resource.mutable_set()->add_item(word);
  }
  return absl::OkStatus();
}

absl::Status ReadItem(absl::string_view item, wire::Resource& resource) {
  static const RE2& kItem = *new RE2(
      "([A-Za-z0-9_.-]+)\\s*(\\(\\s*([A-Za-z0-9_.*][A-Za-z0-9_./*-]*)\\s*\\))?"
      "\\s*:\\s*(.*)",
      RE2::Latin1);
  static const RE2& kRanges = *new RE2("\\[(.*)\\]", RE2::Latin1);
  static const RE2& kSet = *new RE2("\\{(.*)\\}", RE2::Latin1);
  std::string name, parentheses, role, value, inside;
  if (!RE2::FullMatch(std::string(item), kItem, &name, &parentheses, &role,
                      &value)) {
    return Wrong(item, absl::StrCat("is not like name:value or "
                                    "name(role):value, ",
                                    kExample));
  }
  resource.set_name(name);
  resource.set_role(parentheses.empty() ? "*" : role);
  absl::Status read;
  if (RE2::FullMatch(value, kRanges, &inside)) {
    read = ReadRanges(item, inside, resource);
  } else if (RE2::FullMatch(value, kSet, &inside)) {
    read = ReadSet(item, inside, resource);
  } else {
    read = ReadScalar(item, value, resource);
  }
  if (!read.ok()) return read;
  if (parentheses.empty() && !IsUsual(name)) {
    const std::string meant = MeantName(name, resource.type());
    if (!meant.empty()) {
      return Wrong(item,
                   absl::StrCat("looks like ", meant, ": did you mean ", meant,
                                ":", value, "? If not, name the role: ", name,
                                "(*):", value));
    }
  }
  const bool number =
      name == "cpus" || name == "mem" || name == "disk" || name == "gpus";
  if (number && resource.type() != wire::Value::SCALAR) {
    return Wrong(item, absl::StrCat("must be a number, as in ", name, ":1"));
  }
  if (name == "ports" && resource.type() != wire::Value::RANGES) {
    return Wrong(item, "must be ranges, as in ports:[31000-32000]");
  }
  return absl::OkStatus();
}

std::string ValueText(const wire::Resource& resource) {
  constexpr size_t kMostShown = 100;
  std::vector<std::string> items;
  const auto add = [&](std::string item) {
    items.push_back(items.size() == kMostShown ? "..." : std::move(item));
    return items.size() <= kMostShown;
  };
  switch (resource.type()) {
    case wire::Value::RANGES:
      for (const auto& range : resource.ranges().range()) {
        if (!add(absl::StrCat(range.begin(), "-", range.end()))) break;
      }
      return absl::StrCat("[", absl::StrJoin(items, ","), "]");
    case wire::Value::SET:
      for (const std::string& item : resource.set().item()) {
        if (!add(item)) break;
      }
      return absl::StrCat("{", absl::StrJoin(items, ","), "}");
    case wire::Value::SCALAR:
    case wire::Value::TEXT:
      break;
  }
  return absl::StrCat(resource.scalar().value());
}

// Sorts the ranges, and joins those that overlap or touch.
void Coalesce(wire::Value::Ranges& ranges) {
  std::vector<wire::Value::Range> all(ranges.range().begin(),
                                      ranges.range().end());
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.begin() < b.begin(); });
  ranges.clear_range();
  for (const wire::Value::Range& range : all) {
    wire::Value::Range* last =
        ranges.range().empty() ? nullptr
                               : ranges.mutable_range(ranges.range_size() - 1);
    if (last != nullptr &&
        (range.begin() <= last->end() || range.begin() - last->end() == 1)) {
      last->set_end(std::max(last->end(), range.end()));
    } else {
      *ranges.add_range() = range;
    }
  }
}

void Deduplicate(wire::Value::Set& set) {
  std::vector<std::string> all(set.item().begin(), set.item().end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  set.clear_item();
  for (const std::string& word : all) set.add_item(word);
}

// Adds `more` to `sum`. Both have the same name, role and type.
void Add(const wire::Resource& more, wire::Resource& sum) {
  if (sum.type() == wire::Value::SCALAR) {
    sum.mutable_scalar()->set_value(sum.scalar().value() +
                                    more.scalar().value());
  } else if (sum.type() == wire::Value::RANGES) {
    sum.mutable_ranges()->MergeFrom(more.ranges());
  } else {
    sum.mutable_set()->MergeFrom(more.set());
  }
}

}  // namespace

absl::StatusOr<Resources> ParseResources(absl::string_view text) {
  if (!text.empty() && text[0] == '[') {
    return absl::InvalidArgumentError(absl::StrCat(
        "resources are not read from JSON; write them ", kExample));
  }
  Resources resources;
  for (absl::string_view item : absl::StrSplit(text, ';')) {
    item = absl::StripAsciiWhitespace(item);
    if (item.empty()) continue;
    wire::Resource resource;
    absl::Status read = ReadItem(item, resource);
    if (!read.ok()) return read;
    const auto same = std::find_if(resources.begin(), resources.end(),
                                   [&](const wire::Resource& other) {
                                     return other.name() == resource.name() &&
                                            other.role() == resource.role();
                                   });
    if (same == resources.end()) {
      if (resources.size() == kMostItems) {
        return absl::InvalidArgumentError("more than 1000 resources");
      }
      resources.push_back(resource);
    } else if (same->type() != resource.type()) {
      return Wrong(item, absl::StrCat("is of another kind than an earlier ",
                                      resource.name()));
    } else {
      Add(resource, *same);
    }
  }
  for (wire::Resource& resource : resources) {
    if (resource.has_ranges()) Coalesce(*resource.mutable_ranges());
    if (resource.has_set()) Deduplicate(*resource.mutable_set());
  }
  return resources;
}

std::string UnknownResourcesText(const Resources& resources) {
  constexpr size_t kMostShown = 20;
  std::vector<std::string> names;
  for (const wire::Resource& resource : resources) {
    if (IsUsual(resource.name())) continue;
    if (std::find(names.begin(), names.end(), resource.name()) != names.end()) {
      continue;
    }
    if (names.size() == kMostShown) {
      names.push_back("...");
      break;
    }
    names.push_back(resource.name());
  }
  if (names.empty()) return "";
  return absl::StrCat("no program is known to enforce ",
                      absl::StrJoin(names, ", "),
                      ": the usual names are cpus, mem, disk, gpus and ports");
}

std::string ResourceText(const wire::Resource& resource) {
  std::string text = resource.name();
  // The last reservation is the present one.
  const std::string& role =
      resource.reservations().empty()
          ? resource.role()
          : resource.reservations(resource.reservations_size() - 1).role();
  if (!role.empty() && role != "*") absl::StrAppend(&text, "(", role, ")");
  if (resource.disk().has_persistence()) {
    absl::StrAppend(&text, "[", resource.disk().persistence().id(), ":",
                    resource.disk().volume().container_path(), "]");
  }
  return absl::StrCat(text, ":", ValueText(resource));
}

}  // namespace external_containerizer
