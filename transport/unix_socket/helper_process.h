// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Starts the program as a helper, and tells why it ended if it does. It is a
// child of this process, but does not end with it.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_PROCESS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_PROCESS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
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
    std::string shown;  // As the operator gave it.
    CommandLine line;
    InheritedEnvironment environment;
    std::string work_directory;
  };

  HelperProcess(EventLoop& loop, Program program);
  // Leaves it alone, and forgets who has asked, uncalled. What was killed is
  // still reaped by the loop, if that runs on.
  ~HelperProcess();
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  // Starts one to serve at `socket`, unless the last one is still there. When
  // it ends, `ended` is called from the loop with UNAVAILABLE if another helper
  // serves there already, or if that may be (nobody can know where SIGCHLD is
  // ignored); else with the reason, FAILED_PRECONDITION. UNAVAILABLE,
  // RESOURCE_EXHAUSTED and so on if it cannot be started.
  absl::Status Start(const std::string& socket,
                     absl::AnyInvocable<void(absl::Status) &&> ended);

  bool running() const { return process_.pidfd.valid(); }
  pid_t pid() const { return process_.pid; }

  // Calls `tell` from the loop, after 50 ms at most, with what is known of
  // helper `pid` when a connection to it was lost: how it ended, if it is the
  // last one that was started, and the end of what was written to stderr since.
  void TellWhatBecameOf(pid_t pid,
                        absl::AnyInvocable<void(const std::string&) &&> tell);

  // For one that was started to no avail. It is reaped by the loop.
  void Kill();

 private:
  struct Asked {
    pid_t pid;
    absl::AnyInvocable<void(const std::string&) &&> tell;
  };

  void Ended();
  void TellAfter(absl::Duration delay);
  void Tell();
  std::string WhatBecameOf(pid_t pid) const;
  // The end of what was written since the last one was started, as
  // Printable(); may be empty.
  std::string Said() const;
  absl::Status WhyEnded(std::optional<int> wait_status) const;

  EventLoop& loop_;
  const Program program_;
  Process process_;
  bool killed_ = false;
  pid_t ended_pid_ = -1;  // The last one that ended, and how if that is known.
  std::optional<int> ended_status_;
  AppendedFile stderr_file_;  // Its descriptor is not kept.
  UniqueFd directory_;
  absl::AnyInvocable<void(absl::Status) &&> ended_;
  std::vector<Asked> asked_;
  EventLoop::TimerId tell_timer_ = 0;  // While some have asked.
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_PROCESS_H_
