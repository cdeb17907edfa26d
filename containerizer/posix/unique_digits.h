// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_UNIQUE_DIGITS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_UNIQUE_DIGITS_H_

#include <string>

namespace external_containerizer {
namespace posix_internal {

// 32 hexadecimal digits that no other call returns, on this machine or another.
// Random where the kernel gives random bytes, so that nobody can guess them;
// else made of the time, the pid and a count. Thread-safe. Never blocks.
std::string UniqueDigits();

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_UNIQUE_DIGITS_H_
