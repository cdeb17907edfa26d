// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Decides what a standing agent does next for one container: in which order it
// writes to the disk and speaks to the program. Pure.
//
//   Progress progress;
//   while (NextStep(progress) != AgentStep::kNone) Take(NextStep(progress));
//
//   record launch ▶ launch ▶ record launched ▶ wait
//                                                │ it ends
//     record completed ◀ destroy ◀ record exit ◀─┘
//     forget
//
// A request to destroy a running container is recorded before the program is
// told.
//
// An agent may be killed between any two steps, and during each of them. The
// next agent reads in the records how far this one came, and goes on from
// there:
//
//   recorded last   what the next agent does
//   nothing         nothing: the program has not heard of the container
//   launch          destroys it: nobody was told that it runs
//   launched        asks how it ended, however long ago
//   unwanted        destroys it and forgets it
//   exit            destroys it, which acknowledges the exit

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_H_

namespace external_containerizer {

enum class AgentStep {
  kNone,  // A step is under way, or nothing is left to do.
  kRecordLaunch,
  kLaunch,
  kRecordLaunched,
  kWait,
  kRecordExit,
  kRecordUnwanted,
  kDestroy,
  kRecordCompleted,
  kForget,  // Remove the sandbox, and then the records.
};

// How far a container has come. A step's end sets its member.
struct Progress {
  bool launch_recorded = false;
  bool launched = false;  // The program said that it runs.
  bool launched_recorded = false;
  bool exited = false;  // The agent knows how it ended.
  bool exit_recorded = false;
  bool destroyed = false;  // The program holds nothing of it.
  bool completed_recorded = false;

  bool launch_failed = false;  // The launch, or a record of it.
  bool unwanted = false;       // Somebody asked for it to be destroyed.
  bool unwanted_recorded = false;
  bool forgotten = false;  // The name may be another container's by now.

  // A step of this kind is under way.
  bool writing = false;
  bool launching = false;
  bool waiting = false;
  bool destroying = false;

  // The step failed. Whoever wants it repeated clears the member.
  bool exit_record_failed = false;
  bool destroy_failed = false;
  bool forget_failed = false;
};

// Returns the step to take now; kNone if there is none.
AgentStep NextStep(const Progress& progress);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_H_
