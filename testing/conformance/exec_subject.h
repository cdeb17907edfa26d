// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A program that is started once per command, as the transport fork_exec does
// it (docs/protocol.md, "How a command is run").

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_EXEC_SUBJECT_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_EXEC_SUBJECT_H_

#include <memory>
#include <string>
#include <vector>

#include "external_containerizer/testing/conformance/subject.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/inherited_environment.h"

namespace external_containerizer {
namespace conformance {

struct ProgramOptions {
  // The program, by an absolute path, and its fixed arguments.
  std::vector<std::string> command;
  // The variables that it inherits, as from an agent.
  InheritedEnvironment inherited;
  // The work directory of the agent that calls it; exists.
  std::string work_directory;
};

class ExecSubject : public Subject {
 public:
  // `loop` must outlive it, and is not run.
  ExecSubject(EventLoop& loop, ProgramOptions options);

  std::unique_ptr<Call> Start(const Request& request) override;

 private:
  EventLoop& loop_;
  const ProgramOptions options_;
};

// ", and said: ..." with the text that came into the file `path` behind its
// first `size` bytes, escaped and cut; empty if there is none.
std::string WhatItSaid(const std::string& path, size_t size);

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_EXEC_SUBJECT_H_
