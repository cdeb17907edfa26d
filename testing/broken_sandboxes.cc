// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/broken_sandboxes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using Path = const std::string&;

void Touch(Path path) {
  const UniqueFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  EXPECT_TRUE(fd.valid()) << path;
}

void Bind(Path path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // Through the directory: its own path may be too long.
  const UniqueFd directory(
      open(path.substr(0, path.rfind('/')).c_str(), O_PATH | O_CLOEXEC));
  const std::string name =
      absl::StrCat("/proc/self/fd/", directory.get(), "/stderr");
  ASSERT_LT(name.size(), sizeof(address.sun_path));
  memcpy(address.sun_path, name.c_str(), name.size() + 1);
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(
      bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)),
      0);
}

// An open for writing has to wait until the holder of a lease gives it back.
void Lease(Path path) {
  static UniqueFd& holder = *new UniqueFd;
  signal(SIGIO, SIG_IGN);
  Touch(path);
  holder.Reset(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(fcntl(holder.get(), F_SETLEASE, F_RDLCK), 0);
}

}  // namespace

const std::vector<BrokenSandbox>& BrokenSandboxes() {
  static const auto& all = *[] {
    auto* const made = new std::vector<BrokenSandbox>{
        {"stderr is a link", true,
         [](Path box, Path victim) {
           EXPECT_EQ(symlink(victim.c_str(), (box + "/stderr").c_str()), 0);
         }},
        {"stderr is a link to nothing", true,
         [](Path box, Path victim) {
           EXPECT_EQ(
               symlink((victim + ".none").c_str(), (box + "/stderr").c_str()),
               0);
         }},
        {"stderr is a hard link", true,
         [](Path box, Path victim) {
           EXPECT_EQ(link(victim.c_str(), (box + "/stderr").c_str()), 0);
         }},
        {"stderr has a second name", true,
         [](Path box, Path) {
           Touch(box + "/stderr");
           EXPECT_EQ(link((box + "/stderr").c_str(), (box + "/second").c_str()),
                     0);
         }},
        {"stderr is a FIFO", true,
         [](Path box, Path) {
           EXPECT_EQ(mkfifo((box + "/stderr").c_str(), 0644), 0);
         }},
        {"stderr is a directory", true,
         [](Path box, Path) {
           EXPECT_EQ(mkdir((box + "/stderr").c_str(), 0755), 0);
         }},
        {"stderr is a socket", true,
         [](Path box, Path) { Bind(box + "/stderr"); }},
        {"stderr is leased", true,
         [](Path box, Path) { Lease(box + "/stderr"); }},
        {"the sandbox is removed", false,
         [](Path box, Path) { EXPECT_EQ(rmdir(box.c_str()), 0); }},
        {"the sandbox is a link", false,
         [](Path box, Path) {
           EXPECT_EQ(rename(box.c_str(), (box + ".moved").c_str()), 0);
           EXPECT_EQ(symlink((box + ".moved").c_str(), box.c_str()), 0);
         }},
        {"the sandbox is a file", false,
         [](Path box, Path) {
           EXPECT_EQ(rmdir(box.c_str()), 0);
           Touch(box);
         }},
        {"the sandbox is a FIFO", false,
         [](Path box, Path) {
           EXPECT_EQ(rmdir(box.c_str()), 0);
           EXPECT_EQ(mkfifo(box.c_str(), 0644), 0);
         }},
    };
    if (geteuid() == 0) return made;
    // Modes that do not stop root.
    made->push_back({"stderr may not be written to", true, [](Path box, Path) {
                       Touch(box + "/stderr");
                       EXPECT_EQ(chmod((box + "/stderr").c_str(), 0400), 0);
                     }});
    made->push_back(
        {"the sandbox may not be entered", false,
         [](Path box, Path) { EXPECT_EQ(chmod(box.c_str(), 0400), 0); }});
    return made;
  }();
  return all;
}

void MendSandbox(const std::string& box) {
  chmod(box.c_str(), 0700);
  ASSERT_EQ(
      system(absl::StrCat("rm -rf '", box, "' '", box, ".moved'").c_str()), 0);
  ASSERT_EQ(mkdir(box.c_str(), 0755), 0);
}

}  // namespace external_containerizer
