// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/descriptor_limit.h"

namespace external_containerizer {
namespace {

bool raised = false;
rlimit original = {};

}  // namespace

void RaiseDescriptorLimit() {
  if (raised || getrlimit(RLIMIT_NOFILE, &original) != 0) return;
  const rlimit most = {original.rlim_max, original.rlim_max};
  raised = setrlimit(RLIMIT_NOFILE, &most) == 0;
}

std::optional<rlimit> DescriptorLimitToPassOn() {
  if (!raised) return std::nullopt;
  return original;
}

}  // namespace external_containerizer
