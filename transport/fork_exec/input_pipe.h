// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A pipe that a record, and then EOF, waits in for its reader. The reader may
// ignore it: that is no error (D26), and raises no SIGPIPE, because we hold
// the reading end too for as long as there is something left to write.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_INPUT_PIPE_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_INPUT_PIPE_H_

#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {

class InputPipe {
 public:
  // Writes as much of the record as fits: all of it, usually. Sets `reader` to
  // the end that is to be somebody's stdin; it blocks, as programs expect.
  // RESOURCE_EXHAUSTED if no descriptor is to be had.
  static absl::StatusOr<InputPipe> Create(std::string payload,
                                          UniqueFd* reader);

  // Whether nothing is left to be written. The reader sees EOF when this is
  // destroyed.
  bool done() const { return record_.done(); }

  // To be watched for EPOLLOUT while not done().
  int fd() const { return writer_fd_.get(); }

  // Writes what fits.
  void Write();

 private:
  explicit InputPipe(std::string payload) : record_(std::move(payload)) {}

  RecordWriter record_;
  // In this order: the writing end is closed first.
  UniqueFd reader_fd_;
  UniqueFd writer_fd_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_INPUT_PIPE_H_
