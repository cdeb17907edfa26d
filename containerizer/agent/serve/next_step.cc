// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/next_step.h"

namespace external_containerizer {

AgentStep NextStep(const Progress& progress) {
  if (progress.writing || progress.forgotten) return AgentStep::kNone;
  const bool to_end = progress.launch_failed || progress.unwanted;

  if (!progress.launch_recorded) {
    if (!to_end) return AgentStep::kRecordLaunch;
    // A record that failed may have left parts on the disk.
    return progress.forget_failed ? AgentStep::kNone : AgentStep::kForget;
  }
  if (!progress.launched && !progress.launching && !to_end) {
    return AgentStep::kLaunch;
  }
  if (progress.exited && !progress.exit_recorded &&
      !progress.exit_record_failed && !progress.launch_failed) {
    return AgentStep::kRecordExit;
  }
  if (!progress.destroyed) {
    if (progress.launched && !to_end) {
      if (!progress.launched_recorded) return AgentStep::kRecordLaunched;
      if (!progress.exited && !progress.waiting) return AgentStep::kWait;
    }
    // The destroy acknowledges the exit, so the exit is recorded first. But a
    // full disk prevents no destroy that was asked for.
    if ((!to_end && !progress.exit_recorded) || progress.destroying ||
        progress.destroy_failed) {
      return AgentStep::kNone;
    }
    // Without this record the next agent would report an unknown end. A
    // container that was never launched it destroys anyway.
    if (to_end && progress.launched && !progress.exit_recorded &&
        !progress.unwanted_recorded) {
      return AgentStep::kRecordUnwanted;
    }
    return AgentStep::kDestroy;
  }
  // The program's answer to a launch may still come.
  if (progress.launching || progress.destroying) return AgentStep::kNone;
  if (to_end) {
    return progress.forget_failed ? AgentStep::kNone : AgentStep::kForget;
  }
  if (progress.exit_recorded && !progress.completed_recorded) {
    return AgentStep::kRecordCompleted;
  }
  return AgentStep::kNone;
}

}  // namespace external_containerizer
