// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/small_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

std::optional<std::string> ReadSmallFile(const std::string& path,
                                         size_t limit) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  return ReadSmallFile(fd.get(), limit);
}

std::optional<std::string> ReadSmallFile(int fd, size_t limit) {
  lseek(fd, 0, SEEK_SET);  // a pipe has no position, and needs none
  std::string contents;
  char buffer[4096];
  while (contents.size() < limit) {
    const ssize_t n =
        read(fd, buffer, std::min(sizeof(buffer), limit - contents.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    contents.append(buffer, static_cast<size_t>(n));
  }
  return contents;
}

std::optional<uint64_t> ParseNumber(absl::string_view text) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<uint64_t> ReadNumber(const std::string& path) {
  const std::optional<std::string> text = ReadSmallFile(path);
  if (!text.has_value()) return std::nullopt;
  errno = 0;
  return ParseNumber(*text);
}

std::optional<uint64_t> NumberAfter(absl::string_view text,
                                    absl::string_view key) {
  for (size_t at = text.find(key); at != absl::string_view::npos;
       at = text.find(key, at + 1)) {
    if (at > 0 && text[at - 1] != '\n') continue;
    absl::string_view rest = text.substr(at + key.size());
    uint64_t number = 0;
    if ((absl::ConsumePrefix(&rest, " ") || absl::ConsumePrefix(&rest, "\t")) &&
        absl::SimpleAtoi(rest.substr(0, rest.find('\n')), &number)) {
      return number;
    }
  }
  return std::nullopt;
}

int WriteSmallFile(const std::string& path, const std::string& text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return errno;
  ssize_t n;
  do {
    n = write(fd.get(), text.data(), text.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return errno;
  return n == static_cast<ssize_t>(text.size()) ? 0 : EIO;
}

std::optional<std::vector<std::string>> NamesIn(int parent,
                                                const std::string& name,
                                                size_t most,
                                                unsigned char type) {
  const int fd = openat(parent, name.c_str(),
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* const dir = fd < 0 ? nullptr : fdopendir(fd);
  if (dir == nullptr) {
    UniqueFd(fd).Reset();  // leaves errno alone
    return std::nullopt;
  }
  std::vector<std::string> names;
  while (const dirent* entry = names.size() < most ? readdir(dir) : nullptr) {
    if (type != DT_UNKNOWN && entry->d_type != type) continue;
    const std::string found = entry->d_name;
    if (found != "." && found != "..") names.push_back(found);
  }
  closedir(dir);
  return names;
}

std::vector<std::string> WordsOf(absl::string_view text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

absl::Status ErrnoStatus(absl::string_view what, int error) {
  const std::string message = absl::StrCat(what, ": ", strerror(error));
  switch (error) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EIO:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::FailedPreconditionError(message);
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer
