// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/sample_tree_testing.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "external_containerizer/state/mesos_writer_testing.h"
#include "external_containerizer/state/model_file_system_testing.h"

namespace external_containerizer {
namespace state {
namespace {

wire::Resource Cpus(double amount) {
  wire::Resource resource;
  resource.set_name("cpus");
  resource.set_type(wire::Value::SCALAR);
  resource.mutable_scalar()->set_value(amount);
  return resource;
}

wire::FrameworkInfo Framework(const std::string& id) {
  wire::FrameworkInfo info;
  info.set_user("root");
  info.set_name("a framework");
  info.mutable_id()->set_value(id);
  info.set_checkpoint(true);
  return info;
}

wire::ExecutorInfo Executor(const std::string& id) {
  wire::ExecutorInfo info;
  info.mutable_executor_id()->set_value(id);
  info.mutable_command()->set_value("run");
  *info.add_resources() = Cpus(1);
  return info;
}

wire::Task Task(const std::string& id) {
  wire::Task task;
  task.set_name("a task");
  task.mutable_task_id()->set_value(id);
  task.mutable_framework_id()->set_value("F0");
  task.mutable_slave_id()->set_value("S0");
  task.set_state(wire::TASK_STAGING);
  *task.add_resources() = Cpus(0.5);
  return task;
}

absl::Status WriteUpdates(MesosWriter& writer, const RunId& run) {
  std::vector<wire::StatusUpdate> updates;
  for (const char uuid : {'a', 'b'}) {
    wire::StatusUpdate update;
    update.mutable_framework_id()->set_value("F0");
    update.mutable_status()->mutable_task_id()->set_value("t1");
    update.mutable_status()->set_state(wire::TASK_RUNNING);
    update.set_timestamp(1);
    update.set_uuid(std::string(16, uuid));
    updates.push_back(update);
  }
  return writer.RecordUpdates(run, "t1", updates, {std::string(16, 'a')});
}

}  // namespace

absl::Status WriteSample(MesosWriter& writer) {
  const RunId c1 = {"S0", "F0", "e1", "c1"};
  const RunId c2 = {"S0", "F0", "e1", "c2"};
  const RunId c3 = {"S0", "F1", "e2", "c3"};
  wire::SlaveInfo agent;
  agent.set_hostname("a host");
  agent.mutable_id()->set_value("S0");
  *agent.add_resources() = Cpus(4);
  wire::Termination end;
  end.set_killed(true);
  end.set_status(9);
  end.set_message("a message");

  absl::Status status;
  const auto then = [&status](absl::Status next) {
    if (status.ok()) status = std::move(next);
  };
  then(writer.RecordBootId(kSampleBoot));
  then(writer.RecordResources({Cpus(1), Cpus(2)}));
  then(writer.RecordAgent(agent));
  then(writer.RecordFramework("S0", Framework("F0"), "f@127.0.0.1:4000"));
  then(writer.RecordLaunch(c1, Executor("e1")));
  then(writer.RecordTask(c1, Task("t1")));
  then(writer.RecordLaunched(c1));
  then(WriteUpdates(writer, c1));
  then(writer.RecordExit(c1, end));
  then(writer.RecordCompleted(c1));
  then(writer.RecordLaunch(c2, Executor("e1")));
  then(writer.RecordTask(c2, Task("t2")));
  then(writer.RecordForkedPid(c2, 4321));
  then(writer.RecordLaunched(c2));
  then(writer.RecordLibprocessPid(c2, "executor(1)@127.0.0.1:4001"));
  then(writer.RecordFramework("S0", Framework("F1"), "@0.0.0.0:0"));
  then(writer.RecordLaunch(c3, Executor("e2")));
  then(writer.RecordLaunched(c3));
  then(writer.RecordHttp(c3));
  return status;
}

Image SampleImage() {
  auto owned = std::make_unique<ModelFileSystem>();
  ModelFileSystem& files = *owned;
  MesosWriter writer("/work", std::move(owned));
  const absl::Status status = WriteSample(writer);
  return status.ok() ? files.Now() : Image();
}

}  // namespace state
}  // namespace external_containerizer
