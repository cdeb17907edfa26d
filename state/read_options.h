// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// How to read what an agent remembers (reader.h).
//
//   ReadOptions options;
//   options.strict = false;  // List damage instead of failing.
//   absl::StatusOr<AgentState> state = ReadAgentState(work_dir, options);

#ifndef EXTERNAL_CONTAINERIZER_STATE_READ_OPTIONS_H_
#define EXTERNAL_CONTAINERIZER_STATE_READ_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>

namespace external_containerizer {
namespace state {

// The writer writes no larger file. A launch has at most 4 MiB, but
// task.updates grows with each update.
inline constexpr size_t kMaxFileBytes = size_t{64} << 20;

struct ReadOptions {
  // Whether damage is an error. If not, AgentState::problems lists what cannot
  // be read, and all else is read. An agent starts strictly unless its operator
  // says otherwise.
  bool strict = true;

  // The id of this boot. Unset: the kernel's.
  std::optional<std::string> boot_id;

  // A larger file, or record in a file, is damage.
  size_t max_file_bytes = kMaxFileBytes;

  // Entries of all directories together. A directory that exceeds the rest of
  // them is damage, and not read.
  size_t max_entries = 10'000'000;

  // Problems that are listed. Further ones are only counted.
  size_t max_problems = 100'000;
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_READ_OPTIONS_H_
