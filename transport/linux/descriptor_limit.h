// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// How many descriptors this process may have, and what it starts.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_

#include <sys/resource.h>

#include <optional>

namespace external_containerizer {

// Raises the soft limit to the hard one. For mains only, and before other
// threads use the next one.
void RaiseDescriptorLimit();

// What a process that this one starts should have, for it may be one that uses
// select(), or closes all that it could have; nullopt: what it inherits.
std::optional<rlimit> DescriptorLimitToPassOn();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_
