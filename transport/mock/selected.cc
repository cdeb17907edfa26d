// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/selected.h"

#include <memory>

#include "absl/strings/string_view.h"
#include "external_containerizer/transport/mock/oracle.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

absl::string_view SelectedTransportName() { return "mock"; }

// The oracle does not run a task's command, so each container ends at once.
TransportFactory SelectedTransport(TransportOptions) {
  OracleOptions options;
  options.exit_immediately = true;
  return OracleTransport(std::make_shared<OracleWorld>(options));
}

}  // namespace external_containerizer
