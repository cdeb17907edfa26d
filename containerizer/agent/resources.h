// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Resources as Mesos writes them in text.
//
//   const absl::StatusOr<Resources> resources =
//       ParseResources("cpus:0.5;mem:64;ports(web):[31000-32000]");
//   ResourcesText(*resources)  // "cpus:0.5; mem:64; ports(web):[31000-32000]"

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RESOURCES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RESOURCES_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"

namespace external_containerizer {

// Reads "cpus:0.5;mem:64;ports(web):[31000-32000,4000-4001];disks:{a,b}", which
// is name(role):value items with ";" between them. An item without a role has
// the role "*". A value is a number with up to three decimals (mem and disk are
// in MiB), ranges of whole numbers that include both ends, or a set of words.
// White space between the parts means nothing. Items of the same name and role
// add up, as in Mesos. INVALID_ARGUMENT for a wrong item; the message quotes it
// and says why. A name that resembles a usual one (memory, cpu, MEM) is taken
// for a slip unless it has a role.
absl::StatusOr<Resources> ParseResources(absl::string_view text);

// Returns one line that names the resources which no program is known to
// enforce, that is, all but cpus, mem, disk, gpus and ports. Empty if there are
// none.
std::string UnknownResourcesText(const Resources& resources);

// Returns the text of a resource, as ParseResources() reads it: "mem(web):64",
// "ports:[31000-32000]". A volume has its id and path: "disk[id:path]:64". Not
// escaped. Cut off after a hundred ranges or words.
std::string ResourceText(const wire::Resource& resource);

// Returns the texts of the first hundred resources with "; " between them.
template <typename Collection>
std::string ResourcesText(const Collection& resources) {
  constexpr size_t kMostShown = 100;
  std::string text;
  size_t shown = 0;
  for (const wire::Resource& resource : resources) {
    if (shown == kMostShown) return text + "; ...";
    if (shown++ > 0) text += "; ";
    text += ResourceText(resource);
  }
  return text;
}

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RESOURCES_H_
