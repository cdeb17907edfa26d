// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Mesos's text form of resources.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RESOURCES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RESOURCES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/container.h"

namespace external_containerizer {

// Reads "cpus:0.5;mem:64;ports(web):[31000-32000,4000-4001];disks:{a,b}":
// items name(role):value with ";" between them; the role may be left out and
// is then "*". A value is a number with at most three decimals (memory and
// disk: MiB), ranges of whole numbers, both ends included, or a set of words.
// White space between the parts means nothing. Items of the same name and role
// add up, as in Mesos. INVALID_ARGUMENT quotes the item that is wrong and says
// why. A name without a role that is much like a usual one (memory, cpu, MEM)
// is taken for a slip, and is wrong; whoever means it names the role.
absl::StatusOr<Resources> ParseResources(absl::string_view text);

// One line that names the resources which no program is known to enforce: all
// but cpus, mem, disk, gpus and ports. Empty if there are none.
std::string UnknownResourcesText(const Resources& resources);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RESOURCES_H_
