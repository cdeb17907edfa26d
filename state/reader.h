// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads what an agent wrote down, be it this one or any Mesos agent from 0.20
// to 1.11, alive, dead or of another machine.
//
// Nothing on disk is changed. No link is followed below the work_dir: the two
// kinds of `latest` link count by the last component of what they say, so that
// a work_dir may be moved. Ids are names of directories, whatever they contain.
//
// Read this way, a tree that an agent is writing to may show an update as torn
// that is on its way, and nothing worse.

#ifndef EXTERNAL_CONTAINERIZER_STATE_READER_H_
#define EXTERNAL_CONTAINERIZER_STATE_READER_H_

#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/state/agent_state.h"
#include "external_containerizer/state/read_options.h"

namespace external_containerizer {
namespace state {

// What `work_dir` remembers. An absent meta/ is a state with nothing in it.
//
// Where Mesos defines what it makes of a tree this does the same, except that
//   a file that is damaged or missing takes nothing with it (Mesos does not
//     read executors without framework.pid, or pids and tasks behind others);
//   a runs/latest that points nowhere is a notice, not an error;
//   a slaves/latest that does, or a forked.pid that is no pid, is damage, which
//     stops only who reads strictly;
//   updates without a valid uuid are damage, and do not abort;
//   a file that is no directory is never taken for an executor or a run;
//   after a reboot the tree is read, and `rebooted` says so.
//
// Memory: at most 1 KiB for each directory of a framework, executor, run or
// task, and what the messages in its files take, which is about three times
// the files' size, at most 100 times for files made for that purpose.
//
//   NOT_FOUND           there is no work_dir
//   DATA_LOSS           strict, and something is damaged: the first such thing
//   RESOURCE_EXHAUSTED  no descriptor or memory left: strict or not
//   UNAVAILABLE         the kernel does not say which boot this is
// and what the system said if work_dir or meta/ cannot be opened.
//
// Takes as long as the disk does: not for a thread that must not block.
absl::StatusOr<AgentState> ReadAgentState(const std::string& work_dir,
                                          const ReadOptions& options = {});

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_READER_H_
