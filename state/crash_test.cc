// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A record is complete or absent, whenever the power fails. The test covers
// every call of a container's life, a crash after each of its operations, and
// every legal loss of unsynced data.

#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/container.h"
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

using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr char kBoot[] = "this-boot";

struct Call {
  std::string name;
  std::function<absl::Status(MesosWriter&)> run;
};

RunId ARun(const std::string& container) {
  return {"S0", "F0", "exec", container};
}

wire::StatusUpdate Update(char uuid) {
  wire::StatusUpdate update;
  update.mutable_framework_id()->set_value("F0");
  update.mutable_status()->mutable_task_id()->set_value("task");
  update.mutable_status()->set_state(wire::TASK_RUNNING);
  // The message lies on several sectors.
  update.mutable_status()->set_message(std::string(1000, 'm'));
  update.set_timestamp(1);
  update.set_uuid(std::string(16, uuid));
  return update;
}

// A call for each record that an agent makes, in the order of a life: launch,
// update, exit, destroy, and all of it again for a second run.
std::vector<Call> Life() {
  wire::SlaveInfo agent;
  agent.set_hostname("h");
  agent.mutable_id()->set_value("S0");
  wire::FrameworkInfo framework;
  framework.set_user("u");
  framework.set_name("n");
  framework.mutable_id()->set_value("F0");
  wire::ExecutorInfo executor;
  executor.mutable_executor_id()->set_value("exec");
  wire::Task task;
  task.set_name("t");
  task.mutable_task_id()->set_value("task");
  task.mutable_framework_id()->set_value("F0");
  task.mutable_slave_id()->set_value("S0");
  task.set_state(wire::TASK_STAGING);
  wire::Termination end;
  end.set_status(256);
  wire::Resource cpus;
  cpus.set_name("cpus");
  cpus.set_type(wire::Value::SCALAR);
  cpus.mutable_scalar()->set_value(1);

  return {
      {"boot", [](MesosWriter& w) { return w.RecordBootId("other-boot"); }},
      {"boot 2", [](MesosWriter& w) { return w.RecordBootId(kBoot); }},
      {"resources", [=](MesosWriter& w) { return w.RecordResources({cpus}); }},
      {"agent", [=](MesosWriter& w) { return w.RecordAgent(agent); }},
      {"framework",
       [=](MesosWriter& w) {
         return w.RecordFramework("S0", framework, "@1:1");
       }},
      {"launch",
       [=](MesosWriter& w) { return w.RecordLaunch(ARun("c1"), executor); }},
      {"task", [=](MesosWriter& w) { return w.RecordTask(ARun("c1"), task); }},
      {"forked",
       [](MesosWriter& w) { return w.RecordForkedPid(ARun("c1"), 7); }},
      {"launched", [](MesosWriter& w) { return w.RecordLaunched(ARun("c1")); }},
      {"unwanted", [](MesosWriter& w) { return w.RecordUnwanted(ARun("c1")); }},
      {"libprocess",
       [](MesosWriter& w) {
         return w.RecordLibprocessPid(ARun("c1"), "e@h:1");
       }},
      {"update",
       [](MesosWriter& w) {
         return w.RecordUpdates(ARun("c1"), "task", {Update('a')}, {});
       }},
      {"ack",
       [](MesosWriter& w) {
         return w.RecordUpdates(ARun("c1"), "task", {Update('a')},
                                {std::string(16, 'a')});
       }},
      {"exit", [=](MesosWriter& w) { return w.RecordExit(ARun("c1"), end); }},
      {"destroyed",
       [](MesosWriter& w) { return w.RecordCompleted(ARun("c1")); }},
      {"launch 2",
       [=](MesosWriter& w) { return w.RecordLaunch(ARun("c2"), executor); }},
      {"launched 2",
       [](MesosWriter& w) { return w.RecordLaunched(ARun("c2")); }},
      {"updated",
       [=](MesosWriter& w) { return w.RecordUpdated(ARun("c2"), {cpus}); }},
      {"http 2", [](MesosWriter& w) { return w.RecordHttp(ARun("c2")); }},
      {"exit 2", [=](MesosWriter& w) { return w.RecordExit(ARun("c2"), end); }},
      {"resources 2",
       [=](MesosWriter& w) {
         return w.RecordResources({cpus, cpus});
       }},
      {"destroyed 2",
       [](MesosWriter& w) { return w.RecordCompleted(ARun("c2")); }},
      {"forget executor",
       [](MesosWriter& w) { return w.ForgetExecutor(ARun("c2")); }},
      {"forget", [](MesosWriter& w) { return w.ForgetAgent(); }},
  };
}

