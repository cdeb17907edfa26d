// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A fixture that runs the real binary as an agent does: one process per
// command, and records on pipes.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_TESTING_H_

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"
#include "external_containerizer/containerizer/posix/cgroup_parent_testing.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/posix_command_testing.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "google/protobuf/repeated_field.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {

inline constexpr absl::Duration kPatience = absl::Milliseconds(kPatienceMs);

// Sends a signal to a supervisor or a task of a record.
inline bool SignalProcess(const ProcessIdentity& process, int signal) {
  const absl::StatusOr<UniqueFd> pidfd = OpenProcess(process);
  return pidfd.ok() && SendSignal(pidfd->get(), signal);
}

// Polls a condition that the kernel makes true.
inline bool Eventually(const std::function<bool()>& condition) {
  const Deadline deadline(kPatience);
  while (!condition()) {
    if (deadline.Expired()) return false;
  }
  return true;
}

class PosixTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { signal(SIGPIPE, SIG_IGN); }

  void SetUp() override {
    base_ = ::testing::TempDir() + "/posix_XXXXXX";
    ASSERT_NE(mkdtemp(base_.data()), nullptr);
    char* const real = realpath(base_.c_str(), nullptr);
    ASSERT_NE(real, nullptr);
    base_ = real;
    free(real);
    work_ = base_ + "/work";
    sandbox_ = base_ + "/sand box";
    ASSERT_EQ(mkdir(work_.c_str(), 0755), 0);
    ASSERT_EQ(mkdir(sandbox_.c_str(), 0755), 0);
    environment_ = {{"PATH", "/usr/bin:/bin"}, {"MESOS_WORK_DIRECTORY", work_}};
  }

  void TearDown() override {
    for (const std::string& id : List()) Destroy(id);
  }

  wire::Launch LaunchOf(const std::string& id, const std::string& command) {
    wire::Launch launch;
    launch.mutable_container_id()->set_value(id);
    launch.mutable_executor_info()->mutable_executor_id()->set_value("e");
    launch.mutable_executor_info()->mutable_framework_id()->set_value("f");
    launch.mutable_executor_info()->mutable_command()->set_value(command);
    launch.set_directory(sandbox_);
    launch.mutable_slave_id()->set_value("s");
    launch.set_slave_pid("slave(1)@127.0.0.1:5051");
    launch.set_checkpoint(false);
    return launch;
  }

  static void AddResource(
      google::protobuf::RepeatedPtrField<wire::Resource>* to,
      const std::string& name, double amount) {
    if (amount <= 0) return;
    wire::Resource* resource = to->Add();
    resource->set_name(name);
    resource->set_type(wire::Value::SCALAR);
    resource->mutable_scalar()->set_value(amount);
  }

  // The same with limits; 0 is no limit.
  wire::Launch LaunchOf(const std::string& id, const std::string& command,
                        double cpus, double mem) {
    wire::Launch launch = LaunchOf(id, command);
    auto* resources = launch.mutable_executor_info()->mutable_resources();
    AddResource(resources, "cpus", cpus);
    AddResource(resources, "mem", mem);
    return launch;
  }

  Result TryUpdate(const std::string& id, double cpus, double mem) {
    wire::Update update = About<wire::Update>(id);
    AddResource(update.mutable_resources(), "cpus", cpus);
    AddResource(update.mutable_resources(), "mem", mem);
    return Start("update", update).Finish();
  }

  void Update(const std::string& id, double cpus, double mem) {
    const Result result = TryUpdate(id, cpus, mem);
    EXPECT_EQ(result.status, 0) << result.errors;
  }

  // Returns the arguments of posix for a command.
  std::vector<std::string> Arguments(const std::string& command) {
    std::vector<std::string> arguments = flags_;
    if (const std::string parent = TestCgroupParent(); !parent.empty()) {
      arguments.insert(arguments.begin(), "--cgroup_parent=" + parent);
    }
    arguments.push_back(command);
    return arguments;
  }

  template <typename Message>
  Command Start(const std::string& command, const Message& message) {
    return Command(Arguments(command), environment_,
                   EncodeRecord(message.SerializeAsString()));
  }

  template <typename Message>
  static Message About(const std::string& id) {
    Message message;
    message.mutable_container_id()->set_value(id);
    return message;
  }

  void Launch(const wire::Launch& launch) {
    const Result result = Start("launch", launch).Finish();
    ASSERT_EQ(result.status, 0) << result.errors;
    EXPECT_THAT(result.output, ::testing::IsEmpty());
    EXPECT_THAT(result.errors, ::testing::IsEmpty());
  }

  // Expects that a launch fails and leaves nothing. Returns its stderr.
  std::string FailedLaunch(const wire::Launch& launch, int exit_code = 1) {
    const Result result = Start("launch", launch).Finish();
    EXPECT_EQ(WEXITSTATUS(result.status), exit_code);
    EXPECT_THAT(
        List(),
        ::testing::Not(::testing::Contains(launch.container_id().value())));
    return result.errors;
  }

  static wire::Termination Parse(const Result& result) {
    EXPECT_EQ(result.status, 0) << result.errors;
    wire::Termination termination;
    EXPECT_GE(result.output.size(), 4u);
    EXPECT_TRUE(termination.ParseFromString(
        result.output.substr(std::min<size_t>(4, result.output.size()))));
    return termination;
  }

  wire::Termination Wait(const std::string& id) {
    return Parse(Start("wait", About<wire::Wait>(id)).Finish());
  }

  // Starts a wait, and returns when the command is waiting.
  std::unique_ptr<Command> StartWait(const std::string& id) {
    auto command =
        std::make_unique<Command>(Start("wait", About<wire::Wait>(id)));
    // It then has a pidfd of the supervisor.
    const std::string fds = absl::StrCat("/proc/", command->pid(), "/fd");
    for (bool waiting = false; !waiting;) {
      if (command->HasOutput()) break;
      DIR* dir = opendir(fds.c_str());
      if (dir == nullptr) break;
      while (const dirent* entry = readdir(dir)) {
        char target[64] = "";
        const std::string link = fds + "/" + entry->d_name;
        if (readlink(link.c_str(), target, sizeof(target) - 1) > 0 &&
            strstr(target, "pidfd") != nullptr) {
          waiting = true;
        }
      }
      closedir(dir);
    }
    return command;
  }

  void Destroy(const std::string& id) {
    const Result result = Start("destroy", About<wire::Destroy>(id)).Finish();
    EXPECT_EQ(result.status, 0) << result.errors;
  }

  std::vector<std::string> List() {
    const Result result = Command({"containers"}, environment_, "").Finish();
    EXPECT_EQ(result.status, 0) << result.errors;
    wire::Containers containers;
    EXPECT_GE(result.output.size(), 4u);
    EXPECT_TRUE(containers.ParseFromString(result.output.substr(4)));
    std::vector<std::string> ids;
    for (const wire::ContainerID& id : containers.containers()) {
      ids.push_back(id.value());
    }
    return ids;
  }

  // Returns the usage; nullopt if there is no data.
  std::optional<wire::ResourceStatistics> Usage(const std::string& id) {
    const Result result = Start("usage", About<wire::Usage>(id)).Finish();
    EXPECT_EQ(result.status, 0) << result.errors;
    if (result.output.empty()) return std::nullopt;
    wire::ResourceStatistics statistics;
    EXPECT_TRUE(statistics.ParseFromString(result.output.substr(4)));
    return statistics;
  }

  ContainerRecords Records(const std::string& id) {
    return ParseRecords(ReadFile(work_ + "/program/posix/containers/" + id))
        .value_or(ContainerRecords());
  }

  // Damages the last record of a running container, the start of the task, as a
  // disk might.
  void DamageLaunch(const std::string& id) {
    const std::string path = work_ + "/program/posix/containers/" + id;
    std::string contents = ReadFile(path);
    contents.back() = static_cast<char>(contents.back() ^ 1);
    std::ofstream(path) << contents;
  }

  // Makes a FIFO, and opens it for both directions, so that no end blocks.
  UniqueFd Fifo(const std::string& name) {
    const std::string path = sandbox_ + "/" + name;
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return UniqueFd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  }

  static std::string ReadLine(const UniqueFd& fifo) {
    std::string line;
    while (true) {
      pollfd ready = {fifo.get(), POLLIN, 0};
      char c = 0;
      if (poll(&ready, 1, kPatienceMs) != 1 || read(fifo.get(), &c, 1) != 1) {
        ADD_FAILURE() << "nothing to read";
        return line;
      }
      if (c == '\n') return line;
      line += c;
    }
  }

  // Waits for the end of a process.
  static void AwaitEnd(pid_t pid) {
    const UniqueFd process = OpenPidfd(pid);
    if (!process.valid()) return;
    EXPECT_TRUE(
        external_containerizer::AwaitEnd(process.get(), Deadline(kPatience)))
        << pid << " still runs";
  }

  static bool Runs(pid_t pid) {
    const std::optional<ProcStat> stat = ReadProcStat(pid);
    return stat.has_value() && stat->state != 'Z';
  }

  static wire::Exit Exited(int code) {
    return wire::Exit{wire::Exit::Kind::kExited, code};
  }
  static wire::Exit Signaled(int signal) {
    return wire::Exit{wire::Exit::Kind::kSignaled, signal};
  }

  // Returns why limits are not enforced here; empty if they are.
  static std::string WhyNoCgroups() {
    CgroupPlan plan = PlanCgroups(FindCgroupHierarchies(), TestCgroupParent(),
                                  NewCgroupName("probe"), /*want_pids=*/true);
    MakeCgroups(plan);
    EXPECT_TRUE(RemoveCgroups(plan.cgroups, absl::Seconds(10)).ok());
    return plan.missing.empty()
               ? ""
               : absl::StrCat(plan.missing.begin()->first, ": ",
                              plan.missing.begin()->second);
  }

  // Returns the cgroups of all containers of this work directory.
  std::vector<std::string> Cgroups() {
    const std::string name = NewCgroupName(work_);
    const std::string prefix = name.substr(0, name.rfind('-') + 1);
    std::vector<std::string> found;
    for (const CgroupHierarchy& hierarchy : FindCgroupHierarchies()) {
      const std::string parent = TestCgroupParent();
      const std::string path =
          CgroupPath(hierarchy, parent.empty() ? hierarchy.own : parent)
              .value_or("");
      DIR* dir = opendir(path.c_str());
      if (dir == nullptr) continue;
      while (const dirent* entry = readdir(dir)) {
        if (absl::StartsWith(entry->d_name, prefix)) {
          found.push_back(path + "/" + entry->d_name);
        }
      }
      closedir(dir);
    }
    return found;
  }

  std::vector<std::string> flags_;  // before the command
  std::string base_;
  std::string work_;
  std::string sandbox_;
  std::map<std::string, std::string> environment_;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_TESTING_H_
