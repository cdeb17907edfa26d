// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/conformance/checks.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {
namespace conformance {
namespace {

// In how many moments of a `launch` it is killed.
constexpr int kMoments = 8;
// How long a container is watched that must not end.
constexpr absl::Duration kWatch = absl::Milliseconds(500);
// So that a `wait` has begun.
constexpr absl::Duration kBegin = absl::Milliseconds(200);

bool Has(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

void RecoverHarmless(Bench& bench) {
  const Ended first = bench.Run("recover");
  bench.Expect(first.success, "a `recover` without containers ", first.how);
  Task& task = bench.Launch("read line <go; exit 3");
  const Ended again = bench.Run("recover");
  bench.Expect(again.success, "a `recover` with a container ", again.how);
  bench.Expect(!bench.Gone(task), "`recover` ended a container that ran");
  bench.Release(task);
  bench.Expect(bench.EndsWith(task, 3),
               "after `recover` the `wait` for a container that runs does not "
               "tell its status");
}

void TwoContainers(Bench& bench) {
  Task& one = bench.Launch("read line <go; echo one >mark; exit 3");
  Task& other = bench.Launch("read line <go; echo other >mark; exit 4");
  bench.Release(one);
  bench.Expect(bench.EndsWith(one, 3),
               "with two containers the status of the first is not its own");
  bench.Expect(!bench.Gone(other),
               "with the end of one container another one ended");
  bench.Destroy(one);
  bench.Expect(!bench.Gone(other),
               "the `destroy` of one container ended another one");
  bench.Release(other);
  bench.Expect(bench.EndsWith(other, 4),
               "after the `destroy` of one container the status of another is "
               "not its own");
  bench.Expect(bench.FileOf(one, "mark") == "one\n" &&
                   bench.FileOf(other, "mark") == "other\n",
               "two containers do not each run in a sandbox of their own");
}

void TwoAgents(Bench& bench) {
  Task& task = bench.Launch("read line <go; exit 3");
  bench.UseAgent(1);
  bench.Require(bench.Run("recover").success, "`recover` fails");
  bench.Expect(!bench.Gone(task),
               "the `recover` of one agent ended a container of another; "
               "MESOS_WORK_DIRECTORY tells them apart");
  Task& other = bench.Launch("read line <go");
  constexpr char kForeign[] =
      "`containers` lists a container of another agent, which has another "
      "MESOS_WORK_DIRECTORY; Mesos destroys what is listed and not its own";
  bench.Expect(!Has(bench.List(), task.id), kForeign);
  bench.Destroy(other);
  bench.UseAgent(0);
  bench.Expect(!Has(bench.List(), other.id), kForeign);
  bench.Expect(!bench.Gone(task),
               "what another agent does ended this one's container");
  bench.Release(task);
  bench.Expect(bench.EndsWith(task, 3),
               "beside another agent a container's status is not its own");
}

void KilledLaunch(Bench& bench) {
  // How long one takes, so as to be hit everywhere.
  const absl::Duration begin = MonotonicNow();
  bench.Destroy(bench.Launch("read line <go"));
  const absl::Duration whole = (MonotonicNow() - begin) / 2;
  std::vector<Task*> tasks;
  for (int i = 0; i < kMoments; ++i) {
    Task& task = bench.Make("read line <go");
    tasks.push_back(&task);
    const auto launch = bench.Start("launch", task);
    launch->Await(Deadline(whole * i / (kMoments - 1)));
    launch->Kill();
    const std::string when = absl::StrCat(
        "after a `launch` that was killed ",
        absl::FormatDuration(whole * i / (kMoments - 1)), " after its begin, ");
    const Ended recovered = bench.Run("recover");
    bench.Expect(recovered.success, when, "`recover` ", recovered.how);
    const Ended destroyed = bench.Run("destroy", task);
    bench.Expect(destroyed.success, when, "`destroy` ", destroyed.how);
    bench.Expect(bench.Gone(task), when,
                 "`destroy` succeeded, and the task runs; write down what is "
                 "to be ended before it is started");
    bench.Expect(!Has(bench.List(), task.id), when,
                 "`destroy` succeeded, and `containers` lists the container");
  }
  for (Task* task : tasks) {
    bench.Expect(bench.Gone(*task),
                 "a task began to run after its `launch` was killed and its "
                 "`destroy` had succeeded");
  }
}

void KilledWait(Bench& bench) {
  Task& task = bench.Launch("read line <go; exit 3");
  const auto wait = bench.Start("wait", task);
  wait->Await(Deadline(kBegin));
  wait->Kill();
  bench.Expect(!bench.GoesWithin(task, kWatch),
               "the container ended with its `wait`, which was killed");
  bench.Release(task);
  bench.Expect(bench.EndsWith(task, 3),
               "after a `wait` that was killed, the next one does not tell the "
               "status of the container");
}

}  // namespace

std::vector<Check> AgentChecks() {
  return {
      {"recover-harmless", Level::kMust, "R21",
       "`recover` succeeds, and does not touch a container that runs.",
       RecoverHarmless},
      {"two-containers", Level::kMust, "R22",
       "Containers at one time are kept apart.", TwoContainers},
      {"two-agents", Level::kMust, "R23, D30",
       "The containers of an agent with another work directory are left alone.",
       TwoAgents},
      {"killed-launch", Level::kMust, "R24, D28",
       "After a `launch` that was killed `destroy` leaves nothing.",
       KilledLaunch},
      {"killed-wait", Level::kMust, "R24, D28",
       "A `wait` that was killed takes nothing with it, and can be repeated.",
       KilledWait},
  };
}

}  // namespace conformance
}  // namespace external_containerizer
