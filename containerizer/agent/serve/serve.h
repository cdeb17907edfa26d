// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A standing agent as a process: from its start to the signal that ends it.
//
//   ServeOptions options;
//   options.work_dir = "/var/lib/agent";
//   return Serve(options);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_H_

#include <string>

#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/container.h"

namespace external_containerizer {

struct ServeOptions {
  ProgramSetup program;
  std::string work_dir;  // Absolute.
  // Destroy all recovered containers, and end.
  bool cleanup = false;
  // Start also if the agent's records are damaged. The containers that the
  // damage concerns are left alone.
  bool lenient = false;
  OrphanPolicy orphans = OrphanPolicy::kOwn;
  bool verbose = false;
};

// Takes over the process: its signals and stderr. Returns the exit status: 0
// after a signal that asks the agent to end (SIGTERM, SIGINT, SIGHUP), and
// kAgentFailed if it failed. Containers go on in both cases.
int Serve(const ServeOptions& options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_H_
