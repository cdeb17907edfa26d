// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/journal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/checksum.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    std::string name = ::testing::TempDir() + "journal.XXXXXX";
    path_ = mkdtemp(name.data());
    directory_.Reset(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  }
  ~JournalTest() override {
    for (pid_t pid : sleepers_) End(pid);
  }

  absl::StatusOr<std::unique_ptr<Journal>> Open() {
    return Journal::Open(directory_.get(), path_);
  }

  // The leftovers in a journal that is opened now. `remove` frees their slots.
  std::set<pid_t> Leftovers(bool remove = false) {
    auto journal = Open();
    EXPECT_TRUE(journal.ok()) << journal.status();
    std::set<pid_t> pids;
    for (const Journal::Leftover& leftover : (*journal)->TakeLeftovers()) {
      pids.insert(leftover.pid);
      if (remove) (*journal)->Remove(leftover.slot);
    }
    return pids;
  }

  pid_t Sleeper() {
    ProcessFiles files;
    for (UniqueFd* fd : {&files.stdin_fd, &files.stdout_fd, &files.stderr_fd}) {
      fd->Reset(open("/dev/null", O_RDWR | O_CLOEXEC));
    }
    const char* const argv[] = {"sleep", "1000", nullptr};
    char* const envp[] = {nullptr};
    Process process;
    EXPECT_EQ(Spawn("/bin/sleep", const_cast<char* const*>(argv), envp,
                    std::move(files), &process),
              0);
    sleepers_.insert(process.pid);
    return process.pid;
  }

  static void End(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }

  std::string File() { return path_ + "/fork_exec.journal"; }

  std::string Contents() {
    std::ifstream file(File());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void Write(const std::string& contents) {
    std::ofstream(File(), std::ios::binary) << contents;
  }

  // A record with the checksum that belongs to it.
  static std::string Signed(std::string record) {
    const uint64_t checksum = Checksum(absl::string_view(record).substr(0, 32));
    memcpy(&record[32], &checksum, sizeof(checksum));
    return record;
  }

  // The record with one byte changed.
  static std::string Changed(std::string record, size_t byte) {
    record[byte] = static_cast<char>(record[byte] + 1);
    return Signed(std::move(record));
  }

  std::string path_;
  UniqueFd directory_;
  std::set<pid_t> sleepers_;
};

TEST_F(JournalTest, WhatRunsIsFoundByTheNextOwner) {
  const pid_t first = Sleeper();
  const pid_t second = Sleeper();
  const pid_t ended = Sleeper();
  {
    auto journal = Open();
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_THAT((*journal)->TakeLeftovers(), IsEmpty());
    ASSERT_TRUE((*journal)->Add(first).has_value());
    const auto slot = (*journal)->Add(Sleeper());
    ASSERT_TRUE(slot.has_value());
    ASSERT_TRUE((*journal)->Add(second).has_value());
    ASSERT_TRUE((*journal)->Add(ended).has_value());
    (*journal)->Remove(*slot);
  }
  End(ended);
  EXPECT_EQ(Leftovers(), (std::set<pid_t>{first, second}));
  EXPECT_EQ(Leftovers(/*remove=*/true), (std::set<pid_t>{first, second}));
  EXPECT_THAT(Leftovers(), IsEmpty());
}

TEST_F(JournalTest, AnotherProcessWithTheSameNumberIsNotFound) {
  {
    auto journal = Open();
    ASSERT_TRUE((*journal)->Add(Sleeper()).has_value());
  }
  const std::string good = Contents();
  ASSERT_EQ(good.size(), 40u);
  // The start time, and the boot.
  for (const size_t byte : {8u, 16u}) {
    Write(Changed(good, byte));
    EXPECT_THAT(Leftovers(), IsEmpty());
    EXPECT_THAT(Contents(), IsEmpty());
  }
  // A checksum that does not match counts for nothing.
  std::string bad = good;
  bad[39] = static_cast<char>(bad[39] + 1);
  Write(bad);
  EXPECT_THAT(Leftovers(), IsEmpty());
  Write(good);
  EXPECT_EQ(Leftovers().size(), 1u);
}

