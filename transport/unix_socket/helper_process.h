// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Starts the program as a helper, and says why it ended. The helper is a child
// of this process, and does not end with it.
//
//   HelperProcess process(loop, std::move(program), std::move(directory));
//   absl::Status status = process.Start(
//       "/run/agent/helper.sock", [](absl::Status why) { ... });

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_PROCESS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_PROCESS_H_

#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/file_bound.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/sandbox_files.h"

namespace external_containerizer {

// On the loop's thread only.
class HelperProcess {
 public:
  struct Program {
    std::string shown;  // The text that the operator gave.
    CommandLine line;
    InheritedEnvironment environment;
    std::string work_directory;
  };

  // `directory` is the work directory. helper.stderr there is kept short as
  // long as this object lives, whoever writes to it.
  HelperProcess(EventLoop& loop, Program program, UniqueFd directory);
  // Leaves the helper alone. One that was killed is reaped by the loop.
  ~HelperProcess();
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  // Starts a helper that serves at `socket`, unless the last one still runs.
  // When it ends, `ended` is called from the loop: with UNAVAILABLE if another
  // helper serves there, or may do so because this process ignores SIGCHLD and
  // the exit status is unknown; otherwise with FAILED_PRECONDITION and the
  // reason. If the helper cannot be started, this call fails as
  // OpenForAppending() and ExecutionError().
  absl::Status Start(const std::string& socket,
                     absl::AnyInvocable<void(absl::Status) &&> ended);

  bool running() const { return process_.pidfd.valid(); }
  pid_t pid() const { return process_.pid; }

  // Describes the end of helper `pid` after a connection to it was lost: its
  // exit status, if it is the last helper that ended, and the last words in
  // helper.stderr since the last helper was started.
  std::string WhatBecameOf(pid_t pid) const;

  // Kills the helper, if it runs. The loop reaps it.
  void Kill();

 private:
  void OnEnded();
  // The end of helper.stderr since the last helper was started, as Printable().
  // May be empty.
  std::string Said() const;
  absl::Status WhyEnded(std::optional<int> wait_status) const;

  EventLoop& loop_;
  const Program program_;
  Process process_;
  bool killed_ = false;
  pid_t ended_pid_ = -1;  // The last helper that ended.
  std::optional<int> ended_status_;
  AppendedFile stderr_file_;  // Without its descriptor.
  const UniqueFd directory_;
  // A helper that an earlier agent started may write there, too.
  const FileBound stderr_bound_;
  absl::AnyInvocable<void(absl::Status) &&> ended_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_PROCESS_H_
