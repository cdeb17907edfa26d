// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/recovery_tree.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/state/file_system.h"
#include "external_containerizer/state/mesos_writer_testing.h"
#include "external_containerizer/state/text_files.h"

namespace external_containerizer {
namespace {

constexpr char kAgent[] = "20260102-030405-16777343-5050-1234-S0";
constexpr char kTask[] = "task";

template <typename Message>
void AddResources(Message& message) {
  for (const auto& [name, amount] : {std::pair("cpus", 0.5), {"mem", 64.0}}) {
    wire::Resource& resource = *message.add_resources();
    resource.set_name(name);
    resource.set_type(wire::Value::SCALAR);
    resource.mutable_scalar()->set_value(amount);
    resource.set_role("*");
  }
}

absl::Status WriteUpdates(state::MesosWriter& writer, const state::RunId& run) {
  std::vector<wire::StatusUpdate> updates;
  for (const char uuid : {'a', 'b'}) {
    wire::StatusUpdate update;
    update.mutable_framework_id()->set_value(run.framework);
    update.mutable_executor_id()->set_value(run.executor);
    update.mutable_slave_id()->set_value(run.agent);
    update.mutable_status()->mutable_task_id()->set_value(kTask);
    update.mutable_status()->set_state(uuid == 'a' ? wire::TASK_STARTING
                                                   : wire::TASK_RUNNING);
    update.set_timestamp(1767323045);
    update.set_uuid(std::string(16, uuid));
    updates.push_back(update);
  }
  return writer.RecordUpdates(run, kTask, updates, {std::string(16, 'a')});
}

absl::Status WriteRun(state::MesosWriter& writer, size_t number) {
  const state::RunId run = TreeRun(number);
  absl::Status status = writer.RecordLaunch(run, TreeExecutor(run));
  if (status.ok()) status = writer.RecordTask(run, TreeTask(run));
  if (status.ok()) status = writer.RecordForkedPid(run, 12345);
  if (status.ok()) status = writer.RecordLaunched(run);
  if (status.ok()) {
    status = writer.RecordLibprocessPid(run, "executor(1)@10.0.0.1:34567");
  }
  if (status.ok()) status = WriteUpdates(writer, run);
  return status;
}

}  // namespace

state::RunId TreeRun(size_t number) {
  return {kAgent, absl::StrCat("framework-", number % kTreeFrameworks),
          absl::StrCat("executor-", number),
          absl::StrCat("6f1c0c5e-8d4c-4b5e-9a37-", 100000000000 + number)};
}

wire::SlaveInfo TreeAgent() {
  wire::SlaveInfo info;
  info.set_hostname("agent.example.com");
  info.mutable_id()->set_value(kAgent);
  AddResources(info);
  return info;
}

wire::FrameworkInfo TreeFramework(const std::string& id) {
  wire::FrameworkInfo info;
  info.set_user("nobody");
  info.set_name("a framework");
  info.mutable_id()->set_value(id);
  info.set_checkpoint(true);
  return info;
}

wire::ExecutorInfo TreeExecutor(const state::RunId& run) {
  wire::ExecutorInfo info;
  info.mutable_executor_id()->set_value(run.executor);
  info.mutable_framework_id()->set_value(run.framework);
  info.mutable_command()->set_value("exec /usr/libexec/executor --verbose");
  info.set_name("an executor");
  info.set_source(run.executor);
  AddResources(info);
  return info;
}

wire::Task TreeTask(const state::RunId& run) {
  wire::Task task;
  task.set_name("a task");
  task.mutable_task_id()->set_value(kTask);
  task.mutable_framework_id()->set_value(run.framework);
  task.mutable_executor_id()->set_value(run.executor);
  task.mutable_slave_id()->set_value(run.agent);
  task.set_state(wire::TASK_STAGING);
  AddResources(task);
  return task;
}

absl::Status WriteRecoveryTree(const std::string& directory, size_t executors) {
  absl::StatusOr<std::unique_ptr<state::FileSystem>> files =
      state::OpenFileSystem(directory);
  if (!files.ok()) return files.status();
  state::MesosWriter writer(directory, *std::move(files));
  const absl::StatusOr<std::string> boot = state::CurrentBootId();
  if (!boot.ok()) return boot.status();
  absl::Status status = writer.RecordBootId(*boot);
  if (status.ok()) status = writer.RecordAgent(TreeAgent());
  for (size_t i = 0; status.ok() && i < std::min(executors, kTreeFrameworks);
       ++i) {
    status = writer.RecordFramework(kAgent, TreeFramework(TreeRun(i).framework),
                                    "scheduler@10.0.0.2:4000");
  }
  for (size_t i = 0; status.ok() && i < executors; ++i) {
    status = WriteRun(writer, i);
  }
  return status;
}

}  // namespace external_containerizer
