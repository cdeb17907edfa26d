// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How many descriptors this process may have, and what it starts.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_DESCRIPTOR_LIMIT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_DESCRIPTOR_LIMIT_H_

#include <sys/resource.h>

#include <optional>

namespace external_containerizer {

// Raises the soft limit to the hard one. For mains only, and before other
// threads use the next one. No effect if it is called again.
void RaiseDescriptorLimit();

// What a process that this one starts should have; nullopt: what it inherits.
// A program that uses select(), or closes all descriptors that it could have,
// does not work with a high limit. Spawn() in
// process.h takes care of that.
std::optional<rlimit> DescriptorLimitToPassOn();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_DESCRIPTOR_LIMIT_H_
