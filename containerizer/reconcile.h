// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Decides what recovery does with each container, from what the agent knows,
// what the program lists, and the policy. Pure.
//
//                    listed                       not listed
//   running          adopt                        adopt, ask `wait` once
//   unacknowledged   destroy                      destroy
//   completed        orphan (own, all), else hold -
//   not known        orphan (all), hold (report), -
//                    leave alone (own)
//
// A container that is not listed is not gone for that reason alone: real
// programs list nothing.
//
//   Reconciliation decided = Reconcile(known, listed, OrphanPolicy::kOwn);
//   for (const KnownContainer& container : decided.adopt) Hold(container);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_RECONCILE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_RECONCILE_H_

#include <vector>

#include "external_containerizer/containerizer/container.h"

namespace external_containerizer {

// Each container that is known or listed is in at most one of these.
struct Reconciliation {
  std::vector<KnownContainer> adopt;    // They run; hold them again.
  std::vector<KnownContainer> ask;      // The same, but `wait` may deny them.
  std::vector<KnownContainer> destroy;  // Orphans and unacknowledged launches.
  std::vector<ContainerId> hold;        // Hold them so that Destroy works.
  std::vector<ContainerId> leave;       // They are not ours to touch.
};

// `known` names each container once; of repeated ids in `listed` the first
// counts. The order of each result follows that of its input.
Reconciliation Reconcile(const std::vector<KnownContainer>& known,
                         const std::vector<ContainerId>& listed,
                         OrphanPolicy policy);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_RECONCILE_H_
