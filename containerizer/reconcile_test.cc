// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/reconcile.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using State = KnownContainer::State;

// The decision about "x": "adopt" and so on, or "" if it is forgotten.
std::string Fate(std::vector<KnownContainer> known,
                 std::vector<ContainerId> listed, OrphanPolicy policy) {
  const Reconciliation r = Reconcile(known, listed, policy);
  std::string fate;
  if (!r.adopt.empty()) absl::StrAppend(&fate, "adopt");
  if (!r.ask.empty()) absl::StrAppend(&fate, "ask");
  if (!r.destroy.empty()) absl::StrAppend(&fate, "destroy");
  if (!r.hold.empty()) absl::StrAppend(&fate, "hold");
  if (!r.leave.empty()) absl::StrAppend(&fate, "leave");
  return fate;
}

TEST(ReconcileTest, DecidesAsTheTableInTheHeaderSays) {
  struct Row {
    std::vector<KnownContainer> known;
    const char *listed_own, *listed_all, *listed_report, *unlisted;
  };
  const Row rows[] = {
      {{{"x", State::kRunning, {}}}, "adopt", "adopt", "adopt", "ask"},
      {{{"x", State::kUnacknowledged, {}}},
       "destroy",
       "destroy",
       "destroy",
       "destroy"},
      {{{"x", State::kCompleted, {}}}, "destroy", "destroy", "hold", ""},
      {{}, "leave", "destroy", "hold", ""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Fate(row.known, {"x"}, OrphanPolicy::kOwn), row.listed_own);
    EXPECT_EQ(Fate(row.known, {"x"}, OrphanPolicy::kAll), row.listed_all);
    EXPECT_EQ(Fate(row.known, {"x"}, OrphanPolicy::kReport), row.listed_report);
    for (const OrphanPolicy policy :
         {OrphanPolicy::kOwn, OrphanPolicy::kAll, OrphanPolicy::kReport}) {
      EXPECT_EQ(Fate(row.known, {}, policy), row.unlisted);
    }
  }
}

TEST(ReconcileTest, AnIdThatIsListedTwiceCountsOnce) {
  const Reconciliation r = Reconcile({}, {"b", "a", "b"}, OrphanPolicy::kAll);
  ASSERT_EQ(r.destroy.size(), 2u);
  EXPECT_EQ(r.destroy[0].id, "b");
  EXPECT_EQ(r.destroy[1].id, "a");
}

TEST(ReconcileTest, WhatIsAdoptedKeepsItsSandbox) {
  const Sandbox sandbox{"/w", "a/b", Sandbox::Owner{1, 2}};
  const Reconciliation r =
      Reconcile({{"x", State::kRunning, sandbox}}, {"x"}, OrphanPolicy::kOwn);
  ASSERT_EQ(r.adopt.size(), 1u);
  EXPECT_EQ(r.adopt[0].sandbox->FullPath(), "/w/a/b");
}

}  // namespace
}  // namespace external_containerizer
