// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <poll.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "external_containerizer/testing/conformance/checks.h"
#include "external_containerizer/testing/conformance/processes.h"

namespace external_containerizer {
namespace conformance {
namespace {

// For processes that end a moment after `destroy`.
constexpr absl::Duration kSettle = absl::Seconds(3);
// So that a `wait` has begun before `destroy` does.
constexpr absl::Duration kBegin = absl::Milliseconds(200);

void DestroyEndsTask(Bench& bench) {
  Task& task = bench.Launch(
      "trap '' TERM; sh -c 'echo >child; read line <go' & read line <go");
  bench.AwaitFile(task, "child");
  const Ended destroyed = bench.Run("destroy", task);
  bench.Expect(destroyed.success, "the `destroy` of a container that runs ",
               destroyed.how);
  bench.Expect(bench.Gone(task),
               "`destroy` succeeded, and processes of the task still run. "
               "They ignore SIGTERM, and one is a child of the first: send "
               "SIGKILL to all of them, and return when they have ended");
}

void DestroyEndsDaemons(Bench& bench) {
  Task& task = bench.Launch(
      "setsid sh -c 'echo >daemon; read line <go' & read line <go");
  bench.AwaitFile(task, "daemon");
  bench.Destroy(task);
  bench.Expect(bench.Gone(task),
               "`destroy` succeeded, and a process still runs that the task "
               "had started in a session of its own. A cgroup, a PID namespace "
               "or PR_SET_CHILD_SUBREAPER finds those, too");
}

void DestroyAfterEnd(Bench& bench) {
  Task& task = bench.Launch("exit 3");
  bench.Wait(task);
  const Ended destroyed = bench.Run("destroy", task);
  bench.Expect(destroyed.success,
               "the `destroy` of a container that has ended ", destroyed.how,
               "; forget it, and succeed");
}

void DestroyEndsWait(Bench& bench) {
  Task& task = bench.Launch("read line <go");
  const auto wait = bench.Start("wait", task);
  wait->Await(Deadline(kBegin));
  bench.Destroy(task);
  const Ended waited = bench.Finish(*wait, "wait");
  bench.Expect(!waited.hung, "after `destroy`, the `wait` that was under way ",
               waited.how);
}

void DestroyTwice(Bench& bench) {
  Task& task = bench.Launch("read line <go");
  bench.Destroy(task);
  const Ended again = bench.Run("destroy", task);
  bench.Expect(again.success, "the second `destroy` of a container ", again.how,
               "; an agent repeats it when it does not know how the first "
               "ended: succeed");
}

void DestroyUnknown(Bench& bench) {
  const Ended destroyed = bench.RunOn("destroy", Bench::NewId());
  bench.Expect(destroyed.success,
               "the `destroy` of a container that never was ", destroyed.how,
               "; an agent sends it when it does not know whether `launch` "
               "began: succeed");
}

void NothingStays(Bench& bench) {
  // The program may keep a process that it starts once, for itself.
  bench.Destroy(bench.Launch("read line <go"));
  const Deadline first(kSettle);
  size_t before = Descendants().size();
  for (int same = 0; same < 10 && !first.Expired();) {
    poll(nullptr, 0, 10);
    const size_t now = Descendants().size();
    same = now == before ? same + 1 : 0;
    before = now;
  }
  bench.Destroy(bench.Launch("read line <go"));
  const Deadline deadline(kSettle);
  size_t after = Descendants().size();
  while (after > before && !deadline.Expired()) {
    poll(nullptr, 0, 10);
    after = Descendants().size();
  }
  bench.Expect(after <= before, after - before,
               " process(es) of the program stay after `destroy`, though the "
               "task is gone: with each container there are more");
}

}  // namespace

std::vector<Check> DestroyChecks() {
  return {
      {"destroy-ends-task", Level::kMust, "R15",
       "When `destroy` has returned, no process of the task is left.",
       DestroyEndsTask},
      {"destroy-ends-daemons", Level::kShould, "R15",
       "A process that went into a session of its own is ended, too.",
       DestroyEndsDaemons},
      {"nothing-stays", Level::kShould, "R15",
       "No process of the program stays after `destroy`.", NothingStays},
      {"destroy-after-end", Level::kMust, "R16",
       "`destroy` of a container that has ended succeeds.", DestroyAfterEnd},
      {"destroy-twice", Level::kMust, "R16, D15", "`destroy` again succeeds.",
       DestroyTwice},
      {"destroy-unknown", Level::kMust, "R16, D15",
       "`destroy` of a container that never was succeeds.", DestroyUnknown},
      {"destroy-ends-wait", Level::kMust, "R17, D16",
       "`destroy` ends a `wait` that is under way.", DestroyEndsWait},
  };
}

}  // namespace conformance
}  // namespace external_containerizer
