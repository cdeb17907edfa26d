// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/tree_reader.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/parse.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/state/text_files.h"
#include "external_containerizer/transport/record_io.h"
#include "google/protobuf/message.h"

namespace external_containerizer {
namespace state {

std::string JoinPath(absl::string_view a, absl::string_view b) {
  return absl::StrCat(a, "/", b);
}

TreeReader::TreeReader(const ReadOptions& options, AgentState& state)
    : options_(options), state_(state), entries_left_(options.max_entries) {}

absl::StatusOr<std::optional<std::string>> TreeReader::ReadText(
    const Place& place, const std::string& name) {
  const auto bytes = ReadFile(place, name, kMaxTextBytes);
  if (!bytes.ok()) return bytes.status();
  if (!*bytes) return std::nullopt;
  if ((*bytes)->empty()) {
    Notice(JoinPath(place.path, name), "is empty");
    return std::nullopt;
  }
  return std::string(**bytes);
}

absl::StatusOr<std::optional<absl::string_view>> TreeReader::ReadFile(
    const Place& place, const std::string& name, size_t max) {
  auto bytes = place.directory.Read(name, max, buffer_);
  if (bytes.ok()) return bytes;
  absl::Status status = Damage(JoinPath(place.path, name), bytes.status());
  if (!status.ok()) return status;
  return std::nullopt;
}

absl::StatusOr<std::optional<Place>> TreeReader::Open(const Place& place,
                                                      const std::string& name) {
  absl::StatusOr<std::optional<Directory>> directory =
      place.directory.Open(name);
  if (!directory.ok()) {
    absl::Status status =
        Damage(JoinPath(place.path, name), directory.status());
    if (!status.ok()) return status;
    return std::nullopt;
  }
  if (!*directory) return std::nullopt;
  return Place{std::move(**directory), JoinPath(place.path, name)};
}

absl::StatusOr<TreeReader::Entries> TreeReader::List(const Place& place) {
  absl::StatusOr<Entries> entries = place.directory.List(entries_left_);
  if (!entries.ok()) {
    absl::Status status = Damage(place.path, entries.status());
    if (!status.ok()) return status;
    return Entries();
  }
  entries_left_ -= entries->size();
  return entries;
}

absl::StatusOr<TreeReader::Names> TreeReader::ListDirectories(
    const Place& place) {
  absl::StatusOr<Entries> entries = List(place);
  if (!entries.ok()) return entries.status();
  Names names;
  names.reserve(entries->size());
  for (Directory::Entry& entry : *entries) {
    if (entry.name == kLatestLink) continue;
    if (entry.type == Directory::Type::kDirectory) {
      names.push_back(std::move(entry.name));
    } else {
      Notice(JoinPath(place.path, entry.name),
             "is not a directory, and not read");
    }
  }
  return names;
}

absl::StatusOr<std::optional<std::string>> TreeReader::ReadLatest(
    const Place& place) {
  const auto target = place.directory.ReadLink(kLatestLink);
  if (target.ok() && !*target) return std::nullopt;
  absl::Status why = target.status();
  if (why.ok()) {
    absl::string_view id = **target;
    while (absl::ConsumeSuffix(&id, "/")) {
    }
    const size_t slash = id.rfind('/');
    if (slash != id.npos) id.remove_prefix(slash + 1);
    if (!id.empty() && id != "." && id != ".." && id != kLatestLink) {
      return std::string(id);
    }
    why = absl::DataLossError(absl::StrCat(
        "points to \"", absl::CHexEscape(**target), "\", which is no id"));
  }
  absl::Status status = Damage(JoinPath(place.path, kLatestLink), why);
  if (!status.ok()) return status;
  return std::nullopt;
}

absl::StatusOr<bool> TreeReader::ReadMessage(
    const Place& place, const std::string& name,
    google::protobuf::Message& message) {
  const auto bytes = ReadFile(place, name, options_.max_file_bytes);
  if (!bytes.ok()) return bytes.status();
  if (!*bytes) return false;
  if ((*bytes)->empty()) {
    Notice(JoinPath(place.path, name), "is empty");
    return false;
  }
  const std::optional<absl::string_view> payload =
      WholeRecord(**bytes, options_.max_file_bytes);
  absl::Status why;
  if (!payload) {
    RecordReader record(options_.max_file_bytes);
    record.Feed(**bytes);
    why = std::move(record).Finish().status();
  } else if (!Parse(*payload, message)) {
    why = absl::DataLossError(
        absl::StrCat("no ", message.GetDescriptor()->name()));
  }
  if (why.ok()) why = wire::CheckComplete(message);
  if (!why.ok()) {
    absl::Status status = Damage(JoinPath(place.path, name), why);
    if (!status.ok()) return status;
    return false;
  }
  const size_t trailing =
      (*bytes)->size() - kRecordPrefixBytes - payload->size();
  if (trailing > 0) {
    Notice(JoinPath(place.path, name),
           absl::StrCat("has ", trailing, " bytes after its record"));
  }
  return true;
}

absl::Status TreeReader::EndOf(const std::string& path, size_t size,
                               const SequenceEnd& end) {
  if (end.good_bytes == size) return absl::OkStatus();
  state_.truncations.push_back({path, size, end.good_bytes});
  if (end.torn) return absl::OkStatus();
  return Damage(path, end.damage);
}

absl::Status TreeReader::Damage(const std::string& path,
                                const absl::Status& why) {
  if (options_.strict || why.code() == absl::StatusCode::kResourceExhausted) {
    return absl::Status(
        why.code() == absl::StatusCode::kResourceExhausted
            ? why.code()
            : absl::StatusCode::kDataLoss,
        absl::StrCat(absl::CHexEscape(JoinPath(state_.work_dir, path)), ": ",
                     why.message()));
  }
  Add({Problem::Kind::kDamage, path, std::string(why.message())});
  return absl::OkStatus();
}

void TreeReader::Notice(const std::string& path, absl::string_view why) {
  Add({Problem::Kind::kNotice, path, std::string(why)});
}

void TreeReader::Add(Problem problem) {
  if (state_.problems.size() < options_.max_problems) {
    state_.problems.push_back(std::move(problem));
  } else {
    ++state_.further_problems;
  }
}

uint64_t TreeReader::ProblemCount() const {
  return state_.problems.size() + state_.further_problems;
}

}  // namespace state
}  // namespace external_containerizer
