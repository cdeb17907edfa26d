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

// The first error on stdout; 0 if there was none.
int& FirstError() {
  static int error = 0;
  return error;
}

}  // namespace

int WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      struct pollfd wait = {fd, POLLOUT, 0};
      (void)poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

bool Print(absl::string_view text) {
  int& error = FirstError();
  if (error == 0) error = WriteAll(STDOUT_FILENO, text);
  return error == 0;
}

int OutputStatus(int status) {
  const int error = FirstError();
  if (error == 0 || error == EPIPE) return status;
  fprintf(stderr, "agent: cannot write to stdout: %s\n", strerror(error));
  return kAgentFailed;
}

}  // namespace external_containerizer
