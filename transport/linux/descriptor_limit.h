// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The limit of open descriptors, for this process and for its children.
//
//   int main() {
//     RaiseDescriptorLimit();  // Spawn() gives children the old limit.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_DESCRIPTOR_LIMIT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_DESCRIPTOR_LIMIT_H_

#include <sys/resource.h>

#include <optional>

namespace external_containerizer {

// Raises the soft limit to the hard one. Call it in main(), before other
// threads start. The second call has no effect.
void RaiseDescriptorLimit();

// The limit for a child, or nullopt if it may inherit this process's. A program
// that uses select(), or closes all descriptors up to its limit, fails with a
// high limit, so Spawn() in process.h sets this one.
std::optional<rlimit> DescriptorLimitToPassOn();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_DESCRIPTOR_LIMIT_H_
