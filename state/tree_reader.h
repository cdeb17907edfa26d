// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads the kinds of files that make up an agent's tree, and lists what is
// wrong with them. It knows formats and bounds; reader.cc knows which file is
// where.
//
//   std::optional<wire::SlaveInfo> info;
//   absl::Status status = tree.ReadInfo(agent, kAgentInfoFile, info);

#ifndef EXTERNAL_CONTAINERIZER_STATE_TREE_READER_H_
#define EXTERNAL_CONTAINERIZER_STATE_TREE_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/state/agent_state.h"
#include "external_containerizer/state/directory.h"
#include "external_containerizer/state/read_options.h"
#include "external_containerizer/state/record_sequence.h"
#include "google/protobuf/message.h"

namespace external_containerizer {
namespace state {

// A directory, and its path below the work_dir. Names in it may have several
// components.
struct Place {
  Directory directory;
  std::string path;
};

// "a/b"
std::string JoinPath(absl::string_view a, absl::string_view b);

// A method returns an error only if reading has to stop: always for
// RESOURCE_EXHAUSTED, and for damage if the options are strict. Other damage is
// added to the problems of `state`, and the file counts as absent.
class TreeReader {
 public:
  using Names = std::vector<std::string>;
  using Entries = std::vector<Directory::Entry>;

  // `options` and `state` must outlive it.
  TreeReader(const ReadOptions& options, AgentState& state);

  // Opens a directory; nullopt if it is missing.
  absl::StatusOr<std::optional<Place>> Open(const Place& place,
                                            const std::string& name);
  // All entries, sorted.
  absl::StatusOr<Entries> List(const Place& place);
  // The directories, sorted. Everything else, except `latest`, is noticed.
  absl::StatusOr<Names> ListDirectories(const Place& place);
  // The id that `latest` stands for, whether or not it exists; nullopt if the
  // link is missing.
  absl::StatusOr<std::optional<std::string>> ReadLatest(const Place& place);

  // The bytes of a file, valid until the next file is read; nullopt if it is
  // missing.
  absl::StatusOr<std::optional<absl::string_view>> ReadFile(
      const Place& place, const std::string& name, size_t max);
  // The text of a file. nullopt if it is missing, or empty, which is noticed.
  absl::StatusOr<std::optional<std::string>> ReadText(const Place& place,
                                                      const std::string& name);
  // True if `message` now is the one record of the file, and complete. A
  // missing file is no problem, and an empty one is noticed.
  absl::StatusOr<bool> ReadMessage(const Place& place, const std::string& name,
                                   google::protobuf::Message& message);
  // The same, but a missing file is noticed, too.
  template <typename Message>
  absl::Status ReadInfo(const Place& place, const std::string& name,
                        std::optional<Message>& message);

  // Notes how the sequence of records in a file of `size` bytes ended.
  absl::Status EndOf(const std::string& path, size_t size,
                     const SequenceEnd& end);
  // `path` is below the work_dir, and `why` does not repeat it.
  absl::Status Damage(const std::string& path, const absl::Status& why);
  void Notice(const std::string& path, absl::string_view why);

 private:
  // Problems that are listed or counted.
  uint64_t ProblemCount() const;
  // Beyond max_problems it only counts.
  void Add(Problem problem);

  const ReadOptions& options_;
  AgentState& state_;
  size_t entries_left_;  // Of ReadOptions::max_entries.
  std::string buffer_;   // Of the file that was read last.
};

template <typename Message>
absl::Status TreeReader::ReadInfo(const Place& place, const std::string& name,
                                  std::optional<Message>& message) {
  const uint64_t problems = ProblemCount();
  const absl::StatusOr<bool> has_it =
      ReadMessage(place, name, message.emplace());
  if (has_it.ok() && *has_it) return absl::OkStatus();
  message.reset();
  if (has_it.ok() && ProblemCount() == problems) {
    Notice(JoinPath(place.path, name), "is missing");
  }
  return has_it.status();
}

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_TREE_READER_H_
