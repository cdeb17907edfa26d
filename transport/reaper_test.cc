// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/reaper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/process.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

Process Sleeper() {
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
  return process;
}

// A zombie is there, too.
bool IsThere(pid_t pid) { return kill(pid, 0) == 0; }

TEST(ReaperTest, AChildIsReapedWhenItEndsAndNobodyWaitsForThat) {
  const auto loop = *EventLoop::Create();
  Process child = Sleeper();
  const pid_t pid = child.pid;
  ReapLater(*loop, std::move(child.pidfd));
  EXPECT_TRUE(IsThere(pid));
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  const Deadline deadline(absl::Seconds(60));
  while (IsThere(pid) && !deadline.Expired()) {
    loop->RunAfter(absl::Milliseconds(1), [&loop] { loop->Stop(); });
    loop->Run();
  }
  EXPECT_FALSE(IsThere(pid));
}

TEST(ReaperTest, AChildThatOutlivesItsLoopIsReapedByALaterCall) {
  auto loop = *EventLoop::Create();
  Process ended = Sleeper();
  Process running = Sleeper();
  ASSERT_EQ(kill(ended.pid, SIGKILL), 0);
  ASSERT_TRUE(AwaitEnd(ended.pidfd.get(), Deadline(absl::Seconds(60))));
  ReapLater(*loop, std::move(ended.pidfd));
  ReapLater(*loop, std::move(running.pidfd));
  loop.reset();
  EXPECT_FALSE(IsThere(ended.pid));
  ASSERT_TRUE(IsThere(running.pid));
  const UniqueFd pidfd = OpenPidfd(running.pid);
  EXPECT_FALSE(HasEnded(pidfd.get()));
  kill(running.pid, SIGKILL);
  EXPECT_TRUE(AwaitEnd(pidfd.get(), Deadline(absl::Seconds(60))));
  EXPECT_TRUE(IsThere(running.pid));
  loop = *EventLoop::Create();
  Process other = Sleeper();
  ASSERT_EQ(kill(other.pid, SIGKILL), 0);
  ReapLater(*loop, std::move(other.pidfd));
  EXPECT_FALSE(IsThere(running.pid));
}

}  // namespace
}  // namespace external_containerizer
