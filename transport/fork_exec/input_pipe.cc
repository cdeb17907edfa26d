// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/input_pipe.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

absl::Status NoPipe() {
  return absl::ResourceExhaustedError(
      absl::StrCat("no pipe for its input: ", strerror(errno)));
}

}  // namespace

absl::StatusOr<InputPipe> InputPipe::Create(std::string payload,
                                            UniqueFd* reader) {
  InputPipe pipe(std::move(payload));
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return NoPipe();
  reader->Reset(fds[0]);
  pipe.writer_fd_.Reset(fds[1]);
  if (fcntl(fds[1], F_SETFL, O_NONBLOCK) != 0) return NoPipe();
  pipe.Write();
  if (!pipe.done()) {
    pipe.reader_fd_.Reset(fcntl(fds[0], F_DUPFD_CLOEXEC, 0));
    if (!pipe.reader_fd_.valid()) return NoPipe();
  }
  return pipe;
}

void InputPipe::Write() {
  while (!record_.done()) {
    const auto pieces = record_.Remaining();
    const ssize_t size = writev(writer_fd_.get(), pieces.data(),
                                static_cast<int>(pieces.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;  // Full. There is no other reason.
    record_.Advance(static_cast<size_t>(size));
  }
}

}  // namespace external_containerizer
