// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/checks.h"

#include <utility>
#include <vector>

namespace external_containerizer {
namespace conformance {

std::vector<Check> AllChecks() {
  std::vector<Check> all;
  for (auto part : {LaunchChecks, AnswerChecks, WaitChecks, DestroyChecks,
                    QueryChecks, AgentChecks, HelperChecks}) {
    for (Check& check : part()) all.push_back(std::move(check));
  }
  return all;
}

}  // namespace conformance
}  // namespace external_containerizer
