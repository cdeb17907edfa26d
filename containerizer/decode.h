// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// From the bytes of an answer to what it means. Pure.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_DECODE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_DECODE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// How one command ended, for those who think in containers.
struct CommandResult {
  Outcome outcome = Outcome::kUnknown;
  // The verdict: OK, or why not, naming command, container and program.
  absl::Status status;
  // With status OK, what the command asked for.
  std::shared_ptr<const wire::Termination> termination;  // wait
  std::optional<wire::ResourceStatistics> usage;  // usage; nullopt: no data
  std::vector<ContainerId> containers;            // containers
  // An oddity of the answer that does no harm. Empty: none.
  std::string remark;

  // Whether the same command again may do better: it was not seen, nobody
  // knows, or there was no room for it.
  bool WorthAnotherTry() const;
};

// `container`: for messages; empty for containers and recover. A good record
// counts, whatever the exit code says, for `wait`, and also where the exit
// status cannot be known; for other commands a failure is a failure (D21 D23).
// `exits` is what the program means by Termination.status; the result has a
// waitpid() status.
CommandResult Decode(
    Command command, const ContainerId& container, Answer answer,
    wire::ExitConvention exits = wire::ExitConvention::kWaitStatus);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_DECODE_H_
