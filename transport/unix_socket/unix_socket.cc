// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/leftovers.h"
#include "external_containerizer/transport/linux/checksum.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/unix_socket/commands.h"
#include "external_containerizer/transport/unix_socket/connector.h"
#include "external_containerizer/transport/unix_socket/helper_process.h"

namespace external_containerizer {
namespace {

constexpr absl::Duration kLeftoversPatience = absl::Seconds(5);

// Must not change between versions: the next agent must find the socket.
std::string SocketOf(const UnixSocketOptions& options,
                     const CommandLine& line) {
  std::string program = options.program;
  // The same relative path or name may lead to another file.
  if (!line.through_shell && line.arguments[0] != line.file) {
    absl::StrAppend(&program, "\n", line.file);
  }
  return absl::StrCat(
      options.work_directory, "/helper-",
      absl::Hex(Checksum(absl::StrCat(program, "\n", geteuid())),
                absl::kZeroPad16),
      ".sock");
}

absl::StatusOr<std::unique_ptr<Transport>> Create(EventLoop& loop,
                                                  UnixSocketOptions options) {
  const InheritedEnvironment inherited(environ, options.inherit.has_value()
                                                    ? *options.inherit
                                                    : DefaultInherited());
  std::unique_ptr<HelperProcess> process;
  std::string socket = options.socket;
  if (options.socket.empty()) {
    std::unique_ptr<char, decltype(&free)> current(getcwd(nullptr, 0), &free);
    absl::StatusOr<CommandLine> line =
        ParseProgram(options.program, inherited.Get("PATH"),
                     current == nullptr ? "/" : current.get());
    if (!line.ok()) return line.status();
    UniqueFd directory(open(options.work_directory.c_str(),
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "cannot use the work directory \"",
          absl::CHexEscape(options.work_directory), "\": ", strerror(errno)));
    }
    socket = SocketOf(options, *line);
    process = std::make_unique<HelperProcess>(
        loop,
        HelperProcess::Program{options.program, *std::move(line), inherited,
                               options.work_directory},
        std::move(directory));
  }
  auto connector =
      std::make_unique<Connector>(loop, options, std::move(socket),
                                  inherited.variables(), std::move(process));
  auto leftovers = std::make_unique<Leftovers>(
      &loop, JournalOfTheDead(options.work_directory), kLeftoversPatience);
  return std::make_unique<unix_socket_internal::UnixSocket>(
      loop, std::move(options), std::move(leftovers), std::move(connector));
}

}  // namespace

TransportFactory UnixSocketTransport(UnixSocketOptions options) {
  return [options = std::move(options)](EventLoop& loop) mutable {
    return Create(loop, std::move(options));
  };
}

}  // namespace external_containerizer
