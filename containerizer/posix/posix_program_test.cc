// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Tests PosixProgram in a process that serves many commands, as a helper does.
// posix_launch_test, posix_destroy_test and posix_state_test have the commands.

#include "external_containerizer/containerizer/posix/posix_program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::IsEmpty;

size_t CountIn(const std::string& directory) {
  size_t count = 0;
  DIR* dir = opendir(directory.c_str());
  EXPECT_NE(dir, nullptr);
  while (readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

class PosixProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string base = ::testing::TempDir() + "/posix_XXXXXX";
    ASSERT_NE(mkdtemp(base.data()), nullptr);
    context_.work_directory = base;
    context_.sandbox = base;
    context_.environment["PATH"] = "/usr/bin:/bin";
    PosixProgram::Options options;
    options.supervisor = TestDataPath("containerizer/posix/posix");
    program_ = std::make_unique<PosixProgram>(options);
  }

  void TearDown() override {
    if (program_ == nullptr) return;
    const absl::StatusOr<wire::Containers> containers = List();
    ASSERT_THAT(containers, IsOk());
    for (const wire::ContainerID& id : containers->containers()) {
      EXPECT_THAT(Destroy(id.value()).get(), IsOk());
    }
  }

  // Returns a reply, and its future value.
  template <typename T>
  static std::pair<Reply<T>, std::future<typename Reply<T>::Answer>>
  ReplyAndFuture() {
    std::promise<typename Reply<T>::Answer> promise;
    auto future = promise.get_future();
    return {Reply<T>([promise = std::move(promise)](
                         typename Reply<T>::Answer answer) mutable {
              promise.set_value(std::move(answer));
            }),
            std::move(future)};
  }

  absl::Status Launch(const std::string& id, const std::string& command) {
    wire::Launch launch;
    launch.mutable_container_id()->set_value(id);
    launch.mutable_executor_info()->mutable_command()->set_value(command);
    auto awaited = ReplyAndFuture<void>();
    program_->Launch(launch, context_, std::move(awaited.first));
    return awaited.second.get();
  }

  std::future<absl::StatusOr<wire::Termination>> Wait(const std::string& id,
                                                      Context context) {
    wire::Wait wait;
    wait.mutable_container_id()->set_value(id);
    auto awaited = ReplyAndFuture<wire::Termination>();
    program_->Wait(wait, context, std::move(awaited.first));
    return std::move(awaited.second);
  }

  std::future<absl::Status> Destroy(const std::string& id) {
    wire::Destroy destroy;
    destroy.mutable_container_id()->set_value(id);
    auto awaited = ReplyAndFuture<void>();
    program_->Destroy(destroy, context_, std::move(awaited.first));
    return std::move(awaited.second);
  }

  absl::StatusOr<wire::Containers> List() {
    auto awaited = ReplyAndFuture<wire::Containers>();
    program_->Containers(context_, std::move(awaited.first));
    return awaited.second.get();
  }

  Context context_;
  std::unique_ptr<PosixProgram> program_;
};

TEST_F(PosixProgramTest, WithoutADirectoryTheContextsSandboxIsUsed) {
  ASSERT_THAT(Launch("c", "exit 3"), IsOk());
  const absl::StatusOr<wire::Termination> end = Wait("c", context_).get();
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(wire::ExitOf(*end).number, 3);
}

TEST_F(PosixProgramTest, ManyWaitsKeepOneThreadAndLaunchesLeaveNoZombie) {
  constexpr int kContainers = 30;
  ASSERT_THAT(Launch("first", "exec sleep 1000"), IsOk());
  std::vector<std::future<absl::StatusOr<wire::Termination>>> waits;
  waits.push_back(Wait("first", context_));
  const size_t threads = CountIn("/proc/self/task");
  for (int i = 0; i < kContainers; ++i) {
    const std::string id = absl::StrCat("c", i);
    ASSERT_THAT(Launch(id, "exec sleep 1000"), IsOk());
    waits.push_back(Wait(id, context_));
  }
  EXPECT_EQ(CountIn("/proc/self/task"), threads);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  std::vector<std::future<absl::Status>> destroys;
  destroys.push_back(Destroy("first"));
  for (int i = 0; i < kContainers; ++i) {
    destroys.push_back(Destroy(absl::StrCat("c", i)));
  }
  for (auto& destroy : destroys) EXPECT_THAT(destroy.get(), IsOk());
  for (auto& wait : waits) {
    const absl::StatusOr<wire::Termination> end = wait.get();
    ASSERT_THAT(end, IsOk());
    EXPECT_EQ(end->state(), wire::TASK_KILLED);
  }
  EXPECT_THAT(List()->containers(), IsEmpty());
}

TEST_F(PosixProgramTest, WaitsLeaveDescriptorsForDestroyAndAreAllAnswered) {
  constexpr size_t kContainers = 60;
  rlimit usual = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  // The waits cannot all have a descriptor.
  const rlimit few = {CountIn("/proc/self/fd") + 80, usual.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<std::future<absl::StatusOr<wire::Termination>>> waits;
  for (size_t i = 0; i < kContainers; ++i) {
    const std::string id = absl::StrCat("c", i);
    ASSERT_THAT(Launch(id, "exec sleep 1000"), IsOk());
    waits.push_back(Wait(id, context_));
  }
  // The last one has no descriptor.
  Context cancelled = context_;
  cancelled.cancellation = Cancellation();
  auto given_up = Wait("c0", cancelled);
  cancelled.cancellation.Cancel();
  EXPECT_THAT(given_up.get(), StatusIs(absl::StatusCode::kCancelled));
  for (size_t i = 0; i < kContainers; ++i) {
    EXPECT_THAT(Destroy(absl::StrCat("c", i)).get(), IsOk());
    const absl::StatusOr<wire::Termination> end = waits[i].get();
    ASSERT_THAT(end, IsOk()) << i;
    EXPECT_EQ(end->state(), wire::TASK_KILLED) << i;
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
}

class ManyWaitsTest : public PosixProgramTest {
 protected:
  static constexpr int kWaits = 4000;

  void SetUp() override {
    PosixProgramTest::SetUp();
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < kWaits + 2000) {
      GTEST_SKIP() << "only " << limit.rlim_max << " descriptors here";
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  // Starts many waits for one container. `answer` gets each end.
  void StartWaits(
      const std::function<void(const absl::StatusOr<wire::Termination>&)>&
          answer) {
    wire::Wait wait;
    wait.mutable_container_id()->set_value("c");
    for (int i = 0; i < kWaits; ++i) {
      program_->Wait(wait, context_,
                     Reply<wire::Termination>(
                         [&answer](absl::StatusOr<wire::Termination> end) {
                           answer(end);
                         }));
    }
  }
};

TEST_F(ManyWaitsTest, EachIsSmallAndAllLearnTheTrueEnd) {
  ASSERT_THAT(Launch("c", "exec sleep 1000"), IsOk());
  std::atomic<int> ended = {0};
  std::promise<void> all;
  const std::function<void(const absl::StatusOr<wire::Termination>&)> answer =
      [&](const absl::StatusOr<wire::Termination>& end) {
        EXPECT_THAT(end, IsOk());
        if (end.ok()) {
          EXPECT_EQ(end->status(), SIGTERM);
          EXPECT_EQ(end->state(), wire::TASK_KILLED);
        }
        if (++ended == kWaits) all.set_value();
      };
  const size_t threads = CountIn("/proc/self/task");
  const size_t files = CountIn("/proc/self/fd");
  const size_t before = mallinfo2().uordblks;
  StartWaits(answer);
  const size_t each = (mallinfo2().uordblks - before) / kWaits;
  RecordProperty("bytes_per_wait", static_cast<int>(each));
  EXPECT_LE(each, 1024u);
  EXPECT_LE(CountIn("/proc/self/task"), threads + 1);
  EXPECT_LE(CountIn("/proc/self/fd") - files, kWaits + 1100u);
  EXPECT_EQ(ended, 0);
  EXPECT_THAT(Destroy("c").get(), IsOk());
  EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(60)),
            std::future_status::ready);
}

TEST_F(ManyWaitsTest, AllEndIfAnotherProcessDestroysTheContainer) {
  ASSERT_THAT(Launch("c", "exec sleep 1000"), IsOk());
  std::atomic<int> ended = {0};
  std::atomic<int> truly = {0};
  std::promise<void> all;
  const std::function<void(const absl::StatusOr<wire::Termination>&)> answer =
      [&](const absl::StatusOr<wire::Termination>& end) {
        EXPECT_THAT(end, IsOk());
        if (end.ok()) {
          EXPECT_EQ(end->state(), wire::TASK_KILLED);
          if (end->has_status()) ++truly;
        }
        if (++ended == kWaits) all.set_value();
      };
  StartWaits(answer);
  PosixProgram other;  // it knows of no waits
  wire::Destroy destroy;
  destroy.mutable_container_id()->set_value("c");
  auto awaited = ReplyAndFuture<void>();
  other.Destroy(destroy, context_, std::move(awaited.first));
  EXPECT_THAT(awaited.second.get(), IsOk());
  EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(60)),
            std::future_status::ready);
  EXPECT_GE(truly, 1000) << "those kept the container's file open";
}

