// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Changes files of records, with knowledge of their lengths and fields.
//
//   std::string bytes = EncodeRecord(payload);
//   MutateRecords(next, bytes);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_FUZZ_MUTATIONS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_FUZZ_MUTATIONS_H_

#include <string>

#include "external_containerizer/testing/fuzz/decisions.h"

namespace external_containerizer {

// Cuts, inserts or overwrites bytes.
void MutateBytes(Decisions& next, std::string& bytes);

// Changes, adds or removes one record. `bytes` is a sequence of records.
void MutateRecords(Decisions& next, std::string& bytes);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_FUZZ_MUTATIONS_H_
