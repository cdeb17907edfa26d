// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads and writes small files, most of them the kernel's.
//
//   const std::optional<uint64_t> limit = ReadNumber(path + "/memory.max");
//   if (const int error = WriteSmallFile(path + "/cgroup.kill", "1")) ...
//
// All functions are thread-safe.

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

// Returns the contents of a file, at most its first `limit` bytes. nullopt,
// with errno, if it cannot be read. `fd` is read from the beginning of the
// file.
std::optional<std::string> ReadSmallFile(const std::string& path,
                                         size_t limit = 64 << 10);
std::optional<std::string> ReadSmallFile(int fd, size_t limit);

// Returns the number in a file. nullopt with errno if it cannot be read, and
// with errno 0 if it is no number, such as "max".
std::optional<uint64_t> ReadNumber(const std::string& path);
// Parses a number with space around it.
std::optional<uint64_t> ParseNumber(absl::string_view text);

// Returns the number on the line that begins with `key` and a space or tab, as
// in "oom_kill 1".
std::optional<uint64_t> NumberAfter(absl::string_view text,
                                    absl::string_view key);

// Writes to a file that exists, with one write(). Returns 0 or the errno. Does
// not follow a link.
int WriteSmallFile(const std::string& path, const std::string& text);

// Returns the names in the directory `name` below `parent`, without "." and
// "..". At most `most` names; only those of one d_type if `type` is set.
// nullopt, with errno, if the directory cannot be read. Does not follow a link.
std::optional<std::vector<std::string>> NamesIn(
    int parent, const std::string& name,
    size_t most = std::numeric_limits<size_t>::max(),
    unsigned char type = DT_UNKNOWN);

// Splits a text at spaces and ends of lines.
std::vector<std::string> WordsOf(absl::string_view text);

// Returns an error with the message "what: " and the text of `error`, an errno.
// RESOURCE_EXHAUSTED for want of descriptors, memory, processes or room on a
// disk; FAILED_PRECONDITION for all others.
absl::Status ErrnoStatus(absl::string_view what, int error);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SMALL_FILES_H_
