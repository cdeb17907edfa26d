// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Finds out what the bytes of an answer mean. Pure.
//
//   CommandResult result = Decode(Command::kWait, "web", std::move(answer));
//   if (result.status.ok()) Tell(*result.termination);

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

// How one command ended.
struct CommandResult {
  Outcome outcome = Outcome::kUnknown;
  // OK, or an error that names the command, the container and the program.
  absl::Status status;
  // What the command asked for, if the status is OK.
  std::shared_ptr<const wire::Termination> termination;  // wait
  std::optional<wire::ResourceStatistics> usage;  // usage; nullopt: no data
  std::vector<ContainerId> containers;            // containers
  // An oddity of the answer that does no harm; empty if it has none.
  std::string remark;

  // Whether the same command may succeed the next time: the program did not see
  // it, or nobody knows whether it did.
  bool WorthAnotherTry() const;
};

// `container` is for messages, and empty for containers and recover.
//
// For `wait` a good record counts, whatever the exit code says, and so it does
// for all commands whose exit status cannot be known. For the others a failure
// is a failure (D21 D23).
//
// `exits` says what the program means by Termination.status. The result always
// has a status as waitpid() gives it.
CommandResult Decode(
    Command command, const ContainerId& container, Answer answer,
    wire::ExitConvention exits = wire::ExitConvention::kWaitStatus);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_DECODE_H_
