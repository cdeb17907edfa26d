// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Files of the kernel's: read and written whole, by path.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SMALL_FILES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SMALL_FILES_H_

#include <dirent.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace posix_internal {

// At most `limit` bytes of it, the rest is not read. nullopt, with errno, if it
// cannot be read. `fd` is read from its beginning.
std::optional<std::string> ReadSmallFile(const std::string& path,
                                         size_t limit = 64 << 10);
std::optional<std::string> ReadSmallFile(int fd, size_t limit);

// A file that holds one number; nullopt, with errno 0, for "max".
std::optional<uint64_t> ReadNumber(const std::string& path);
std::optional<uint64_t> ParseNumber(absl::string_view text);

// The number after `key` and a space or tab, on a line of its own, as in
// "oom_kill 1".
std::optional<uint64_t> NumberAfter(absl::string_view text,
                                    absl::string_view key);

// Into a file that is there: one write. 0 or the errno.
int WriteSmallFile(const std::string& path, const std::string& text);

// The entries of the directory `name` in `parent`, without "." and "..", and no
// more than `most`; with `type` only those of that d_type. nullopt, with errno,
// if it cannot be read.
std::optional<std::vector<std::string>> NamesIn(
    int parent, const std::string& name,
    size_t most = std::numeric_limits<size_t>::max(),
    unsigned char type = DT_UNKNOWN);

// What stands between spaces and ends of lines.
std::vector<std::string> WordsOf(absl::string_view text);

// "what: " and the error's text. RESOURCE_EXHAUSTED for want of descriptors,
// memory, processes or room on a disk, FAILED_PRECONDITION for all else.
absl::Status ErrnoStatus(absl::string_view what, int error);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SMALL_FILES_H_
