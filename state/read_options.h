// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// How to read what an agent remembers; see reader.h.

#ifndef EXTERNAL_CONTAINERIZER_STATE_READ_OPTIONS_H_
#define EXTERNAL_CONTAINERIZER_STATE_READ_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>

namespace external_containerizer {
namespace state {

// No launch is larger than 4 MiB; task.updates grows with each update. What is
// written is never larger.
inline constexpr size_t kMaxFileBytes = size_t{64} << 20;

struct ReadOptions {
  // Whether damage is an error. If not, what cannot be read is listed in
  // AgentState::problems, and all else is read. An agent starts strictly
  // unless its operator says otherwise.
  bool strict = true;

  // The id of this boot; unset: as the kernel says.
  std::optional<std::string> boot_id;

  // A larger file, or record in a file, is damage.
  size_t max_file_bytes = kMaxFileBytes;

  // Entries of all directories together; a directory that has more than what
  // is left is damage, and not read.
  size_t max_entries = 10'000'000;

  // Further ones are counted only.
  size_t max_problems = 100'000;
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_READ_OPTIONS_H_