TEST_F(PosixProgramTest, ACancelledWaitEndsAndTheContainerRunsOn) {
  ASSERT_THAT(Launch("c", "exec sleep 1000"), IsOk());
  Context context = context_;
  context.cancellation = Cancellation();
  auto cancelled = Wait("c", context);
  auto other = Wait("c", context_);
  context.cancellation.Cancel();
  EXPECT_THAT(cancelled.get(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(Wait("c", context).get(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(Destroy("c").get(), IsOk());
  const absl::StatusOr<wire::Termination> end = other.get();
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->state(), wire::TASK_KILLED);
}

TEST_F(PosixProgramTest, ADestroyThatWaitsForALockHoldsUpNobodyElse) {
  PosixProgram::Options options;
  options.supervisor = TestDataPath("containerizer/posix/posix");
  options.grace = absl::Minutes(5);
  program_ = std::make_unique<PosixProgram>(options);
  auto fifo = [this](const std::string& name) {
    const std::string path = context_.sandbox + "/" + name;
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return UniqueFd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  };
  const UniqueFd told = fifo("told");
  const UniqueFd go = fifo("go");
  const auto read_number = [&told] {
    char line[32] = "";
    pollfd ready = {told.get(), POLLIN, 0};
    EXPECT_EQ(poll(&ready, 1, 60000), 1);
    EXPECT_GT(read(told.get(), line, sizeof(line) - 1), 0);
    return static_cast<pid_t>(atoi(line));
  };
  ASSERT_THAT(Launch("slow",
                     "sleep 1000 & "
                     "trap 'echo 1 > told; read line < go; exit 5' TERM; "
                     "echo $PPID > told; wait; exit 6"),
              IsOk());
  const auto supervisor = IdentityOf(read_number());
  ASSERT_TRUE(supervisor.has_value());
  const absl::StatusOr<UniqueFd> end = OpenProcess(*supervisor);
  std::future<absl::Status> destroy = Destroy("slow");
  EXPECT_EQ(read_number(), 1);
  const std::string path =
      context_.work_directory + "/program/posix/containers/slow";
  UniqueFd lock(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  pollfd ended = {end->get(), POLLIN, 0};
  ASSERT_EQ(poll(&ended, 1, 60000), 1);

  ASSERT_THAT(Launch("other", "exit 3"), IsOk());
  std::future<absl::StatusOr<wire::Termination>> wait = Wait("other", context_);
  EXPECT_EQ(wait.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  lock.Reset();
  EXPECT_THAT(destroy.get(), IsOk());
  EXPECT_THAT(wait.get(), IsOk());
}

TEST_F(PosixProgramTest, AWaitThatIsOutstandingAtTheEndIsAnswered) {
  ASSERT_THAT(Launch("c", "exec sleep 1000"), IsOk());
  auto wait = Wait("c", context_);
  program_.reset();
  EXPECT_THAT(wait.get(), StatusIs(absl::StatusCode::kInternal));
  PosixProgram::Options options;
  program_ = std::make_unique<PosixProgram>(options);
}

TEST_F(PosixProgramTest, ASupervisorThatCannotBeExecutedFailsTheLaunch) {
  PosixProgram::Options options;
  options.supervisor = "/no/such/supervisor";
  program_ = std::make_unique<PosixProgram>(options);
  EXPECT_THAT(Launch("c", "true"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       ::testing::HasSubstr("/no/such/supervisor")));
  EXPECT_THAT(List()->containers(), IsEmpty());
}

TEST_F(PosixProgramTest, ALaunchIsOverWhenTheSupervisorHasLetGoOfIt) {
  // This supervisor reports success, and closes the socket a while later.
  const std::string path = context_.work_directory + "/supervisor";
  const std::string done = context_.work_directory + "/done";
  std::ofstream(path) << "#!/bin/sh\nexec 5<&0\n(printf '\\0\\0\\0\\0' >&5;"
                         "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done;"
                         "echo > "
                      << done << ") &\n";
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  PosixProgram::Options options;
  options.supervisor = path;
  program_ = std::make_unique<PosixProgram>(options);
  EXPECT_THAT(Launch("c", "true"), IsOk());
  EXPECT_EQ(access(done.c_str(), F_OK), 0);
}

TEST_F(PosixProgramTest, ASupervisorThatDiesFailsTheLaunch) {
  PosixProgram::Options options;
  options.supervisor = "/bin/true";
  program_ = std::make_unique<PosixProgram>(options);
  EXPECT_THAT(Launch("c", "true"), StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(List()->containers(), IsEmpty());
}

}  // namespace
}  // namespace external_containerizer
