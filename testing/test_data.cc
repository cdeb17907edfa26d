// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/test_data.h"

#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

std::string Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string TestDataPath(absl::string_view path) {
  const std::string root = Variable("TEST_SRCDIR");
  // The project's own directory comes first: whoever embeds it may have a file
  // of the same name. In a WORKSPACE build of its own, that is also the main
  // workspace; with MODULE.bazel the main one is "_main".
  for (const std::string& workspace :
       {std::string("external_containerizer"), Variable("TEST_WORKSPACE"),
        std::string("_main")}) {
    if (workspace.empty()) continue;
    std::string candidate = absl::StrCat(root, "/", workspace, "/", path);
    if (access(candidate.c_str(), F_OK) == 0) return candidate;
  }
  return absl::StrCat(root, "/external_containerizer/", path);
}

std::string ReadTestData(absl::string_view path) {
  const std::string file = TestDataPath(path);
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    ADD_FAILURE() << "cannot read " << file;
    return "";
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string FromHex(absl::string_view digits) {
  const std::string plain = absl::StrReplaceAll(digits, {{" ", ""}});
  std::string bytes;
  for (size_t i = 0; i < plain.size(); i += 2) {
    int byte = 0;
    EXPECT_TRUE(absl::SimpleHexAtoi(plain.substr(i, 2), &byte)) << digits;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace external_containerizer
