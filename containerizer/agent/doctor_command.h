// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The sub-command that says what `agent run` can do on this machine:
//
//   agent doctor --containerizer_path='posix --require_limits'

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_DOCTOR_COMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_DOCTOR_COMMAND_H_

#include "external_containerizer/containerizer/agent/subcommand.h"

namespace external_containerizer {

// Exits with 0 if `agent run` with the same flags would work, limits or not; 1
// if not.
Subcommand DoctorSubcommand();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_DOCTOR_COMMAND_H_
