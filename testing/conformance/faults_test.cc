// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Each fault is found by exactly the checks that are about it, and programs
// without that fault pass them.

#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/testing/conformance/check_testing.h"
#include "external_containerizer/testing/conformance/checks.h"
#include "external_containerizer/testing/packages.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace conformance {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Fault {
  std::string name;
  std::set<std::string> checks;  // That fail.
  std::string says;              // Is part of the reason.
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

const Fault kProgramFaults[] = {
    {"wait-big-endian", {"wait-record"}, "lowest byte first"},
    {"wait-nothing", {"wait-record"}, "wrote nothing"},
    {"wait-half", {"wait-record"}, "and flush stdout"},
    {"wait-length-alone", {"wait-record"}, "inside the length"},
    {"wait-text-before", {"wait-record"}, "write what is for people to stderr"},
    {"wait-text-behind", {"nothing-behind"}, "5 bytes behind its record"},
    {"containers-big-endian", {"containers-record"}, "lowest byte first"},
    {"containers-nothing", {"containers-record"}, "4 bytes 0"},
    {"usage-half", {"usage-record"}, "and flush stdout"},
    {"usage-lacks-timestamp", {"usage-record"}, "timestamp"},
    {"usage-fails", {"usage-record"}, "exit with 0"},
    {"usage-leaves-a-process", {"answer-ends"}, "close descriptors 0 to 2"},
    {"unknown-succeeds", {"unknown-command"}, "fail"},
    {"launch-stays", {"launch-returns"}, "while its task ran"},
    {"launch-refuses-large", {"large-launch"}, "1 MiB"},
    {"launch-elsewhere", {"sandbox-directory"}, "working directory"},
    {"launch-discards-output", {"task-output"}, "stdout"},
    {"launch-keeps-path", {"environment"}, "PATH"},
    {"launch-discards-agent", {"agent-environment"}, "MESOS_SLAVE_ID"},
    {"launch-joins-arguments", {"arguments"}, "argv"},
    {"launch-needs-no-command", {"missing-command"}, "127 << 8"},
    {"launch-takes-ids-twice", {"id-taken"}, "second"},
    {"launch-refuses-old-ids", {"id-again"}, "it was destroyed"},
    {"launch-refuses-spaces", {"odd-ids"}, "two words"},
    {"launch-leaves-a-process", {"nothing-stays"}, "stay"},
    {"launch-works-late", {"killed-launch"}, "killed"},
    {"wait-returns-early", {"wait-at-end"}, "while the task still ran"},
    {"wait-hangs", {"wait-ends", "destroy-ends-wait"}, "did not end"},
    {"wait-answers-twice", {"wait-after-end"}, "keep the status"},
    {"wait-excludes", {"wait-twice"}, "somebody waits"},
    {"wait-invents", {"wait-unknown"}, "with an answer"},
    {"wait-hangs-unknown", {"wait-unknown"}, "fail at once"},
    {"wait-ignores-destroy", {"destroy-ends-wait"}, "under way"},
    {"wait-is-jealous", {"killed-wait"}, "killed"},
    {"wait-tells-bare-code", {"exit-code"}, "the bare exit code"},
    {"wait-tells-shells-code", {"signal"}, "a shell makes of it"},
    {"wait-tells-negative", {"signal"}, "the negated signal"},
    {"wait-for-new-agents", {"old-agents"}, "killed"},
    {"destroy-refuses-unknown",
     {"destroy-unknown", "killed-launch"},
     "no such"},
    {"destroy-refuses-again", {"destroy-twice"}, "no such container"},
    {"destroy-refuses-ended", {"destroy-after-end"}, "it has ended"},
    {"destroy-spares-stubborn", {"destroy-ends-task"}, "SIGKILL"},
    {"destroy-ends-all", {"two-containers"}, "another one"},
    {"usage-ends", {"usage-harmless"}, "ended its task"},
    {"usage-invents", {"usage-unknown"}, "or write nothing"},
    {"update-fails", {"update-harmless"}, "cannot"},
    {"update-ends", {"update-harmless"}, "ended its task"},
    {"containers-forgets-ended", {"containers-complete"}, "has ended"},
    {"containers-lists-others", {"containers-exact"}, "never launched"},
    {"recover-fails", {"recover-harmless", "killed-launch"}, "cannot"},
    {"recover-ends-all", {"recover-harmless"}, "ended a container"},
    {"agents-share", {"two-agents"}, "MESOS_WORK_DIRECTORY"},
};

const Fault kHelperFaults[] = {
    {"none", {}, ""},
    {"hello-has-another-version", {"hello"}, "version 2"},
    {"hello-agrees", {"hello-other-version"}, "version 0"},
    {"ping-waits", {"ping"}, "one that hangs"},
    {"cancel-does-nothing", {"cancel"}, "did not end"},
    {"one-at-a-time", {"many-calls"}, "keep what other commands need"},
    {"memory-alone", {"helper-killed"}, "keep them on disk"},
};

// The timeout is waited for where a program hangs. It is still longer than a
// command takes on a busy machine.
constexpr char kFlags[] = "--json --timeout=6s ";

void ExpectFails(const CheckRun& run, const Fault& fault) {
  EXPECT_EQ(NamesWith(run, "failed"), fault.checks) << run.output;
  EXPECT_THAT(run.output, HasSubstr(fault.says));
  bool must = false;
  for (const Check& check : AllChecks()) {
    must |= check.level == Level::kMust && fault.checks.count(check.name) != 0;
  }
  EXPECT_EQ(run.exit_code, must ? 1 : 0) << run.output;
}

class ProgramFaultsTest : public ::testing::TestWithParam<Fault> {};

TEST_P(ProgramFaultsTest, IsFoundByItsChecksAlone) {
  const Fault& fault = GetParam();
  ExpectFails(
      RunCheck(absl::StrCat(kFlags, "--style=exec -- ",
                            TestDataPath("testing/conformance/faulty_program"),
                            " ", fault.name)),
      fault);
}

std::string Name(const ::testing::TestParamInfo<Fault>& info) {
  return absl::StrReplaceAll(info.param.name, {{"-", "_"}});
}

INSTANTIATE_TEST_SUITE_P(All, ProgramFaultsTest,
                         ::testing::ValuesIn(kProgramFaults), Name);

class HelperFaultsTest : public ::testing::TestWithParam<Fault> {};

TEST_P(HelperFaultsTest, IsFoundByItsChecksAlone) {
  const Fault& fault = GetParam();
  ExpectFails(
      RunCheck(absl::StrCat(kFlags, "--style=helper -- ",
                            TestDataPath("testing/conformance/faulty_helper"),
                            " ", fault.name)),
      fault);
}

INSTANTIATE_TEST_SUITE_P(All, HelperFaultsTest,
                         ::testing::ValuesIn(kHelperFaults), Name);

// All checks, of a program without a fault, and what fails of each.

struct Good {
  std::string program;  // Words, the first from the project's top.
  std::string style;
  std::set<std::string> checks;  // That fail.
};

void PrintTo(const Good& good, std::ostream* out) { *out << good.program; }

class GoodProgramsTest : public ::testing::TestWithParam<Good> {};

TEST_P(GoodProgramsTest, PassesAllButWhatItSaysThatItCannot) {
  const Good& good = GetParam();
  if (absl::StrContains(good.program, "python")) {
    const std::string why = MissingForPythonProgram();
    if (!why.empty()) GTEST_SKIP() << why;
  }
  std::string words;
  for (const absl::string_view word : absl::StrSplit(good.program, ' ')) {
    absl::StrAppend(&words, " ", TestDataPath(word));
  }
  const CheckRun run =
      RunCheck(absl::StrCat("--json --style=", good.style, " --", words));
  EXPECT_EQ(NamesWith(run, "failed"), good.checks) << run.output;
  EXPECT_THAT(NamesWith(run, "not judged"), IsEmpty()) << run.output;
  EXPECT_EQ(run.exit_code, 0) << run.output;
}

std::string GoodName(const ::testing::TestParamInfo<Good>& info) {
  return absl::StrReplaceAll(
      absl::StrCat(info.param.program, " ", info.param.style),
      {{"/", "_"}, {" ", "_"}});
}

// A container of theirs is a session of processes.
const std::set<std::string> kSessions = {"destroy-ends-daemons"};

INSTANTIATE_TEST_SUITE_P(
    All, GoodProgramsTest,
    ::testing::Values(
        Good{"containerizer/posix/posix", "exec", {}},
        Good{"containerizer/posix/posix", "helper", {}},
        Good{"testing/programs/shell_program", "exec", kSessions},
        Good{"testing/programs/python_program", "exec", kSessions},
        Good{"containerizer/program/exec_helper testing/programs/shell_program",
             "helper", kSessions}),
    GoodName);

}  // namespace
}  // namespace conformance
}  // namespace external_containerizer
