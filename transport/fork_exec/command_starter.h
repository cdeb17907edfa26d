// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Starts the program for one command, with the files, the directory and the
// environment that it is promised.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMAND_STARTER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMAND_STARTER_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/transport/fork_exec/input_pipe.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/sandbox_files.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct StartedCommand {
  Process process;
  // Non-blocking; valid if the command has a result.
  UniqueFd output;
  // Our end of the pipe that tells the exit status, in decimal, where a child
  // vanishes when it ends; see ChildrenVanish(). Non-blocking.
  UniqueFd exit_status;
  // What is left of the input; null if nothing is.
  std::unique_ptr<InputPipe> input;
  std::optional<Sandbox> sandbox;
  // Where its stderr goes: `stderr` in the sandbox or else `program.stderr` in
  // the work directory. Its descriptor is not kept.
  AppendedFile stderr_file;
  bool stderr_is_in_sandbox = false;
};

// Thread-safe.
class CommandStarter {
 public:
  // `work_directory` is open as `work_directory_fd`, which is not ours.
  CommandStarter(CommandLine line, InheritedEnvironment environment,
                 std::string work_directory, int work_directory_fd);

  // Takes `input` and `sandbox` out of the invocation, unless it fails with
  // UNAVAILABLE: then the program is being written to, and the same invocation
  // can be tried again.
  absl::StatusOr<StartedCommand> Start(Invocation* invocation) const;

  // The end of what was written to the command's stderr since it started.
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
  mutable absl::Mutex program_stderr_mutex_;  // Only one may put it aside.
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_COMMAND_STARTER_H_
