// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/standard_output.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace external_containerizer {
namespace {

// Why stdout takes no more; 0 as long as it does.
int& FirstError() {
  static int error = 0;
  return error;
}

}  // namespace

bool Print(absl::string_view text) {
  int& error = FirstError();
  while (!text.empty() && error == 0) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      // Another process that shares the descriptor made it non-blocking.
      struct pollfd wait = {STDOUT_FILENO, POLLOUT, 0};
      (void)poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  return error == 0;
}

int PrintedStatus(int status) {
  const int error = FirstError();
  if (error == 0 || error == EPIPE) return status;
  fprintf(stderr, "agent: cannot write to stdout: %s\n", strerror(error));
  return kAgentFailed;
}

}  // namespace external_containerizer
