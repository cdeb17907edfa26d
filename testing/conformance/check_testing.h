// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Runs the binary `check` as its users do.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_CHECK_TESTING_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_CHECK_TESTING_H_

#include <stdio.h>
#include <sys/wait.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/testing/test_data.h"

namespace external_containerizer {
namespace conformance {

struct CheckRun {
  int exit_code = -1;
  std::string output;  // stdout and stderr.
};

// `arguments` are a shell's text.
inline CheckRun RunCheck(absl::string_view arguments) {
  CheckRun run;
  const std::string command =
      absl::StrCat(TestDataPath("testing/conformance/check"), " ", arguments,
                   " 2>&1 </dev/null");
  FILE* const pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return run;
  char buffer[4096];
  size_t n;
  while ((n = fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    run.output.append(buffer, n);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) run.exit_code = WEXITSTATUS(status);
  return run;
}

// The value of a member that is text without escapes, of one line of --json.
inline std::string Member(absl::string_view line, absl::string_view name) {
  const std::string key = absl::StrCat("\"", name, "\":\"");
  const size_t begin = line.find(key);
  if (begin == absl::string_view::npos) return "";
  line.remove_prefix(begin + key.size());
  return std::string(line.substr(0, line.find('"')));
}

// The checks that --json reports with this result.
inline std::set<std::string> NamesWith(const CheckRun& run,
                                       absl::string_view result) {
  std::set<std::string> names;
  for (const absl::string_view line : absl::StrSplit(run.output, '\n')) {
    if (Member(line, "type") == "check" && Member(line, "result") == result) {
      names.insert(Member(line, "name"));
    }
  }
  return names;
}

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_CHECK_TESTING_H_
