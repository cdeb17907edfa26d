// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

absl::string_view CommandName(Command command) {
  switch (command) {
    case Command::kLaunch:
      return "launch";
    case Command::kUpdate:
      return "update";
    case Command::kUsage:
      return "usage";
    case Command::kWait:
      return "wait";
    case Command::kDestroy:
      return "destroy";
    case Command::kContainers:
      return "containers";
    case Command::kRecover:
      return "recover";
  }
  return "unknown";
}

bool EndsWithItsCaller(Command command) {
  return HasResult(command) || command == Command::kRecover;
}

bool HasResult(Command command) {
  return command == Command::kUsage || command == Command::kWait ||
         command == Command::kContainers;
}

}  // namespace external_containerizer
