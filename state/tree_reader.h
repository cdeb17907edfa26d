// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads the kinds of files that an agent's tree is made of, and keeps the list
// of what is wrong with them. Knows formats and bounds; reader.cc knows which
// file is where.

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

// A directory, and its path below the work_dir. The names that go with it may
// have several components.
struct Place {
  Directory directory;
  std::string path;
};

std::string JoinPath(absl::string_view a, absl::string_view b);

// Each method returns an error only if reading has to stop: for damage, if the
// options are strict, and for RESOURCE_EXHAUSTED always. Otherwise damage is
// added to the problems of `state`, and read as absent.
class TreeReader {
 public:
  using Names = std::vector<std::string>;
  using Entries = std::vector<Directory::Entry>;

  // Both must outlive it.
  TreeReader(const ReadOptions& options, AgentState& state);

  // A directory; nullopt if it is missing.
  absl::StatusOr<std::optional<Place>> Open(const Place& place,
                                            const std::string& name);
  absl::StatusOr<Entries> List(const Place& place);
  // Only the directories; all else but `latest` is noticed. Sorted.
  absl::StatusOr<Names> ListDirectories(const Place& place);
  // The id that `latest` stands for, there or not.
  absl::StatusOr<std::optional<std::string>> ReadLatest(const Place& place);

  // Valid until the next file is read; nullopt if it is missing.
  absl::StatusOr<std::optional<absl::string_view>> ReadFile(
      const Place& place, const std::string& name, size_t max);
  // nullopt if it is missing, or empty, which is noticed.
  absl::StatusOr<std::optional<std::string>> ReadText(const Place& place,
                                                      const std::string& name);
  // Whether `message` now is the one record of the file, and complete. Missing
  // is no problem; empty is noticed.
  absl::StatusOr<bool> ReadMessage(const Place& place, const std::string& name,
                                   google::protobuf::Message& message);
  // The same, and missing is noticed.
  template <typename Message>
  absl::Status ReadInfo(const Place& place, const std::string& name,
                        std::optional<Message>& message);

  // A file of `size` bytes was read as a sequence that ended so.
  absl::Status EndOf(const std::string& path, size_t size,
                     const SequenceEnd& end);
  absl::Status Damage(const std::string& path, const absl::Status& why);
  void Notice(const std::string& path, absl::string_view why);

 private:
  uint64_t ProblemCount() const;
  void Add(Problem problem);

  const ReadOptions& options_;
  AgentState& state_;
  size_t entries_left_;
  std::string buffer_;
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
