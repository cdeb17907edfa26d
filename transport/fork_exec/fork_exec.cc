// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/fork_exec.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/fork_exec/commands.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/journal.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace {

absl::StatusOr<std::unique_ptr<Transport>> Create(EventLoop& loop,
                                                  ForkExecOptions options) {
  const InheritedEnvironment environment(environ, options.inherit.has_value()
                                                      ? *options.inherit
                                                      : DefaultInherited());
  std::unique_ptr<char, decltype(&free)> current(getcwd(nullptr, 0), &free);
  absl::StatusOr<CommandLine> line =
      ParseProgram(options.program, environment.Get("PATH"),
                   current == nullptr ? "/" : current.get());
  if (!line.ok()) return line.status();
  UniqueFd directory(
      open(options.work_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot use the work directory \"",
        absl::CHexEscape(options.work_directory), "\": ", strerror(errno)));
  }
  absl::StatusOr<std::unique_ptr<Journal>> journal =
      Journal::Open(directory.get(), options.work_directory);
  if (!journal.ok()) return journal.status();
  return std::make_unique<fork_exec_internal::ForkExec>(
      &loop, std::move(options), std::move(directory), *std::move(line),
      environment, *std::move(journal));
}

}  // namespace

TransportFactory ForkExecTransport(ForkExecOptions options) {
  return [options = std::move(options)](EventLoop& loop) mutable {
    return Create(loop, std::move(options));
  };
}

}  // namespace external_containerizer
