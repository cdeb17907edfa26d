// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A file descriptor that closes itself.
//
//   UniqueFd file(open("/etc/hostname", O_RDONLY | O_CLOEXEC));
//   if (!file.valid()) return absl::ErrnoToStatus(errno, "no host name");
//   read(file.get(), buffer, sizeof(buffer));

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_UNIQUE_FD_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace external_containerizer {

// Owns one descriptor, or none: then get() is -1. Not thread-safe.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { Reset(); }

  // The descriptor, which stays this object's.
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  // Hands the descriptor over: the caller closes it from now on.
  int Release() { return std::exchange(fd_, -1); }

  // Closes the descriptor and takes `fd`. Leaves errno as it was.
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_UNIQUE_FD_H_
