// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A small tree with every kind of file in it, for tests to damage.

#ifndef EXTERNAL_CONTAINERIZER_STATE_SAMPLE_TREE_TESTING_H_
#define EXTERNAL_CONTAINERIZER_STATE_SAMPLE_TREE_TESTING_H_

#include "absl/status/status.h"
#include "external_containerizer/state/mesos_writer_testing.h"
#include "external_containerizer/state/model_file_system_testing.h"

namespace external_containerizer {
namespace state {

// The boot in which the tree was written.
inline constexpr char kSampleBoot[] = "sample-boot";

// Agent S0 with
//   framework F0, executor e1: run c1, completed, task t1 with two updates, one
//     acknowledged; run c2, the latest, with pids, task t2
//   framework F1, executor e2: run c3, the latest, registered over HTTP.
inline constexpr int kSampleRuns = 3;

absl::Status WriteSample(MesosWriter& writer);
Image SampleImage();

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_SAMPLE_TREE_TESTING_H_
