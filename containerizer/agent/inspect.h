// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What an agent wrote down in its work directory, for people and for programs.
//
//   const absl::StatusOr<Inspection> inspection = Inspect("/var/lib/mesos");
//   ShowInspection(*inspection, /*json=*/false, [](absl::string_view line) {
//     return Print(absl::StrCat(line, "\n"));
//   });

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/state/agent_state.h"

namespace external_containerizer {

struct Inspection {
  // Read as in the boot in which it was written: it has the pids, and
  // `rebooted` is never set.
  state::AgentState state;
  // Other agents' directories, which `latest` does not name. They are not read,
  // and no agent takes their containers back.
  std::vector<std::string> other_agents;
  std::string boot_id;  // The boot in which it was written; empty if unknown.
  // That is the present boot of this machine. If it is not, the machine was
  // booted since, or the directory is another machine's.
  bool is_this_boot = false;
  // Why the present boot's id is unknown; empty if it is known.
  std::string boot_error;
};

// Reads all that can be read below `work_dir`, which is absolute. Changes
// nothing. Damage is no error (state/reader.h). NOT_FOUND for a directory
// inside a work directory; the message has the right path.
absl::StatusOr<Inspection> Inspect(const std::string& work_dir);

// Returns whether a record cannot be read. Traces of a crash are no damage.
bool IsDamaged(const state::AgentState& state);

// Takes one line without its end. Returns false to stop.
using LineSink = absl::FunctionRef<bool(absl::string_view line)>;

// Gives `sink` one line after another: a tree that is indented for people, or
// if `json` one object per line. Foreign text is escaped. Never holds all
// lines.
void ShowInspection(const Inspection& inspection, bool json, LineSink sink);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_H_