// Everything that anybody acts on. A directory alone means nothing.
std::string Meaning(const AgentState& state) {
  std::string text = absl::StrCat("rebooted=", state.rebooted, "\n");
  if (state.resources) {
    for (const wire::Resource& resource : state.resources->committed) {
      absl::StrAppend(&text, resource.ShortDebugString(), "\n");
    }
  }
  for (const KnownContainer& container : KnownContainers(state)) {
    absl::StrAppend(&text, container.id, " ", static_cast<int>(container.state),
                    "\n");
  }
  if (!state.slave || !state.slave->info) return text;
  absl::StrAppend(&text, state.slave->info->ShortDebugString(), "\n");
  for (const FrameworkState& framework : state.slave->frameworks) {
    if (!framework.info) continue;
    absl::StrAppend(&text, framework.info->ShortDebugString(), " at ",
                    framework.pid.value_or("none"), "\n");
    for (const ExecutorState& executor : framework.executors) {
      if (executor.runs.empty()) continue;
      absl::StrAppend(
          &text, executor.info ? executor.info->ShortDebugString() : "none",
          " latest ", executor.latest.value_or("none"), "\n");
      for (const RunState& run : executor.runs) {
        absl::StrAppend(
            &text, run.id, " ", run.completed, run.unwanted, " ",
            run.termination ? run.termination->ShortDebugString() : "", " ",
            run.forked_pid.value_or(0), " ", run.libprocess_pid.value_or(""),
            " ", run.http ? absl::StrCat(*run.http) : "", "\n");
        for (const TaskState& task : run.tasks) {
          if (!task.info) continue;
          absl::StrAppend(&text, task.info->ShortDebugString(), " updates:");
          for (const wire::StatusUpdate& update : task.updates) {
            absl::StrAppend(&text, " ", update.uuid());
          }
          absl::StrAppend(&text, " acks:");
          for (const std::string& uuid : task.acks) {
            absl::StrAppend(&text, " ", uuid);
          }
          text += "\n";
        }
      }
    }
  }
  return text;
}

// Reads strictly, because a crash is no damage.
std::string Recover(const Image& image) {
  TemporaryDirectory directory(FastTemporaryPlace());
  Materialize(image, directory.path());
  ReadOptions options;
  options.boot_id = kBoot;
  const auto state = ReadAgentState(directory.path(), options);
  return state.ok() ? Meaning(*state) : state.status().ToString();
}

class CrashTest : public ::testing::Test {
 protected:
  CrashTest() {
    auto files = std::make_unique<ModelFileSystem>();
    files_ = files.get();
    writer_ = std::make_unique<MesosWriter>("/work", std::move(files));
  }

  ModelFileSystem* files_;
  std::unique_ptr<MesosWriter> writer_;
};

TEST_F(CrashTest, EveryCallIsAllOrNothingWhateverTheDiskLoses) {
  size_t images = 0;
  std::string before = Recover({});
  for (const Call& call : Life()) {
    SCOPED_TRACE(call.name);
    std::set<Image> after_crash;
    files_->OnChange([&] {
      const std::set<Image> now = files_->AfterCrash();
      after_crash.insert(now.begin(), now.end());
    });
    ASSERT_THAT(call.run(*writer_), IsOk());
    files_->OnChange(nullptr);

    const std::string after = Recover(files_->Now());
    EXPECT_NE(after, before);
    for (const Image& image : after_crash) {
      ++images;
      ASSERT_THAT(Recover(image), AnyOf(before, after));
    }
    // The record of a call that has returned stays.
    for (const Image& image : files_->AfterCrash()) {
      ASSERT_EQ(Recover(image), after);
    }
    before = after;
  }
  EXPECT_GT(images, 300u);
  std::cout << images << " trees after a crash\n";
}

TEST(FailureTest, AFailedCallLeavesWhatWasThereAndMayBeRepeated) {
  const std::vector<Call> life = Life();
  size_t failures = 0;
  for (size_t i = 0; i < life.size(); ++i) {
    SCOPED_TRACE(life[i].name);
    for (size_t failing = 0;; ++failing) {
      auto owned = std::make_unique<ModelFileSystem>();
      ModelFileSystem& files = *owned;
      MesosWriter writer("/work", std::move(owned));
      for (size_t k = 0; k < i; ++k) {
        ASSERT_THAT(life[k].run(writer), IsOk());
      }
      const std::string before = Recover(files.Now());
      const size_t fail_at = files.operations() + failing;
      files.Fail(fail_at,
                 absl::ResourceExhaustedError("no space left on device"));
      const absl::Status status = life[i].run(writer);
      if (files.operations() <= fail_at) break;
      ++failures;
      // A process sees the new name before it is synced.
      const std::string now = Recover(files.Now());
      ASSERT_THAT(life[i].run(writer), IsOk());
      const std::string after = Recover(files.Now());
      EXPECT_NE(after, before);
      if (status.ok()) {
        EXPECT_EQ(now, after);
        continue;
      }
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted,
                                   HasSubstr("no space")));
      if (files.failed_at_directory_sync()) {
        EXPECT_THAT(now, AnyOf(before, after));
      } else {
        EXPECT_EQ(now, before);
      }
    }
  }
  EXPECT_GT(failures, 100u);
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer
