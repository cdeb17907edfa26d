// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The transport that this binary was built with:
//
//   bazel build --//transport:backend=fork_exec|unix_socket|mock|custom ...
//
// Link //transport:selected for it. Only that back-end is linked, and nothing
// else needs to know which one it is.

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

// What an operator can say about any transport. One that has no use for an
// option ignores it.
struct TransportOptions {
  // The external containerizer program: a path, or shell words that the
  // command's name is appended to.
  std::string program;
  // Where the transport keeps files of its own. Absolute, exists, and only the
  // agent can write to it.
  std::string work_directory;
  // The agent's variables that programs see, by name or as a prefix and '*'
  // ("LC_*"); "*" is all of them. nullopt: the transport's own few (D20).
  std::optional<std::vector<std::string>> inherit;
  // Called on the loop with each process that is started for one command, if
  // the transport does that, and the command's sandbox; may be null.
  std::function<void(Command, const std::optional<Sandbox>&, pid_t)> on_started;
};

// Its name in the flag, e.g. "fork_exec".
absl::string_view SelectedTransportName();

// Fails, when it is called on the loop, with what the transport's own factory
// fails with.
TransportFactory SelectedTransport(TransportOptions options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_SELECTED_H_
