// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Fuzzes the reader of the agent's state. The input is a list of decisions:
// what to do to which file of a tree that is whole. They know the structure:
// lengths of records, fields of messages, links, types of files.
//
// state_reader_fuzz_test runs inputs made from fixed seeds. To search:
//
//   bazel run --config=clang --copt=-fsanitize=fuzzer-no-link
//     //testing/fuzz:state_reader_fuzzer

#ifndef EXTERNAL_CONTAINERIZER_TESTING_FUZZ_STATE_READER_FUZZ_H_
#define EXTERNAL_CONTAINERIZER_TESTING_FUZZ_STATE_READER_FUZZ_H_

#include <cstddef>
#include <cstdint>

// Aborts, and shows the tree, if the reader breaks a promise. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // EXTERNAL_CONTAINERIZER_TESTING_FUZZ_STATE_READER_FUZZ_H_
