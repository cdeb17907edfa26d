// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/unix_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/linux/checksum.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/unix_socket/commands.h"
#include "external_containerizer/transport/unix_socket/connector.h"
#include "external_containerizer/transport/unix_socket/helper_process.h"
#include "external_containerizer/transport/unix_socket/leftovers.h"

namespace external_containerizer {
namespace {

// The same in every build: the next agent must find the socket.
std::string SocketOf(const UnixSocketOptions& options,
                     const CommandLine& line) {
  std::string program = options.program;
  // What a relative path, or a name to be looked up, means may change.
  if (!line.through_shell && line.arguments[0] != line.file) {
    absl::StrAppend(&program, "\n", line.file);
  }
  return absl::StrCat(
      options.work_directory, "/helper-",
      absl::Hex(Checksum(absl::StrCat(program, "\n", geteuid())),
                absl::kZeroPad16),
      ".sock");
}

absl::StatusOr<Environment> ToEnvironment(
    const InheritedEnvironment& inherited) {
  const absl::StatusOr<EnvironmentBlock> block = inherited.With({});
  if (!block.ok()) return block.status();
  Environment environment;
  for (const char* variable : block->pointers) {
    if (variable == nullptr) break;
    const absl::string_view text = variable;
    const size_t equals = text.find('=');
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

absl::StatusOr<std::unique_ptr<Transport>> Create(EventLoop& loop,
                                                  UnixSocketOptions options) {
  const InheritedEnvironment inherited(environ, options.inherit.has_value()
                                                    ? *options.inherit
                                                    : DefaultInherited());
  absl::StatusOr<Environment> environment = ToEnvironment(inherited);
  if (!environment.ok()) return environment.status();
  std::unique_ptr<HelperProcess> process;
  std::string socket = options.socket;
  if (options.socket.empty()) {
    std::unique_ptr<char, decltype(&free)> current(getcwd(nullptr, 0), &free);
    absl::StatusOr<CommandLine> line =
        ParseProgram(options.program, inherited.Get("PATH"),
                     current == nullptr ? "/" : current.get());
    if (!line.ok()) return line.status();
    struct stat directory;
    const bool there = stat(options.work_directory.c_str(), &directory) == 0;
    if (!there || !S_ISDIR(directory.st_mode)) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot use the work directory \"",
                       absl::CHexEscape(options.work_directory),
                       "\": ", strerror(there ? ENOTDIR : errno)));
    }
    socket = SocketOf(options, *line);
    process = std::make_unique<HelperProcess>(
        loop, HelperProcess::Program{options.program, *std::move(line),
                                     inherited, options.work_directory});
  }
  auto connector =
      std::make_unique<Connector>(loop, options, std::move(socket),
                                  *std::move(environment), std::move(process));
  auto leftovers =
      std::make_unique<ForkExecLeftovers>(loop, options.work_directory);
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
