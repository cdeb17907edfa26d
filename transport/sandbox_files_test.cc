// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/sandbox_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;

class SandboxFilesTest : public ::testing::Test {
 protected:
  SandboxFilesTest() {
    std::string name = ::testing::TempDir() + "/sandbox_files.XXXXXX";
    root_ = mkdtemp(name.data());
    EXPECT_EQ(mkdir((root_ + "/runs").c_str(), 0755), 0);
    EXPECT_EQ(mkdir((root_ + "/runs/a").c_str(), 0755), 0);
    sandbox_ = {root_, "runs/a", std::nullopt};
    std::ofstream(root_ + "/precious") << "precious";
  }

  std::string Contents(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  absl::StatusOr<AppendedFile> OpenStderr() {
    absl::StatusOr<UniqueFd> directory = OpenSandbox(sandbox_);
    EXPECT_TRUE(directory.ok()) << directory.status();
    return OpenForAppending(directory->get(), "stderr", sandbox_.owner,
                            sandbox_.FullPath());
  }

  void ExpectRefused(const std::string& why) {
    const absl::StatusOr<AppendedFile> file = OpenStderr();
    EXPECT_EQ(file.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(file.status().message()), HasSubstr(why));
    EXPECT_THAT(std::string(file.status().message()),
                HasSubstr(root_ + "/runs/a/stderr"));
    EXPECT_EQ(Contents(root_ + "/precious"), "precious");
  }

  std::string root_;
  Sandbox sandbox_;
};

class OpenSandboxTest : public SandboxFilesTest {
 protected:
  absl::Status Open(const std::string& path) {
    return OpenSandbox({root_, path, std::nullopt}).status();
  }
};

TEST_F(OpenSandboxTest, ASandboxIsFoundBelowItsRoot) {
  const absl::StatusOr<UniqueFd> directory = OpenSandbox(sandbox_);
  ASSERT_TRUE(directory.ok()) << directory.status();
  struct stat found;
  struct stat expected;
  ASSERT_EQ(fstat(directory->get(), &found), 0);
  ASSERT_EQ(stat((root_ + "/runs/a").c_str(), &expected), 0);
  EXPECT_EQ(found.st_ino, expected.st_ino);
  EXPECT_EQ(fcntl(directory->get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(OpenSandboxTest, NoLinkIsFollowedBelowTheRoot) {
  ASSERT_EQ(symlink("/etc", (root_ + "/runs/link").c_str()), 0);
  ASSERT_EQ(symlink("runs", (root_ + "/inside").c_str()), 0);
  for (const char* path : {"runs/link", "inside/a"}) {
    const absl::Status status = Open(path);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("symbolic link"))
        << path;
  }
}

TEST_F(OpenSandboxTest, WhatIsNoDirectoryIsRefusedWithItsName) {
  EXPECT_THAT(std::string(Open("runs/b").message()), HasSubstr("runs/b"));
  EXPECT_EQ(Open("runs/b").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Open("precious").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(OpenSandboxTest, APathThatLeavesTheRootIsRefused) {
  for (const char* path : {"", "/etc", "..", "runs/../..", "runs/../runs/a"}) {
    EXPECT_EQ(Open(path).code(), absl::StatusCode::kInvalidArgument) << path;
  }
  EXPECT_EQ(Open(std::string("runs\0/a", 7)).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenSandbox({"relative", "a", std::nullopt}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SandboxFilesTest, AFileIsMadeOnceAndAppendedTo) {
  for (const char* text : {"one\n", "two\n"}) {
    const absl::StatusOr<AppendedFile> file = OpenStderr();
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(fcntl(file->fd.get(), F_GETFL) & (O_APPEND | O_NONBLOCK),
              O_APPEND);
    EXPECT_EQ(fcntl(file->fd.get(), F_GETFD), FD_CLOEXEC);
    ASSERT_EQ(write(file->fd.get(), text, 4), 4);
  }
  EXPECT_EQ(Contents(root_ + "/runs/a/stderr"), "one\ntwo\n");
}

TEST_F(SandboxFilesTest, ModeAndOwnerAreSetOnWhatWeMakeAndOnNothingElse) {
  sandbox_.owner = Sandbox::Owner{getuid(), getgid()};
  // Only root can give files away, and not in a user namespace.
  if (chown((root_ + "/precious").c_str(), 12345, 23456) == 0) {
    sandbox_.owner = Sandbox::Owner{12345, 23456};
  }
  const mode_t umask_before = umask(077);
  ASSERT_TRUE(OpenStderr().ok());
  umask(umask_before);
  struct stat info;
  ASSERT_EQ(stat((root_ + "/runs/a/stderr").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0644u);
  EXPECT_EQ(info.st_uid, sandbox_.owner->uid);
  EXPECT_EQ(info.st_gid, sandbox_.owner->gid);

  ASSERT_EQ(chmod((root_ + "/runs/a/stderr").c_str(), 0600), 0);
  ASSERT_EQ(chown((root_ + "/runs/a/stderr").c_str(), getuid(), getgid()), 0);
  ASSERT_TRUE(OpenStderr().ok());
  ASSERT_EQ(stat((root_ + "/runs/a/stderr").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0600u);
  EXPECT_EQ(info.st_uid, getuid());
}

TEST_F(SandboxFilesTest, ASymbolicLinkIsRefused) {
  ASSERT_EQ(symlink((root_ + "/precious").c_str(),
                    (root_ + "/runs/a/stderr").c_str()),
            0);
  ExpectRefused("it is a symbolic link");
}

TEST_F(SandboxFilesTest, ADanglingLinkIsRefusedAndMakesNothing) {
  ASSERT_EQ(
      symlink((root_ + "/new").c_str(), (root_ + "/runs/a/stderr").c_str()), 0);
  ExpectRefused("it is a symbolic link");
  EXPECT_NE(access((root_ + "/new").c_str(), F_OK), 0);
}

TEST_F(SandboxFilesTest, AHardLinkIsRefused) {
  ASSERT_EQ(
      link((root_ + "/precious").c_str(), (root_ + "/runs/a/stderr").c_str()),
      0);
  ExpectRefused("it is a hard link");
}

TEST_F(SandboxFilesTest, AFifoIsRefusedAndHoldsNobodyUp) {
  ASSERT_EQ(mkfifo((root_ + "/runs/a/stderr").c_str(), 0644), 0);
  ExpectRefused("it is a FIFO");
}

TEST_F(SandboxFilesTest, ADirectoryIsRefused) {
  ASSERT_EQ(mkdir((root_ + "/runs/a/stderr").c_str(), 0755), 0);
  ExpectRefused("it is a directory");
}

TEST_F(SandboxFilesTest, WhatIsAppendedToAFileThatWasEmptiedIsRead) {
  std::ofstream(root_ + "/runs/a/stderr") << "old, and long";
  absl::StatusOr<AppendedFile> file = OpenStderr();
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::StatusOr<UniqueFd> directory = OpenSandbox(sandbox_);
  ASSERT_TRUE(directory.ok());
  ASSERT_EQ(ftruncate(file->fd.get(), 0), 0);
  EXPECT_EQ(ReadAppended(directory->get(), "stderr", *file, 100), "");
  ASSERT_EQ(write(file->fd.get(), "new", 3), 3);
  EXPECT_EQ(ReadAppended(directory->get(), "stderr", *file, 100), "new");
}

TEST_F(SandboxFilesTest, OnlyWhatWasAppendedSinceIsRead) {
  std::ofstream(root_ + "/runs/a/stderr") << "old\n";
  absl::StatusOr<AppendedFile> file = OpenStderr();
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::StatusOr<UniqueFd> directory = OpenSandbox(sandbox_);
  ASSERT_TRUE(directory.ok());
  const auto read = [&](size_t max) {
    return ReadAppended(directory->get(), "stderr", *file, max);
  };
  EXPECT_EQ(read(100), "");
  ASSERT_EQ(write(file->fd.get(), "0123456789", 10), 10);
  EXPECT_EQ(read(100), "0123456789");
  EXPECT_EQ(read(4), "6789");
  ASSERT_EQ(write(file->fd.get(), "\nlast\n", 6), 6);
  EXPECT_EQ(read(8), "last\n");
  EXPECT_EQ(read(3), "st\n");
}

TEST_F(SandboxFilesTest, AnotherFileInItsPlaceIsNotRead) {
  absl::StatusOr<AppendedFile> file = OpenStderr();
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::StatusOr<UniqueFd> directory = OpenSandbox(sandbox_);
  ASSERT_TRUE(directory.ok());
  const std::string path = root_ + "/runs/a/stderr";
  ASSERT_EQ(unlink(path.c_str()), 0);
  EXPECT_EQ(ReadAppended(directory->get(), "stderr", *file, 100), "");
  ASSERT_EQ(symlink((root_ + "/precious").c_str(), path.c_str()), 0);
  EXPECT_EQ(ReadAppended(directory->get(), "stderr", *file, 100), "");
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_EQ(link((root_ + "/precious").c_str(), path.c_str()), 0);
  EXPECT_EQ(ReadAppended(directory->get(), "stderr", *file, 100), "");
}

}  // namespace
}  // namespace external_containerizer
