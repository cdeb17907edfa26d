// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Where a test finds the files named in its `data`, and bytes it has in itself.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_TEST_DATA_H_
#define EXTERNAL_CONTAINERIZER_TESTING_TEST_DATA_H_

#include <string>

#include "absl/strings/string_view.h"

namespace external_containerizer {

// The path of a file or binary of this project, given from the project's top
// ("containerizer/wire/testdata/launch.request.bin"), whether the project is
// built by itself or embedded in another, with WORKSPACE or with MODULE.bazel.
// If there is no such file, a path that cannot be opened and that names it.
std::string TestDataPath(absl::string_view path);

// All bytes of that file. A file that cannot be read fails the test and reads
// as empty.
std::string ReadTestData(absl::string_view path);

// Bytes from hexadecimal digits and spaces. Anything else fails the test.
std::string FromHex(absl::string_view digits);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_TEST_DATA_H_