TEST_F(JournalTest, AProcessOfAnotherPidNamespaceIsLeftAloneAndNotForgotten) {
  const pid_t sleeper = Sleeper();
  ASSERT_TRUE((*Open())->Add(sleeper).has_value());
  const std::string ours = Contents();
  const std::string elsewhere = Changed(ours, 24);
  Write(elsewhere + ours);
  EXPECT_EQ(Leftovers(/*remove=*/true), std::set<pid_t>{sleeper});
  EXPECT_EQ(Contents().substr(0, 40), elsewhere);
  // Its slot is not used for other processes.
  ASSERT_TRUE((*Open())->Add(sleeper).has_value());
  EXPECT_EQ(Contents(), elsewhere + ours);
}

TEST_F(JournalTest, WithoutABootAProcessIsForgottenOnlyWhenItHasEnded) {
  const pid_t sleeper = Sleeper();
  ASSERT_TRUE((*Open())->Add(sleeper).has_value());
  std::string unknown = Contents();
  unknown.replace(16, 8, 8, '\0');
  Write(Signed(unknown));
  EXPECT_THAT(Leftovers(), IsEmpty());
  EXPECT_EQ(Contents(), Signed(unknown));
  End(sleeper);
  sleepers_.erase(sleeper);
  EXPECT_THAT(Leftovers(), IsEmpty());
  EXPECT_THAT(Contents(), IsEmpty());
}

TEST_F(JournalTest, RecordsOfTheFirstVersionAreUnderstood) {
  const pid_t sleeper = Sleeper();
  ASSERT_TRUE((*Open())->Add(sleeper).has_value());
  std::string old = Contents();
  old[0] = 1;
  // It had the boot id itself, and no namespace.
  old.replace(16, 16, FromHex(absl::StrReplaceAll(BootId(), {{"-", ""}})));
  Write(Signed(old));
  EXPECT_EQ(Leftovers(), std::set<pid_t>{sleeper});
  Write(Changed(old, 20));
  EXPECT_THAT(Leftovers(), IsEmpty());
}

TEST_F(JournalTest, ANewerVersionIsRefusedByName) {
  ASSERT_TRUE((*Open())->Add(Sleeper()).has_value());
  const std::string newer = Changed(Contents(), 0);
  Write(newer);
  const absl::Status status = Open().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("version 3"));
  EXPECT_EQ(Contents(), newer);
}

TEST_F(JournalTest, DamageIsIgnored) {
  const pid_t sleeper = Sleeper();
  {
    auto journal = Open();
    ASSERT_TRUE((*journal)->Add(sleeper).has_value());
  }
  const std::string good = Contents();
  for (const std::string& text :
       {std::string("garbage"), std::string(5000000, 'x'), std::string()}) {
    std::ofstream(File(), std::ios::binary) << text;
    EXPECT_THAT(Leftovers(), IsEmpty());
  }
  // A torn record behind a good one, and one before it.
  std::ofstream(File(), std::ios::binary) << good << good.substr(0, 17);
  EXPECT_EQ(Leftovers(), std::set<pid_t>{sleeper});
  std::ofstream(File(), std::ios::binary)
      << good.substr(0, 17) << std::string(23, '\0') << good;
  EXPECT_EQ(Leftovers(), std::set<pid_t>{sleeper});
}

TEST_F(JournalTest, ItStaysSmall) {
  auto journal = Open();
  const pid_t pid = Sleeper();
  for (int i = 0; i < 1000; ++i) {
    const auto one = (*journal)->Add(pid);
    const auto two = (*journal)->Add(pid);
    ASSERT_TRUE(one.has_value() && two.has_value());
    (*journal)->Remove(*one);
    (*journal)->Remove(*two);
  }
  EXPECT_EQ(Contents().size(), 0u);
}

TEST_F(JournalTest, AProcessThatIsNotThereIsNotAdded) {
  const pid_t pid = Sleeper();
  End(pid);
  sleepers_.erase(pid);
  EXPECT_FALSE((*Open())->Add(pid).has_value());
}

TEST_F(JournalTest, ItHasOneOwnerAndIsAFile) {
  auto journal = Open();
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Open().status().message()), HasSubstr("another"));
  journal->reset();
  EXPECT_TRUE(Open().ok());
  ASSERT_EQ(unlink(File().c_str()), 0);
  ASSERT_EQ(symlink("/etc/passwd", File().c_str()), 0);
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(unlink(File().c_str()), 0);
  ASSERT_EQ(mkfifo(File().c_str(), 0600), 0);
  EXPECT_THAT(std::string(Open().status().message()), HasSubstr("not a file"));
}

}  // namespace
}  // namespace external_containerizer
