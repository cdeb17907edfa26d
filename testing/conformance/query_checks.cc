// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/conformance/checks.h"

namespace external_containerizer {
namespace conformance {
namespace {

bool Has(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// That a container is as before something that should not have touched it.
void ExpectUntouched(Bench& bench, Task& task, bool listed,
                     const std::string& what) {
  bench.Expect(!bench.Gone(task), what, " ended its task");
  bench.Expect(!listed || Has(bench.List(), task.id), "after ", what,
               " `containers` does not list the container any more");
  bench.Release(task);
  bench.Expect(bench.EndsWith(task, 3), "after ", what,
               " `wait` does not tell the status of the task");
}

void UsageHarmless(Bench& bench) {
  Task& task = bench.Launch("read line <go; exit 3");
  const bool listed = Has(bench.List(), task.id);
  for (int i = 0; i < 3; ++i) {
    bench.Require(!bench.Run("usage", task).hung, "`usage` does not end");
  }
  ExpectUntouched(bench, task, listed, "the `usage` of a container");
}

void UsageUnknown(Bench& bench) {
  const std::string id = Bench::NewId();
  const Ended used = bench.RunOn("usage", id);
  bench.Expect(!used.hung, "the `usage` of a container that never was ",
               used.how);
  bench.Expect(!used.answer.has_value(),
               "the `usage` of a container that never was has an answer; fail, "
               "or write nothing");
  bench.Expect(!Has(bench.List(), id),
               "after the `usage` of a container that never was `containers` "
               "lists it");
}

void UpdateHarmless(Bench& bench) {
  Task& task = bench.Make("read line <go; exit 3");
  bench.Launch(task);
  const bool listed = Has(bench.List(), task.id);
  const Ended updated = bench.Run("update", task);
  bench.Expect(updated.success, "the `update` of a container that runs ",
               updated.how);
  ExpectUntouched(bench, task, listed, "the `update` of a container");
}

void UpdateUnknown(Bench& bench) {
  const std::string id = Bench::NewId();
  const Ended updated = bench.RunOn("update", id);
  bench.Expect(!updated.hung, "the `update` of a container that never was ",
               updated.how);
  bench.Expect(!Has(bench.List(), id),
               "after the `update` of a container that never was `containers` "
               "lists it");
}

void ContainersComplete(Bench& bench) {
  Task& alive = bench.Launch("read line <go");
  Task& ended = bench.Launch("exit 3");
  bench.Wait(ended);
  const std::vector<std::string> ids = bench.List();
  bench.Expect(
      Has(ids, alive.id),
      "`containers` does not list a container that runs; after a crash "
      "an agent cannot end what it does not hear of");
  bench.Expect(Has(ids, ended.id),
               "`containers` does not list a container that has ended and was "
               "not destroyed");
}

void ContainersExact(Bench& bench) {
  Task& alive = bench.Launch("read line <go");
  Task& destroyed = bench.Launch("read line <go");
  bench.Destroy(destroyed);
  std::vector<std::string> ids = bench.List();
  for (const std::string& id : ids) {
    bench.Expect(
        id == alive.id, "`containers` lists ", id, ", which ",
        id == destroyed.id ? "was destroyed" : "this agent never launched");
  }
  bench.Expect(ids.size() <= 1, "`containers` lists a container ", ids.size(),
               " times");
}

}  // namespace

std::vector<Check> QueryChecks() {
  using Needs = Check::Needs;
  return {
      {"usage-harmless", Level::kMust, "R18", "`usage` changes nothing.",
       UsageHarmless, Needs::kUsage},
      {"usage-unknown", Level::kShould, "R18",
       "`usage` of a container that is not known has no answer.", UsageUnknown,
       Needs::kUsage},
      {"update-harmless", Level::kMust, "R19",
       "`update` succeeds, and the task goes on.", UpdateHarmless,
       Needs::kUpdate},
      {"update-unknown", Level::kShould, "R19",
       "`update` of a container that is not known makes none.", UpdateUnknown,
       Needs::kUpdate},
      {"containers-complete", Level::kShould, "R20",
       "`containers` lists all that were launched and not destroyed.",
       ContainersComplete},
      {"containers-exact", Level::kMust, "R20, D30",
       "`containers` lists nothing else.", ContainersExact},
  };
}

}  // namespace conformance
}  // namespace external_containerizer
