// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What recovery decides: what the agent knows × what the program lists × the
// policy. Pure.
//
//                    listed                       not listed
//   running          adopt                        adopt, ask `wait` once
//   unacknowledged   destroy                      destroy
//   completed        orphan (own, all), else hold -
//   not known        orphan (all), hold (report), -
//                    leave alone (own)
//
// Not being listed alone never means gone: real programs list nothing.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_RECONCILE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_RECONCILE_H_

#include <vector>

#include "external_containerizer/containerizer/container.h"

namespace external_containerizer {

struct Reconciliation {
  std::vector<KnownContainer> adopt;    // Running; hold them again.
  std::vector<KnownContainer> ask;      // The same, but `wait` may deny them.
  std::vector<KnownContainer> destroy;  // Orphans and unacknowledged launches.
  std::vector<ContainerId> hold;   // Somebody's; hold so that Destroy works.
  std::vector<ContainerId> leave;  // Somebody's; not ours to touch.
};

// `known` names each container once; of repeated ids in `listed` the first
// counts. The order of each result follows that of its input.
Reconciliation Reconcile(const std::vector<KnownContainer>& known,
                         const std::vector<ContainerId>& listed,
                         OrphanPolicy policy);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_RECONCILE_H_
