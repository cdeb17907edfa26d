// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The function that every fuzz target defines. The input is a list of decisions
// (decisions.h), from which the target makes what it tries.
//
// The test of a target runs inputs that are made from fixed seeds. To search:
//
//   bazel run -c opt --config=clang --copt=-fsanitize=fuzzer-no-link
//     //testing/fuzz:frame_fuzzer

#ifndef EXTERNAL_CONTAINERIZER_TESTING_FUZZ_FUZZ_TARGET_H_
#define EXTERNAL_CONTAINERIZER_TESTING_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>

// Aborts, and shows what it tried, if a promise is broken. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // EXTERNAL_CONTAINERIZER_TESTING_FUZZ_FUZZ_TARGET_H_
