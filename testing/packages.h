// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What tests use of the system's packages, beyond what they are built with. A
// test that lacks one is skipped:
//
//   const std::string why = MissingPackage(path, "golang-go");
//   if (!why.empty()) GTEST_SKIP() << why;

#ifndef EXTERNAL_CONTAINERIZER_TESTING_PACKAGES_H_
#define EXTERNAL_CONTAINERIZER_TESTING_PACKAGES_H_

#include <string>

namespace external_containerizer {

// Empty if `path` exists, which comes with Debian's package `package`; else
// what is missing and what to install. .ci/run counts a test that was skipped
// with this text as failed.
std::string MissingPackage(const std::string& path, const std::string& package);

// Whether the program that testing/programs builds from python_program.py can
// run, in the same words.
std::string MissingForPythonProgram();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_PACKAGES_H_
