// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Starts the program for one command, with the files, the directory and the
// environment that fork_exec.h promises.
//
//   const CommandStarter starter(line, environment, "/var/lib/agent", fd);
//   absl::StatusOr<StartedCommand> started = starter.Start(&invocation);
//   if (!started.ok()) return started.status();

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMAND_STARTER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMAND_STARTER_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/sandbox_files.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// The file in the work directory for the stderr of commands without a sandbox.
inline constexpr char kProgramStderr[] = "program.stderr";

// A command whose process runs.
struct StartedCommand {
  Process process;
  // The reading end of the command's stdout, non-blocking. Valid if the command
  // has a result.
  UniqueFd output;
  // The reading end of a pipe with the exit status in decimal, non-blocking.
  // Valid if ChildrenVanish().
  UniqueFd exit_status;
  std::optional<Sandbox> sandbox;
  // The file for its stderr: `stderr` in the sandbox, or else `program.stderr`
  // in the work directory. The descriptor is closed.
  AppendedFile stderr_file;
  bool stderr_is_in_sandbox = false;
};

// Thread-safe.
class CommandStarter {
 public:
  // The caller keeps `work_directory_fd`, which is `work_directory`, open.
  CommandStarter(CommandLine line, InheritedEnvironment environment,
                 std::string work_directory, int work_directory_fd);

  // Starts a command, and moves `input` and `sandbox` out of the invocation. If
  // it fails with UNAVAILABLE, the program's file is open for writing: the
  // caller may try the unchanged invocation again. Other errors are those of
  // OpenSandboxForLaunch(), OpenForAppending() and ExecutionError(). Blocks
  // until the kernel has executed the program.
  absl::StatusOr<StartedCommand> Start(Invocation* invocation) const;

  // Returns the end of the text that was written to the command's stderr.
  std::string Stderr(const StartedCommand& command) const;

 private:
  absl::Status OpenFiles(const Invocation& invocation, ProcessFiles* files,
                         StartedCommand* started) const;
  absl::Status OpenForLaunch(const Sandbox& sandbox, ProcessFiles* files,
                             StartedCommand* started) const;
  absl::Status OpenWhatCanBe(const Sandbox& sandbox, ProcessFiles* files,
                             StartedCommand* started) const;
  absl::Status OpenProgramStderr(ProcessFiles* files,
                                 StartedCommand* started) const;

  const CommandLine line_;
  const InheritedEnvironment environment_;
  const std::string work_directory_;
  const int work_directory_fd_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMAND_STARTER_H_
