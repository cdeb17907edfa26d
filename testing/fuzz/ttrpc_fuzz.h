// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Fuzzes ttrpc. The input is a list of decisions: which frames a stream
// consists of, right ones and wrong ones, and where it is cut. The codec reads
// it, a server is asked with it, and a client answered.
//
// ttrpc_fuzz_test runs inputs made from fixed seeds. To search:
//
//   bazel run --config=clang --copt=-fsanitize=fuzzer-no-link
//     //testing/fuzz:ttrpc_fuzzer

#ifndef EXTERNAL_CONTAINERIZER_TESTING_FUZZ_TTRPC_FUZZ_H_
#define EXTERNAL_CONTAINERIZER_TESTING_FUZZ_TTRPC_FUZZ_H_

#include <cstddef>
#include <cstdint>

// Aborts, and shows the stream, if one of them breaks a promise. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // EXTERNAL_CONTAINERIZER_TESTING_FUZZ_TTRPC_FUZZ_H_
