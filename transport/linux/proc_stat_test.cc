// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/proc_stat.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr char kRest[] =
    " S 7 42 43 0 -1 4194560 1 2 3 4 11 12 13 14 20 0 5 0 987654 1 6";

TEST(ProcStatTest, TheFieldsAreThoseOfProc5) {
  const std::optional<ProcStat> stat =
      ParseProcStat(std::string("42 (cat)") + kRest);
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->pid, 42);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 7);
  EXPECT_EQ(stat->session, 43);
  EXPECT_EQ(stat->user_ticks, 11u);
  EXPECT_EQ(stat->system_ticks, 12u);
  EXPECT_EQ(stat->children_user_ticks, 13u);
  EXPECT_EQ(stat->children_system_ticks, 14u);
  EXPECT_EQ(stat->threads, 5u);
  EXPECT_EQ(stat->start_ticks, 987654u);
  EXPECT_EQ(stat->rss_bytes, 6u * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

TEST(ProcStatTest, OneThatIsBeingReapedIsAZombie) {
  const std::optional<ProcStat> stat =
      ParseProcStat("42 (cat) X" + std::string(kRest).substr(2));
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->state, 'Z');
}

TEST(ProcStatTest, ANameCannotPassForFields) {
  for (const char* name : {"a b", ") R 1 2 3", "x) Z 1 1", "new\nline", "()"}) {
    const std::optional<ProcStat> stat =
        ParseProcStat("42 (" + std::string(name) + ")" + kRest);
    ASSERT_TRUE(stat.has_value()) << name;
    EXPECT_EQ(stat->state, 'S') << name;
    EXPECT_EQ(stat->start_ticks, 987654u) << name;
  }
}

TEST(ProcStatTest, WhatIsNoSuchFileIsNone) {
  for (const char* line : {"", "42", "42 (cat", "42 (cat)", "42 (cat) S 7",
                           "x (cat) S 7", "-1 (cat) S 7"}) {
    EXPECT_FALSE(ParseProcStat(line).has_value()) << line;
  }
}

TEST(ProcStatTest, OurOwnIsRead) {
  char name[16];
  ASSERT_EQ(prctl(PR_GET_NAME, name), 0);
  ASSERT_EQ(prctl(PR_SET_NAME, "a) Z 1 2 3"), 0);
  const std::optional<ProcStat> stat = ReadProcStat(getpid());
  ASSERT_EQ(prctl(PR_SET_NAME, name), 0);
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->pid, getpid());
  EXPECT_EQ(stat->parent, getppid());
  EXPECT_EQ(stat->session, getsid(0));
  EXPECT_EQ(stat->state, 'R');
  EXPECT_GT(stat->start_ticks, 0u);
  EXPECT_GT(stat->rss_bytes, 0u);
}

TEST(ProcStatTest, AZombieIsThereUntilItIsReaped) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT),
            0);
  const std::optional<ProcStat> stat = ReadProcStat(child);
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->state, 'Z');
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(ReadProcStat(child).has_value());
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace external_containerizer
