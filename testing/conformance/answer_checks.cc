// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <utility>
#include <vector>

#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/conformance/checks.h"

namespace external_containerizer {
namespace conformance {
namespace {

void ContainersRecord(Bench& bench) {
  const Ended none = bench.Run("containers");
  bench.Expect(none.answer.has_value() || !none.bad_record.empty(),
               "`containers` ", none.how,
               ", and wrote nothing; without containers the answer is a record "
               "of length 0, which is 4 bytes 0");
  bench.Launch("exit 3");
  const Ended listed = bench.Run("containers");
  bench.Expect(listed.bad_record.empty(), "`containers` wrote ",
               listed.bad_record);
  bench.Expect(listed.success, "`containers` ", listed.how);
  bench.Expect(wire::Containers().ParseFromString(listed.answer.value_or("")),
               "the answer to `containers` is no message Containers");
}

void WaitRecord(Bench& bench) {
  Task& task = bench.Launch("exit 3");
  const Ended waited = bench.Run("wait", task);
  bench.Require(!waited.hung, "`wait` ", waited.how);
  bench.Expect(waited.bad_record.empty(), "`wait` wrote ", waited.bad_record);
  bench.Expect(waited.answer.has_value(), "`wait` wrote nothing, and ",
               waited.how,
               "; write a Termination: how a container ended is known from "
               "nothing else");
  bench.Expect(wire::Termination().ParseFromString(waited.answer.value_or("")),
               "the answer to `wait` is no message Termination");
}

void UsageRecord(Bench& bench) {
  Task& task = bench.Launch("read line <go");
  const Ended used = bench.Run("usage", task);
  bench.Expect(used.bad_record.empty(), "`usage` wrote ", used.bad_record);
  bench.Expect(used.success, "the `usage` of a container that runs ", used.how,
               "; with nothing to say, exit with 0");
  if (!used.answer.has_value()) return;
  wire::ResourceStatistics usage;
  bench.Expect(usage.ParseFromString(*used.answer),
               "the answer to `usage` is no message ResourceStatistics");
  bench.Expect(usage.has_timestamp(),
               "the answer to `usage` lacks `timestamp`, which is required");
}

// The ends of the three commands with an answer.
std::vector<std::pair<std::string, Ended>> Answers(Bench& bench) {
  Task& task = bench.Launch("exit 3");
  std::vector<std::pair<std::string, Ended>> answers;
  for (const std::string command : {"wait", "usage", "containers"}) {
    answers.emplace_back(command, command == "containers"
                                      ? bench.Run(command)
                                      : bench.Run(command, task));
    bench.Require(!answers.back().second.hung, "`", command, "` does not end");
  }
  return answers;
}

void NothingBehind(Bench& bench) {
  for (const auto& [command, ended] : Answers(bench)) {
    bench.Expect(ended.behind == 0, "`", command, "` wrote ", ended.behind,
                 " bytes behind its record; an answer is one record");
  }
}

void AnswerEnds(Bench& bench) {
  for (const auto& [command, ended] : Answers(bench)) {
    bench.Expect(!ended.held, "`", command,
                 "` left a process that holds its stdout; agents that read "
                 "until the end of the pipe wait for that process. Let what "
                 "stays close descriptors 0 to 2");
  }
}

}  // namespace

std::vector<Check> AnswerChecks() {
  using Needs = Check::Needs;
  using For = Check::For;
  return {
      {"containers-record", Level::kMust, "R8, D6",
       "`containers` answers with one whole record.", ContainersRecord},
      {"wait-record", Level::kMust, "R8, D6",
       "`wait` answers with one whole record.", WaitRecord},
      {"usage-record", Level::kMust, "R8, D6",
       "`usage` succeeds, and answers with one whole record or not at all.",
       UsageRecord, Needs::kUsage},
      {"nothing-behind", Level::kShould, "R8, D5",
       "Nothing comes behind a record.", NothingBehind, Needs::kNothing,
       For::kExec},
      {"answer-ends", Level::kShould, "R9, D7",
       "No process that stays behind holds the stdout of an answer.",
       AnswerEnds, Needs::kNothing, For::kExec},
  };
}

}  // namespace conformance
}  // namespace external_containerizer
