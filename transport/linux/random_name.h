// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Names for files, cgroups and containers that must not meet one another.
//
//   const std::string path = absl::StrCat(directory, "/new.", RandomName());

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_RANDOM_NAME_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_RANDOM_NAME_H_

#include <string>

namespace external_containerizer {

// Returns 16 hexadecimal digits (0-9, a-f): 64 random bits, which nobody can
// guess. Where a filter of system calls refuses random bytes, or the machine
// has only just booted, the digits are made of the pid, the time and a count:
// they still differ from call to call, but can be guessed. Thread-safe. Never
// blocks.
std::string RandomName();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_RANDOM_NAME_H_
