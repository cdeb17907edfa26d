// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads what an agent wrote down: this project's, or any Mesos agent from 0.20
// to 1.11, which may be alive, dead, or another machine's.
//
//   absl::StatusOr<AgentState> state = ReadAgentState("/var/lib/my_agent");
//   if (!state.ok()) return state.status();
//   if (state->slave) Print(state->slave->id);
//
// Nothing on disk is changed, and no link is followed below the work_dir. The
// two kinds of `latest` link count by the last component of their target, so
// that a work_dir may be moved. Ids are names of directories, whatever they
// contain.
//
// In a tree that an agent is writing to, the newest update of a task may look
// torn. Nothing else is harmed.

#ifndef EXTERNAL_CONTAINERIZER_STATE_READER_H_
#define EXTERNAL_CONTAINERIZER_STATE_READER_H_

#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/state/agent_state.h"
#include "external_containerizer/state/read_options.h"

namespace external_containerizer {
namespace state {

// Returns what `work_dir` remembers. A work_dir without meta/ remembers
// nothing.
//
// This treats a tree as Mesos does, with these exceptions:
//
//   A file that is damaged or missing takes nothing with it. (Mesos does not
//     read executors without framework.pid, or pids and tasks behind others.)
//   A runs/latest that points nowhere is a notice, not an error.
//   A slaves/latest that points nowhere, or a forked.pid that is no pid, is
//     damage, which stops only strict reading.
//   An update without a valid uuid is damage, and aborts nothing.
//   A file is never taken for the directory of an executor or a run.
//   After a reboot the tree is read, too, and `rebooted` is true.
//
// It needs at most 1 KiB of memory for each directory of a framework, executor,
// run or task, and room for the messages in the files. They take about three
// times the size of the files; files that are made to waste memory, 100 times.
//
//   NOT_FOUND           The work_dir does not exist.
//   DATA_LOSS           Strict: the first damage.
//   RESOURCE_EXHAUSTED  Strict or not: no descriptor or memory is left.
//   UNAVAILABLE         The kernel does not say which boot this is.
//   other codes         The system's, if work_dir or meta/ cannot be opened.
//
// Blocks for as long as the disk does.
absl::StatusOr<AgentState> ReadAgentState(const std::string& work_dir,
                                          const ReadOptions& options = {});

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_READER_H_
