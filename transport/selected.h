// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The transport that this binary was built with:
//
//   bazel build --//transport:backend=fork_exec|unix_socket|mock|custom ...
//
// A binary that depends on //transport:selected links that transport alone, and
// needs no other code for the choice:
//
//   TransportOptions options;
//   options.program = "/opt/bin/my_program";
//   options.work_directory = "/var/lib/agent/transport";
//   Containerizer::Create(Options(), SelectedTransport(std::move(options)));

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_SELECTED_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_SELECTED_H_

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// The options that an operator can set for any transport. A transport ignores
// the options that it does not use.
struct TransportOptions {
  // The external containerizer program: a path, or shell words that the
  // command's name is appended to.
  std::string program;
  // The directory for the transport's own files. It is absolute, exists, and
  // only the agent can write to it.
  std::string work_directory;
  // The agent's variables that programs see, by name or as a prefix and '*'
  // ("LC_*"); "*" is all of them. nullopt: the transport's own few (D20).
  std::optional<std::vector<std::string>> inherit;
  // Called on the loop for each process that the transport starts for a
  // command, with the command's sandbox. May be null.
  std::function<void(Command, const std::optional<Sandbox>&, pid_t)> on_started;
};

// Returns the transport's name in the flag, for example "fork_exec".
absl::string_view SelectedTransportName();

// Makes the factory of the transport. Calling the factory on the loop fails
// with the errors that the header of that transport lists.
TransportFactory SelectedTransport(TransportOptions options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_SELECTED_H_
