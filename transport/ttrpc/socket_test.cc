// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using ::testing::HasSubstr;

class SocketTest : public ::testing::Test {
 protected:
  SocketTest() {
    std::string pattern = ::testing::TempDir() + "/socket.XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~SocketTest() override {
    for (int fd : open_) close(fd);
  }

  int Keep(absl::StatusOr<int> fd) {
    EXPECT_THAT(fd.status(), IsOk());
    if (!fd.ok()) return -1;
    open_.push_back(*fd);
    return *fd;
  }
  void Close(int fd) {
    for (int& open : open_) {
      if (open == fd) open = -1;
    }
    close(fd);
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  std::string root_;
  std::vector<int> open_;
};

TEST_F(SocketTest, DirectoryAndSocketAreForTheirOwnerAlone) {
  const std::string path = root_ + "/dir/s";
  Keep(ListenUnix(path));
  EXPECT_EQ(ModeOf(root_ + "/dir"), mode_t{0700});
  EXPECT_EQ(ModeOf(path), mode_t{0600});
}

TEST_F(SocketTest, DescriptorsAreClosedOnExecAndDoNotBlock) {
  for (int fd :
       {Keep(ListenUnix(root_ + "/s")), Keep(ConnectUnix(root_ + "/s"))}) {
    EXPECT_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  }
}

TEST_F(SocketTest, PathMayBeLongerThanTheKernelTakes) {
  std::string directory = root_;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&directory, "/a-directory-name");
    ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
  }
  Keep(ListenUnix(directory + "/s"));
  Keep(ConnectUnix(directory + "/s"));
}

TEST_F(SocketTest, NameThatNoSocketCanHaveIsRefused) {
  const std::string nul("/a\0b", 4);
  for (const std::string& name :
       {std::string("/"), std::string("/."), std::string("/.."),
        "/" + std::string(65, 'x'), nul}) {
    EXPECT_THAT(ListenUnix(root_ + name),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(ConnectUnix(root_ + name),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(SocketTest, StaleSocketIsReplaced) {
  Close(Keep(ListenUnix(root_ + "/s")));
  EXPECT_THAT(
      ConnectUnix(root_ + "/s"),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("nobody listens")));
  Keep(ListenUnix(root_ + "/s"));
  Keep(ConnectUnix(root_ + "/s"));
}

TEST_F(SocketTest, SocketOfALivingServerIsLeftAlone) {
  const int listener = Keep(ListenUnix(root_ + "/s"));
  EXPECT_THAT(ListenUnix(root_ + "/s"),
              StatusIs(absl::StatusCode::kAlreadyExists));
  Keep(ConnectUnix(root_ + "/s"));
  EXPECT_GE(accept(listener, nullptr, nullptr), 0);
}

TEST_F(SocketTest, ServerThatIsTooBusyToAcceptIsNotStale) {
  // A listener with room for one, which is taken.
  const int listener = Keep(ListenUnix(root_ + "/s"));
  ASSERT_EQ(listen(listener, 0), 0);
  Keep(ConnectUnix(root_ + "/s"));
  EXPECT_THAT(ConnectUnix(root_ + "/s"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("busy")));
  EXPECT_THAT(ListenUnix(root_ + "/s"),
              StatusIs(absl::StatusCode::kUnavailable));
  struct stat info;
  EXPECT_EQ(lstat((root_ + "/s").c_str(), &info), 0);
}

TEST_F(SocketTest, WhatIsNoSocketIsNamedAndLeftAlone) {
  close(open((root_ + "/file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_EQ(mkdir((root_ + "/directory").c_str(), 0700), 0);
  Keep(ListenUnix(root_ + "/real"));
  ASSERT_EQ(symlink("real", (root_ + "/link").c_str()), 0);
  const std::pair<const char*, const char*> cases[] = {
      {"/file", "a file"},
      {"/directory", "a directory"},
      {"/link", "a symbolic link"}};
  for (const auto& [name, what] : cases) {
    EXPECT_THAT(
        ListenUnix(root_ + name),
        StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(what)));
    EXPECT_THAT(
        ConnectUnix(root_ + name),
        StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(what)));
    struct stat info;
    EXPECT_EQ(lstat((root_ + name).c_str(), &info), 0) << name;
  }
}

TEST_F(SocketTest, NothingThereIsNotFound) {
  EXPECT_THAT(ConnectUnix(root_ + "/s"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ConnectUnix(root_ + "/no/s"),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SocketTest, DirectoryThatOthersMayWriteIsRefused) {
  ASSERT_EQ(mkdir((root_ + "/open").c_str(), 0700), 0);
  ASSERT_EQ(chmod((root_ + "/open").c_str(), 0777), 0);
  EXPECT_THAT(ListenUnix(root_ + "/open/s"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("must not be writable")));
}

TEST_F(SocketTest, ForeignBytesInAPathAreShownEscaped) {
  const auto fd = ConnectUnix(root_ + "/\x1b[2J");
  EXPECT_THAT(fd, StatusIs(absl::StatusCode::kNotFound, HasSubstr("\\x1b")));
}

TEST_F(SocketTest, PeerIsWhoeverConnected) {
  const int listener = Keep(ListenUnix(root_ + "/s"));
  const int client = Keep(ConnectUnix(root_ + "/s"));
  const int server = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  open_.push_back(server);
  for (int fd : {client, server}) {
    auto peer = PeerOf(fd);
    ASSERT_THAT(peer, IsOk());
    EXPECT_EQ(peer->pid, getpid());
    EXPECT_EQ(peer->uid, geteuid());
    EXPECT_EQ(peer->gid, getegid());
  }
}

TEST_F(SocketTest, PeerOfAnotherUserIsRefused) {
  Peer peer;
  peer.pid = 17;
  peer.uid = geteuid() + 1;
  EXPECT_THAT(CheckPeer(peer, {}), StatusIs(absl::StatusCode::kPermissionDenied,
                                            HasSubstr("process 17")));
  EXPECT_THAT(CheckPeer(peer, {peer.uid}), IsOk());
  peer.uid = geteuid();
  EXPECT_THAT(CheckPeer(peer, {}), IsOk());
  EXPECT_THAT(CheckPeer(peer, {peer.uid + 1}),
              StatusIs(absl::StatusCode::kPermissionDenied));
  peer.uid = 0;
  EXPECT_THAT(CheckPeer(peer, {}), IsOk());
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer
