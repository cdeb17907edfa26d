// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/state/file_system.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/mesos_writer_testing.h"
#include "external_containerizer/state/model_file_system_testing.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

const RunId kRun = {"S", "F", "E", "C"};

absl::StatusOr<std::unique_ptr<MesosWriter>> Open(const std::string& work_dir) {
  absl::StatusOr<std::unique_ptr<FileSystem>> files = OpenFileSystem(work_dir);
  if (!files.ok()) return files.status();
  return std::make_unique<MesosWriter>(work_dir, *std::move(files));
}

wire::SlaveInfo Agent() {
  wire::SlaveInfo info;
  info.set_hostname("host");
  info.mutable_id()->set_value("S");
  return info;
}

wire::FrameworkInfo Framework() {
  wire::FrameworkInfo info;
  info.set_user("root");
  info.set_name("framework");
  info.mutable_id()->set_value("F");
  info.set_checkpoint(true);
  return info;
}

wire::ExecutorInfo Executor() {
  wire::ExecutorInfo info;
  info.mutable_executor_id()->set_value("E");
  info.mutable_command()->set_value("sleep 600");
  return info;
}

wire::Task Task() {
  wire::Task task;
  task.set_name("task");
  task.mutable_task_id()->set_value("T");
  task.mutable_framework_id()->set_value("F");
  task.mutable_slave_id()->set_value("S");
  task.set_state(wire::TASK_STAGING);
  return task;
}

wire::StatusUpdate Update() {
  wire::StatusUpdate update;
  update.mutable_framework_id()->set_value("F");
  update.mutable_status()->mutable_task_id()->set_value("T");
  update.mutable_status()->set_state(wire::TASK_RUNNING);
  update.set_timestamp(1);
  update.set_uuid(std::string(16, 'u'));
  return update;
}

std::string Parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash);
}

void ExpectSame(const google::protobuf::Message& a,
                const google::protobuf::Message& b) {
  EXPECT_EQ(a.SerializeAsString(), b.SerializeAsString());
}

TEST(WriterTest, WhatWasRecordedReadsTheSame) {
  TemporaryDirectory work;
  auto writer = Open(work.path());
  ASSERT_THAT(writer, IsOk());
  MesosWriter& w = **writer;
  wire::Termination end;
  end.set_status(256);
  end.set_message("why");
  wire::Resource cpus;
  cpus.set_name("cpus");
  cpus.set_type(wire::Value::SCALAR);
  ASSERT_THAT(w.RecordBootId("boot"), IsOk());
  ASSERT_THAT(w.RecordResources({cpus}), IsOk());
  ASSERT_THAT(w.RecordAgent(Agent()), IsOk());
  ASSERT_THAT(w.RecordFramework("S", Framework(), "s@1.2.3.4:5"), IsOk());
  ASSERT_THAT(w.RecordLaunch(kRun, Executor()), IsOk());
  ASSERT_THAT(w.RecordTask(kRun, Task()), IsOk());
  ASSERT_THAT(w.RecordForkedPid(kRun, 42), IsOk());
  ASSERT_THAT(w.RecordLaunched(kRun), IsOk());
  ASSERT_THAT(w.RecordLibprocessPid(kRun, "e@1.2.3.4:6"), IsOk());
  ASSERT_THAT(w.RecordUpdates(kRun, "T", {Update()}, {Update().uuid()}),
              IsOk());
  ASSERT_THAT(w.RecordExit(kRun, end), IsOk());
  ASSERT_THAT(w.RecordCompleted(kRun), IsOk());

  ReadOptions options;
  options.boot_id = "boot";
  const auto state = ReadAgentState(work.path(), options);
  ASSERT_THAT(state, IsOk());
  EXPECT_TRUE(state->problems.empty());
  EXPECT_TRUE(state->truncations.empty());
  EXPECT_FALSE(state->rebooted);
  ASSERT_EQ(state->resources->committed.size(), 1u);
  ExpectSame(state->resources->committed[0], cpus);
  ExpectSame(*state->slave->info, Agent());
  const FrameworkState& framework = state->slave->frameworks.at(0);
  ExpectSame(*framework.info, Framework());
  EXPECT_EQ(framework.pid, "s@1.2.3.4:5");
  const ExecutorState& executor = framework.executors.at(0);
  ExpectSame(*executor.info, Executor());
  EXPECT_EQ(executor.latest, "C");
  const RunState& run = executor.runs.at(0);
  EXPECT_EQ(run.forked_pid, 42);
  EXPECT_EQ(run.libprocess_pid, "e@1.2.3.4:6");
  EXPECT_EQ(run.http, false);
  EXPECT_TRUE(run.completed);
  ExpectSame(*run.termination, end);
  const TaskState& task = run.tasks.at(0);
  ExpectSame(*task.info, Task());
  ASSERT_EQ(task.updates.size(), 1u);
  ExpectSame(task.updates[0], Update());
  EXPECT_THAT(task.acks, ElementsAre(Update().uuid()));
}

TEST(WriterTest, TheTreeIsThatOfMesosWithItsModes) {
  TemporaryDirectory work;
  auto writer = Open(work.path());
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->RecordBootId("boot"), IsOk());
  ASSERT_THAT((*writer)->RecordAgent(Agent()), IsOk());
  ASSERT_THAT((*writer)->RecordFramework("S", Framework(), "@0.0.0.0:0"),
              IsOk());
  ASSERT_THAT((*writer)->RecordLaunch(kRun, Executor()), IsOk());
  ASSERT_THAT((*writer)->RecordTask(kRun, Task()), IsOk());
  ASSERT_THAT((*writer)->RecordForkedPid(kRun, 42), IsOk());
  ASSERT_THAT((*writer)->RecordLaunched(kRun), IsOk());
  ASSERT_THAT((*writer)->RecordHttp(kRun), IsOk());
  ASSERT_THAT((*writer)->RecordUpdates(kRun, "T", {}, {}), IsOk());
  ASSERT_THAT((*writer)->RecordCompleted(kRun), IsOk());

  const mode_t mask = umask(0);
  umask(mask);
  const std::string f = "meta/slaves/S/frameworks/F";
  const std::string e = f + "/executors/E";
  const std::string c = e + "/runs/C";
  const std::map<std::string, mode_t> expected = {
      {"meta/boot_id", 0600},
      {"meta/slaves/S/slave.info", 0600},
      {f + "/framework.info", 0600},
      {f + "/framework.pid", 0600},
      {e + "/executor.info", 0600},
      {c + "/tasks/T/task.info", 0600},
      {c + "/tasks/T/task.updates", 0644 & ~mask},
      {c + "/pids/forked.pid", 0600},
      {c + "/http.marker", 0644 & ~mask},
      {c + "/executor.sentinel", 0644 & ~mask},
      {"meta/slaves/latest", 0777},
      {e + "/runs/latest", 0777},
  };
  std::map<std::string, mode_t> files;
  for (const auto& [path, ignored] : Snapshot(work.path())) {
    struct stat info;
    ASSERT_EQ(lstat((work / path).c_str(), &info), 0);
    if (!S_ISDIR(info.st_mode)) files[path] = info.st_mode & 07777;
  }
  EXPECT_EQ(files, expected);
  EXPECT_EQ(ReadFile(work / (c + "/pids/forked.pid")), "42");
  char target[4096];
  const ssize_t size =
      readlink((work / (e + "/runs/latest")).c_str(), target, sizeof(target));
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(target, static_cast<size_t>(size)), work / c);
}

TEST(WriterTest, AFileCostsOneSyncAndSoDoesAChangedDirectory) {
  auto owned = std::make_unique<ModelFileSystem>();
  ModelFileSystem& files = *owned;
  MesosWriter w("/work", std::move(owned));
  ASSERT_THAT(w.RecordAgent(Agent()), IsOk());
  ASSERT_THAT(w.RecordFramework("S", Framework(), "@0.0.0.0:0"), IsOk());
  ASSERT_THAT(w.RecordLaunch({"S", "F", "E0", "C0"}, Executor()), IsOk());

  const auto cost = [&](const absl::Status& status, size_t before_files,
                        size_t before_directories) {
    EXPECT_THAT(status, IsOk());
    return std::pair(files.file_syncs() - before_files,
                     files.directory_syncs() - before_directories);
  };
  const auto count = [&](auto call) {
    const size_t f = files.file_syncs();
    const size_t d = files.directory_syncs();
    return cost(call(), f, d);
  };
  wire::Termination end;
  // executor.info; executors/, E/, runs/.
  EXPECT_THAT(count([&] { return w.RecordLaunch(kRun, Executor()); }),
              Pair(1, 3));
  // runs/.
  EXPECT_THAT(count([&] { return w.RecordLaunched(kRun); }), Pair(0, 1));
  // task.info; C/, tasks/, T/.
  EXPECT_THAT(count([&] { return w.RecordTask(kRun, Task()); }), Pair(1, 3));
  // forked.pid; C/, pids/.
  EXPECT_THAT(count([&] { return w.RecordForkedPid(kRun, 1); }), Pair(1, 2));
  EXPECT_THAT(count([&] { return w.RecordExit(kRun, end); }), Pair(1, 1));
  EXPECT_THAT(count([&] { return w.RecordCompleted(kRun); }), Pair(1, 1));
}

