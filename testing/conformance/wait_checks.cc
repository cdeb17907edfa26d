// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <sys/wait.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/conformance/checks.h"

namespace external_containerizer {
namespace conformance {
namespace {

// How long a `wait` is watched that must not end.
constexpr absl::Duration kWatch = absl::Seconds(1);
// So that a `wait` has begun before the task ends.
constexpr absl::Duration kBegin = absl::Milliseconds(200);

void WaitAtEnd(Bench& bench) {
  Task& task = bench.Launch("read line <go; exit 3");
  const auto wait = bench.Start("wait", task);
  const bool early = wait->Await(Deadline(kWatch));
  bench.Expect(
      !early, "`wait` ", wait->ended().how,
      wait->ended().answer.has_value() ? ", with an answer," : "",
      " while the task still ran; return when the container has ended");
}

void WaitEnds(Bench& bench) {
  Task& task = bench.Launch("read line <go; exit 3");
  const auto wait = bench.Start("wait", task);
  wait->Await(Deadline(kBegin));
  bench.Release(task);
  const Ended waited = bench.Finish(*wait, "wait");
  bench.Expect(!waited.hung, "the task ended, and its `wait` ", waited.how);
}

void WaitAfterEnd(Bench& bench) {
  Task& task = bench.Launch("exit 3");
  const int first = bench.Wait(task).status();
  for (const char* which : {"second", "third"}) {
    const Ended again = bench.Run("wait", task);
    bench.Expect(!again.hung && again.answer.has_value(), "the ", which,
                 " `wait` for a container that has ended ", again.how,
                 ", without an answer; keep the status until `destroy`");
    wire::Termination termination;
    bench.Require(termination.ParseFromString(again.answer.value_or("")),
                  "the answer to a `wait` is no Termination");
    bench.Expect(termination.status() == first, "the ", which,
                 " `wait` tells the status ", termination.status(),
                 ", and the first told ", first);
  }
}

void WaitTwice(Bench& bench) {
  Task& task = bench.Launch("read line <go; exit 3");
  const auto first = bench.Start("wait", task);
  const auto second = bench.Start("wait", task);
  second->Await(Deadline(kBegin));
  bench.Release(task);
  const Ended one = bench.Finish(*first, "wait");
  const Ended other = bench.Finish(*second, "wait");
  const bool both = one.answer.has_value() && other.answer.has_value();
  bench.Require(both || one.answer.has_value() || other.answer.has_value(),
                "a `wait` ", one.how, ", without an answer");
  bench.Expect(both, "of two `wait`s at once, one ",
               one.answer.has_value() ? other.how : one.how,
               ", without an answer");
}

void WaitUnknown(Bench& bench) {
  const Ended waited = bench.RunOn("wait", Bench::NewId());
  bench.Expect(!waited.hung, "the `wait` for a container that never was ",
               waited.how, "; fail at once: no Termination will come");
  bench.Expect(!waited.answer.has_value() && !waited.success,
               "the `wait` for a container that never was ", waited.how,
               waited.answer.has_value() ? ", with an answer" : "",
               "; fail, so that the agent does not take it for its end");
}

// Why the status of a task that ended with an exit code is wrong; or empty.
std::string WhyNotCode(const wire::Termination& termination, int code) {
  const std::string should = absl::StrCat("the task exited with ", code,
                                          ", and Termination.status should be ",
                                          code << 8, ", as waitpid() has it");
  if (!termination.has_status()) {
    return absl::StrCat(should, "; it is not set");
  }
  const int status = termination.status();
  if (status == code << 8) return "";
  return absl::StrCat(should, "; it is ", status,
                      status == code
                          ? absl::StrCat(", the bare exit code, which reads as "
                                         "\"killed by signal ",
                                         code, "\": shift it left by 8")
                          : "");
}

void ExitCode(Bench& bench) {
  for (const int code : {3, 0}) {
    Task& task = bench.Launch(absl::StrCat("exit ", code));
    const std::string why = WhyNotCode(bench.Wait(task), code);
    bench.Expect(why.empty(), why);
  }
}

void Signal(Bench& bench) {
  for (const int number : {SIGKILL, SIGTERM}) {
    Task& task = bench.Launch(absl::StrCat("kill -", number, " $$"));
    const int status = bench.Wait(task).status();
    bench.Expect(WIFSIGNALED(status) && WTERMSIG(status) == number,
                 "the task was killed by signal ", number,
                 ", and Termination.status should be ", number,
                 ", as waitpid() has it; it is ", status,
                 status == (128 + number) << 8
                     ? ", which is what a shell makes of it"
                     : "",
                 status == -number ? ", the negated signal" : "");
  }
}

void OldAgents(Bench& bench) {
  Task& task = bench.Launch("exit 3");
  const wire::Termination termination = bench.Wait(task);
  bench.Expect(termination.has_killed() && termination.has_message(),
               "the Termination lacks ",
               termination.has_killed() ? "`message`" : "`killed`",
               ", which Mesos 0.19 to 0.25 require: set `killed` to false, "
               "and `message` to any text");
}

}  // namespace

std::vector<Check> WaitChecks() {
  return {
      {"wait-at-end", Level::kMust, "R10, D14",
       "`wait` does not return while the container runs.", WaitAtEnd},
      {"wait-ends", Level::kMust, "R10",
       "`wait` returns when the container has ended.", WaitEnds},
      {"wait-after-end", Level::kMust, "R11, D42",
       "`wait` may begin after the end, and answers the same until `destroy`.",
       WaitAfterEnd},
      {"wait-twice", Level::kShould, "R11, D28",
       "Two `wait`s for one container both end with it.", WaitTwice},
      {"wait-unknown", Level::kMust, "R12",
       "`wait` for a container that is not known fails at once.", WaitUnknown},
      {"exit-code", Level::kMust, "R13, D22",
       "An exit code is told as waitpid() has it: shifted left by 8.",
       ExitCode},
      {"signal", Level::kShould, "R13, D22",
       "A signal is told as waitpid() has it.", Signal},
      {"old-agents", Level::kShould, "R14",
       "A Termination has `killed` and `message` for Mesos up to 0.25.",
       OldAgents},
  };
}

}  // namespace conformance
}  // namespace external_containerizer
