// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// An agent that has a wait, a launch and an update running until it is killed:
//
//   killed_agent PROGRAM WORK_DIRECTORY PIDS

#include <cstdio>
#include <utility>

#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/fork_exec/fork_exec.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {
namespace {

int Main(int argc, char** argv) {
  if (argc != 4) return 2;
  auto loop = EventLoop::Create();
  if (!loop.ok()) return 1;
  ForkExecOptions options;
  options.program = argv[1];
  options.work_directory = argv[2];
  auto transport = ForkExecTransport(std::move(options))(**loop);
  if (!transport.ok()) {
    fprintf(stderr, "%s\n", transport.status().ToString().c_str());
    return 1;
  }
  for (Command command : {Command::kWait, Command::kLaunch, Command::kUpdate}) {
    Invocation invocation;
    invocation.command = command;
    invocation.environment["MISBEHAVE_PIDS"] = argv[3];
    (*transport)->Invoke(std::move(invocation), [](Answer answer) {
      fprintf(stderr, "%s\n", answer.status.ToString().c_str());
    });
  }
  (*loop)->Run();
  return 0;
}

}  // namespace
}  // namespace external_containerizer

int main(int argc, char** argv) {
  return external_containerizer::Main(argc, argv);
}
