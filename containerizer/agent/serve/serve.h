// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A standing agent as a process: from its start to the signal that ends it.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_H_

#include <string>

#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/container.h"

namespace external_containerizer {

struct ServeOptions {
  ProgramSetup program;
  std::string work_dir;  // Absolute.
  // Destroy what is recovered, and end.
  bool cleanup = false;
  // Start although some of what the agent remembers is damaged.
  bool lenient = false;
  OrphanPolicy orphans = OrphanPolicy::kOwn;
  bool verbose = false;
};

// Takes over the process: its signals and stderr. SIGTERM, SIGINT and SIGHUP
// end it, with status 0; containers go on. Returns what to exit with.
int Serve(const ServeOptions& options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_H_
