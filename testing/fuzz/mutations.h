// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Changes to files of records that know their structure: lengths, fields.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_FUZZ_MUTATIONS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_FUZZ_MUTATIONS_H_

#include <string>

#include "external_containerizer/testing/fuzz/decisions.h"

namespace external_containerizer {

// Cuts, inserts or overwrites something.
void MutateBytes(Decisions& next, std::string& bytes);

// `bytes` is a sequence of records: one is changed, added or removed.
void MutateRecords(Decisions& next, std::string& bytes);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_FUZZ_MUTATIONS_H_
