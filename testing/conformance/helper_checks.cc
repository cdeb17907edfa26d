// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/conformance/checks.h"
#include "external_containerizer/transport/unix_socket/helper.h"

namespace external_containerizer {
namespace conformance {
namespace {

// So that a Wait is under way.
constexpr absl::Duration kBegin = absl::Milliseconds(200);

void Hello(Bench& bench) {
  const absl::Status connected = bench.helper().Connect();
  bench.Expect(connected.ok(), connected.message());
  const helper::v1::HelloReply& hello = bench.helper().hello();
  bench.Expect(hello.version() == helper::kVersion,
               "to a Hello with the versions ", helper::kVersion, " to ",
               helper::kVersion, " the helper answers with version ",
               hello.version());
  bench.Expect(hello.oldest_version() <= hello.version() &&
                   hello.newest_version() >= hello.version(),
               "in HelloReply the version ", hello.version(),
               " is not between oldest_version ", hello.oldest_version(),
               " and newest_version ", hello.newest_version());
}

void HelloOtherVersion(Bench& bench) {
  constexpr uint32_t kNoVersion = 1'000'000;
  const absl::StatusOr<helper::v1::HelloReply> reply =
      bench.helper().Hello(kNoVersion, kNoVersion);
  bench.Expect(reply.ok() && reply->version() == 0,
               "to a Hello with the version ", kNoVersion, " alone the helper ",
               reply.ok() ? absl::StrCat("answers with ", reply->version())
                          : absl::StrCat("fails: ", reply.status().message()),
               "; answer with version 0, so that the agent knows why");
}

void Ping(Bench& bench) {
  Task& task = bench.Launch("read line <go");
  const auto wait = bench.Start("wait", task);
  wait->Await(Deadline(kBegin));
  const absl::Status pinged =
      bench.helper().Ask(helper::kPing, helper::v1::PingRequest()).status();
  bench.Expect(pinged.ok(),
               "a Ping while a Wait is under way fails: ", pinged.message(),
               "; answer at once: an agent takes a helper that does not for "
               "one that hangs");
}

void CancelWait(Bench& bench) {
  Task& task = bench.Launch("read line <go; exit 3");
  const auto wait = bench.Start("wait", task);
  wait->Await(Deadline(kBegin));
  helper::v1::CancelRequest cancel;
  cancel.set_key(bench.helper().last_key());
  const absl::StatusOr<helper::v1::CancelReply> cancelled =
      bench.helper().Ask(helper::kCancel, cancel);
  const auto& capabilities = bench.helper().hello().capabilities();
  const bool named =
      std::find(capabilities.begin(), capabilities.end(),
                helper::kCancelCapability) != capabilities.end();
  // A helper may lack Cancel.
  if (!named && absl::IsUnimplemented(cancelled.status())) {
    return bench.Release(task);
  }
  bench.Expect(cancelled.ok(),
               "a Cancel fails: ", cancelled.status().message());
  bench.Expect(named,
               "the helper has Cancel, and HelloReply.capabilities does not "
               "name \"cancel\"; name it, or no agent calls it");
  const Ended waited = bench.Finish(*wait, "wait");
  bench.Expect(!waited.hung && !waited.success,
               "after a Cancel of its key the Wait ", waited.how,
               "; end it with a failure");
  bench.Expect(!bench.Gone(task), "the Cancel of a Wait ended the container");
  bench.Release(task);
  bench.Expect(
      bench.EndsWith(task, 3),
      "after a Cancel of a Wait, the next one does not tell the status");
}

void ManyCalls(Bench& bench) {
  constexpr size_t kTasks = 4;
  constexpr size_t kCalls = 8;
  std::vector<Task*> tasks;
  for (size_t i = 0; i < kTasks; ++i) {
    tasks.push_back(&bench.Launch(absl::StrCat("read line <go; exit ", i + 1)));
  }
  std::vector<std::unique_ptr<Call>> calls;
  for (size_t i = 0; i < kTasks * kCalls; ++i) {
    calls.push_back(bench.Start("wait", *tasks[i / kCalls]));
  }
  const Ended listed = bench.Run("containers");
  bench.Expect(listed.success, "while ", kTasks * kCalls,
               " Waits are under way, Containers ", listed.how,
               "; a Wait may not keep what other commands need");
  for (Task* task : tasks) bench.Release(*task);
  for (size_t i = 0; i < kTasks * kCalls; ++i) {
    const Ended waited = bench.Finish(*calls[i], "wait");
    wire::Termination termination;
    bench.Expect(!waited.hung, "of ", kTasks * kCalls, " Waits at once, one ",
                 waited.how);
    bench.Require(waited.answer.has_value() &&
                      termination.ParseFromString(*waited.answer),
                  "a Wait has no answer");
    bench.Expect(termination.status() == static_cast<int>(i / kCalls + 1) << 8,
                 "of ", kTasks * kCalls,
                 " Waits at once, one has the answer of another container");
  }
}

void HelperKilled(Bench& bench) {
  Task& alive = bench.Launch("read line <go; exit 3");
  Task& ended = bench.Launch("exit 4");
  bench.Wait(ended);
  const size_t before = bench.List().size();
  bench.helper().KillHelper();
  bench.Expect(!bench.Gone(alive), "a container ended with the helper");
  const Ended recovered = bench.Run("recover");
  bench.Expect(recovered.success,
               "in a helper that was killed and started again, Recover ",
               recovered.how);
  bench.Expect(bench.List().size() == before,
               "a helper that was killed and started again lists other "
               "containers than before; keep them on disk or in your runtime");
  const Ended waited = bench.Run("wait", ended);
  bench.Expect(waited.answer.has_value(),
               "in a helper that was killed and started again, the Wait for a "
               "container that had ended before ",
               waited.how, ", without an answer");
  bench.Release(alive);
  bench.Expect(bench.EndsWith(alive, 3),
               "a helper that was killed and started again does not tell the "
               "status of a container that ran on");
}

}  // namespace

std::vector<Check> HelperChecks() {
  constexpr auto kNothing = Check::Needs::kNothing;
  constexpr auto kHelper = Check::For::kHelper;
  return {
      {"hello", Level::kMust, "R25",
       "The helper answers Hello with a version that was offered.", Hello,
       kNothing, kHelper},
      {"hello-other-version", Level::kShould, "R25",
       "With no version in common the helper answers with version 0.",
       HelloOtherVersion, kNothing, kHelper},
      {"ping", Level::kMust, "R26",
       "Ping is answered at once, whatever else is under way.", Ping, kNothing,
       kHelper},
      {"many-calls", Level::kMust, "R26, D1",
       "Many Waits at once hinder nothing, and each has its own answer.",
       ManyCalls, kNothing, kHelper},
      {"cancel", Level::kMust, "R27, D37",
       "Cancel ends a Wait, and nothing else.", CancelWait, kNothing, kHelper},
      {"helper-killed", Level::kMust, "R28",
       "A helper that was killed and started again has its containers.",
       HelperKilled, kNothing, kHelper},
  };
}

}  // namespace conformance
}  // namespace external_containerizer
