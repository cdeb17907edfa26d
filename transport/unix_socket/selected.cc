// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/selected.h"

#include <utility>

#include "external_containerizer/transport/unix_socket/unix_socket.h"

namespace external_containerizer {

absl::string_view SelectedTransportName() { return "unix_socket"; }

TransportFactory SelectedTransport(TransportOptions options) {
  UnixSocketOptions unix_socket;
  unix_socket.program = std::move(options.program);
  unix_socket.work_directory = std::move(options.work_directory);
  unix_socket.inherit = std::move(options.inherit);
  return UnixSocketTransport(std::move(unix_socket));
}

}  // namespace external_containerizer
