// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What a standing agent does next for one container: what is written down when,
// in relation to what the program is told. Pure.
//
//   record launch ▶ launch ▶ record launched ▶ wait
//                                                │ it ends
//     record completed ◀ destroy ◀ record exit ◀─┘
//     forget
//
// When somebody asks for it to be destroyed while it runs, that is recorded
// before the program is told.
//
// An agent may be killed between any two steps, and in any of them. The next
// one finds how far the last had come in its files and goes on from there:
//
//   recorded so far    what the next agent does
//   nothing            nothing: the program has not heard of it
//   launch             has it destroyed: nobody was told that it runs
//   launched           asks how it ended, however long ago
//   wanted gone        has it destroyed and forgets it
//   exit               has it destroyed, which acknowledges the exit

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_H_

namespace external_containerizer {

enum class AgentStep {
  kNone,  // Something is under way, or nothing is left to do.
  kRecordLaunch,
  kLaunch,
  kRecordLaunched,
  kWait,
  kRecordExit,
  kRecordUnwanted,
  kDestroy,
  kRecordCompleted,
  kForget,  // Its sandbox is removed, and then what was recorded.
};

// How far a container has come.
struct Progress {
  bool launch_recorded = false;
  bool launched = false;  // The program said that it runs.
  bool launched_recorded = false;
  bool exited = false;  // It is known how it ended.
  bool exit_recorded = false;
  bool destroyed = false;  // The program holds nothing of it any more.
  bool completed_recorded = false;

  bool launch_failed = false;  // Or what was to be recorded of it.
  bool unwanted = false;       // Somebody asked for it to be destroyed.
  bool unwanted_recorded = false;
  bool forgotten = false;  // Its id may be another's by now.

  // Under way.
  bool writing = false;
  bool launching = false;
  bool waiting = false;
  bool destroying = false;

  // Was tried and failed; to be cleared when it is to be tried again.
  bool exit_record_failed = false;
  bool destroy_failed = false;
  bool forget_failed = false;
};

AgentStep NextStep(const Progress& progress);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_H_
