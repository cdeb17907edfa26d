// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/reconcile.h"

#include "absl/container/flat_hash_set.h"

namespace external_containerizer {

Reconciliation Reconcile(const std::vector<KnownContainer>& known,
                         const std::vector<ContainerId>& listed,
                         OrphanPolicy policy) {
  Reconciliation result;
  const absl::flat_hash_set<ContainerId> is_listed(listed.begin(),
                                                   listed.end());
  absl::flat_hash_set<ContainerId> decided;
  for (const KnownContainer& container : known) {
    decided.insert(container.id);
    switch (container.state) {
      case KnownContainer::State::kRunning:
        if (is_listed.contains(container.id)) {
          result.adopt.push_back(container);
        } else {
          result.ask.push_back(container);
        }
        break;
      case KnownContainer::State::kUnacknowledged:
        result.destroy.push_back(container);
        break;
      case KnownContainer::State::kCompleted:
        if (!is_listed.contains(container.id)) break;
        if (policy == OrphanPolicy::kReport) {
          result.hold.push_back(container.id);
        } else {
          result.destroy.push_back(container);
        }
        break;
    }
  }
  for (const ContainerId& id : listed) {
    if (!decided.insert(id).second) continue;
    switch (policy) {
      case OrphanPolicy::kOwn:
        result.leave.push_back(id);
        break;
      case OrphanPolicy::kAll:
        result.destroy.push_back(KnownContainer{
            id, KnownContainer::State::kCompleted, std::nullopt});
        break;
      case OrphanPolicy::kReport:
        result.hold.push_back(id);
        break;
    }
  }
  return result;
}

}  // namespace external_containerizer