TEST(WriterTest, ALaunchIsAdoptedOnlyOnceItWasAcknowledged) {
  TemporaryDirectory work;
  auto writer = Open(work.path());
  ASSERT_THAT(writer, IsOk());
  const auto known = [&] {
    const auto state = ReadAgentState(work.path());
    EXPECT_THAT(state, IsOk());
    const auto containers = KnownContainers(*state);
    EXPECT_EQ(containers.size(), 1u);
    return containers.at(0).state;
  };
  ASSERT_THAT((*writer)->RecordAgent(Agent()), IsOk());
  ASSERT_THAT((*writer)->RecordFramework("S", Framework(), "@0.0.0.0:0"),
              IsOk());
  ASSERT_THAT((*writer)->RecordLaunch(kRun, Executor()), IsOk());
  EXPECT_EQ(known(), KnownContainer::State::kUnacknowledged);
  ASSERT_THAT((*writer)->RecordLaunched(kRun), IsOk());
  EXPECT_EQ(known(), KnownContainer::State::kRunning);
  ASSERT_THAT((*writer)->RecordExit(kRun, wire::Termination()), IsOk());
  EXPECT_EQ(known(), KnownContainer::State::kCompleted);
}

TEST(WriterTest, AnIdCanBeUsedAgainOnceItsExecutorIsForgotten) {
  TemporaryDirectory work;
  auto writer = Open(work.path());
  ASSERT_THAT(writer, IsOk());
  MesosWriter& w = **writer;
  ASSERT_THAT(w.RecordAgent(Agent()), IsOk());
  ASSERT_THAT(w.RecordFramework("S", Framework(), "@0.0.0.0:0"), IsOk());
  ASSERT_THAT(w.RecordLaunch(kRun, Executor()), IsOk());
  ASSERT_THAT(w.RecordLaunch(kRun, Executor()), IsOk());
  ASSERT_THAT(w.RecordTask(kRun, Task()), IsOk());
  ASSERT_THAT(w.RecordLaunched(kRun), IsOk());
  ASSERT_THAT(w.RecordExit(kRun, wire::Termination()), IsOk());
  EXPECT_THAT(w.RecordLaunch(kRun, Executor()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  // A crash may leave this behind.
  WriteFile(work / "meta/slaves/S/frameworks/F/.removed/executor.info", "old");
  EXPECT_THAT(w.ForgetExecutor(kRun), IsOk());
  EXPECT_THAT(w.ForgetExecutor(kRun), IsOk());
  const auto state = ReadAgentState(work.path());
  ASSERT_THAT(state, IsOk());
  EXPECT_TRUE(state->slave->frameworks.at(0).executors.empty());
  for (const auto& [path, ignored] : Snapshot(work.path())) {
    EXPECT_THAT(path, Not(HasSubstr("removed")));
  }
  EXPECT_THAT(w.RecordLaunch(kRun, Executor()), IsOk());
}

TEST(WriterTest, WhatIsThereAlreadyIsNotWrittenAgain) {
  ModelFileSystem* files = new ModelFileSystem;
  MesosWriter w("/w", std::unique_ptr<FileSystem>(files));
  wire::FrameworkInfo framework;
  framework.set_user("u");
  framework.set_name("n");
  framework.mutable_id()->set_value("F");
  const auto record = [&] {
    EXPECT_THAT(w.RecordFramework("S", framework, "@0.0.0.0:0"), IsOk());
    EXPECT_THAT(w.RecordBootId("boot"), IsOk());
  };
  record();
  const size_t syncs = files->file_syncs();
  record();
  EXPECT_EQ(files->file_syncs(), syncs);
  framework.set_name("other");
  record();
  EXPECT_EQ(files->file_syncs(), syncs + 1);
}

TEST(WriterTest, DirectoriesThatSomebodyRemovedAreMadeAgain) {
  const std::vector<std::function<absl::Status(Writer&)>> calls = {
      [](Writer& w) { return w.RecordBootId("boot"); },
      [](Writer& w) { return w.RecordAgent(Agent()); },
      [](Writer& w) { return w.RecordFramework("S", Framework(), "@1:1"); },
      [](Writer& w) { return w.RecordLaunch(kRun, Executor()); },
  };
  for (const char* removed : {"meta", "meta/slaves/S/frameworks/F"}) {
    for (const auto& again : calls) {
      auto owned = std::make_unique<ModelFileSystem>();
      ModelFileSystem& files = *owned;
      Writer writer("/work", std::move(owned));
      for (const auto& call : calls) ASSERT_THAT(call(writer), IsOk());
      ASSERT_THAT(files.RemoveTree(removed), IsOk());
      ASSERT_THAT(files.SyncDirectory("."), IsOk());
      ASSERT_THAT(files.SyncDirectory(Parent(removed)), IsOk());
      EXPECT_THAT(again(writer), IsOk());
      // The new directories are on the disk as well.
      EXPECT_EQ(files.AfterCrash().size(), 1u);
    }
  }
}

TEST(WriterTest, AnUpdateReplacesTheResourcesAndNothingElse) {
  const TemporaryDirectory place;
  const auto writer = Open(place.path());
  ASSERT_THAT(writer, IsOk());
  wire::Resource mem;
  mem.set_name("mem");
  mem.set_type(wire::Value::SCALAR);
  mem.mutable_scalar()->set_value(64);
  EXPECT_THAT((*writer)->RecordUpdated(kRun, {mem}),
              StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT((*writer)->RecordAgent(Agent()), IsOk());
  ASSERT_THAT((*writer)->RecordLaunch(kRun, Executor()), IsOk());
  ASSERT_THAT((*writer)->RecordUpdated(kRun, {mem}), IsOk());
  const auto state = ReadAgentState(place.path());
  ASSERT_THAT(state, IsOk());
  wire::ExecutorInfo expected = Executor();
  expected.clear_resources();
  *expected.add_resources() = mem;
  EXPECT_EQ(state->slave->frameworks[0].executors[0].info->SerializeAsString(),
            expected.SerializeAsString());
}

TEST(WriterTest, BadIdsAndMessagesAreRefusedAndWriteNothing) {
  TemporaryDirectory work;
  auto writer = Open(work.path());
  ASSERT_THAT(writer, IsOk());
  MesosWriter& w = **writer;
  RunId outside = kRun;
  outside.executor = "../../../..";
  EXPECT_THAT(w.RecordLaunch(outside, Executor()), StatusIs(kInvalid));
  EXPECT_THAT(w.RecordLaunched(outside), StatusIs(kInvalid));
  EXPECT_THAT(w.RecordLaunch(kRun, wire::ExecutorInfo()),
              StatusIs(kInvalid, HasSubstr("executor_id")));
  EXPECT_THAT(w.RecordAgent(wire::SlaveInfo()), StatusIs(kInvalid));
  EXPECT_THAT(w.RecordFramework("S", Framework(), "nowhere"),
              StatusIs(kInvalid));
  EXPECT_THAT(w.RecordTask(kRun, wire::Task()), StatusIs(kInvalid));
  EXPECT_THAT(w.RecordForkedPid(kRun, 0), StatusIs(kInvalid));
  EXPECT_THAT(w.RecordUpdates(kRun, "a/b", {}, {}), StatusIs(kInvalid));
  EXPECT_THAT(Writer::Open("relative"), StatusIs(kInvalid));
  for (const auto& [path, ignored] : Snapshot(work.path())) {
    struct stat info;
    ASSERT_EQ(lstat((work / path).c_str(), &info), 0);
    EXPECT_TRUE(S_ISDIR(info.st_mode)) << path;
  }
}

TEST(WriterTest, ALaunchThatWasNotRecordedHasNoPids) {
  TemporaryDirectory work;
  auto writer = Open(work.path());
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->RecordForkedPid(kRun, 1),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("container C")));
}

TEST(WriterTest, LeftoversOfACrashAreReplaced) {
  TemporaryDirectory work;
  const std::string temporary = work / "meta/.boot_id.tmp";
  WriteFile(temporary, "half");
  auto writer = Open(work.path());
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->RecordBootId("boot"), IsOk());
  EXPECT_EQ(ReadFile(work / "meta/boot_id"), "boot");
  EXPECT_NE(access(temporary.c_str(), F_OK), 0);
}

TEST(WriterTest, NoLinkIsFollowed) {
  TemporaryDirectory work;
  TemporaryDirectory elsewhere;
  ASSERT_EQ(symlink(elsewhere.path().c_str(), (work / "meta").c_str()), 0);
  auto writer = Open(work.path());
  ASSERT_THAT(writer, IsOk());
  EXPECT_FALSE((*writer)->RecordBootId("boot").ok());
  EXPECT_TRUE(Snapshot(elsewhere.path()).empty());
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer
