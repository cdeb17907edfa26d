// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// One object per line; each names what it lies below, so that every line can
// be understood, and filtered, by itself.

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/inspect.h"
#include "external_containerizer/containerizer/agent/json.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {
namespace {

int64_t Number(uint64_t number) { return static_cast<int64_t>(number); }

// Names of files are any bytes, and two of them must not look the same.
void AddName(JsonObject& json, absl::string_view name, absl::string_view id) {
  json.Text(name, id);
  if (Utf8Prefix(id) != id.size()) {
    json.Text(absl::StrCat(name, "_base64"), absl::Base64Escape(id));
  }
}

template <typename Resources>
void AddResources(JsonObject& json, const Resources& resources) {
  json.Text("resources", ResourcesText(resources));
}

class JsonWriter {
 public:
  JsonWriter(const Inspection& inspection, LineSink sink)
      : inspection_(inspection), state_(inspection.state), sink_(sink) {}

  void Write() {
    Head();
    if (state_.slave) Agent(*state_.slave);
    for (const std::string& id : inspection_.other_agents) {
      JsonObject json;
      json.Text("type", "agent");
      AddName(json, "id", id);
      Put(json.Boolean("latest", false));
    }
    Problems();
    Truncations();
    Counts();
  }

 private:
  void Put(const JsonObject& json) {
    if (go_on_) go_on_ = sink_(json.ToString());
  }

  void Head() {
    JsonObject json;
    json.Text("type", "work_dir");
    AddName(json, "path", state_.work_dir);
    json.Boolean("meta", state_.resources.has_value());
    if (!inspection_.boot_id.empty()) {
      json.Text("boot_id", inspection_.boot_id);
      if (inspection_.boot_error.empty()) {
        json.Boolean("this_boot", inspection_.is_this_boot);
      } else {
        json.Text("boot_error", inspection_.boot_error);
      }
    }
    if (state_.resources) {
      AddResources(json, state_.resources->committed);
      if (state_.resources->target) {
        json.Text("target_resources", ResourcesText(*state_.resources->target));
      }
    }
    Put(json);
  }

  void Agent(const state::SlaveState& agent) {
    JsonObject json;
    json.Text("type", "agent");
    AddName(json, "id", agent.id);
    if (agent.info) {
      json.Text("hostname", agent.info->hostname())
          .Integer("port", agent.info->port());
      AddResources(json, agent.info->resources());
    }
    Put(json);
    for (const state::FrameworkState& framework : agent.frameworks) {
      if (!go_on_) return;
      Framework(agent, framework);
    }
  }

  void Framework(const state::SlaveState& agent,
                 const state::FrameworkState& framework) {
    JsonObject json;
    json.Text("type", "framework");
    AddName(json, "id", framework.id);
    if (framework.info) {
      json.Text("name", framework.info->name())
          .Text("user", framework.info->user())
          .Boolean("checkpoint", framework.info->checkpoint());
    }
    if (framework.pid) json.Text("pid", *framework.pid);
    Put(json);
    for (const state::ExecutorState& executor : framework.executors) {
      if (!go_on_) return;
      Executor(agent, framework, executor);
    }
  }

  void Executor(const state::SlaveState& agent,
                const state::FrameworkState& framework,
                const state::ExecutorState& executor) {
    JsonObject json;
    json.Text("type", "executor");
    AddName(json, "id", executor.id);
    AddName(json, "framework", framework.id);
    if (executor.info) {
      if (executor.info->has_name()) json.Text("name", executor.info->name());
      AddResources(json, executor.info->resources());
    }
    if (executor.latest) AddName(json, "latest", *executor.latest);
    if (executor.generated_for_command_task) {
      json.Boolean("generated", *executor.generated_for_command_task);
    }
    Put(json);
    for (const state::RunState& run : executor.runs) {
      if (!go_on_) return;
      JsonObject above;
      AddName(above, "executor", executor.id);
      AddName(above, "framework", framework.id);
      Run(state::RunPath({agent.id, framework.id, executor.id, run.id}), above,
          RunStateText(executor, run), run);
    }
  }

  void Run(const std::string& path, const JsonObject& above,
           absl::string_view state, const state::RunState& run) {
    JsonObject json;
    json.Text("type", "run");
    AddName(json, "id", run.id);
    json.Append(above);
    json.Text("state", state).Boolean("sentinel", run.completed);
    if (run.termination) {
      const wire::Exit exit = wire::ExitOf(*run.termination);
      if (exit.kind == wire::Exit::Kind::kExited) {
        json.Integer("exit_code", exit.number);
      } else if (exit.kind == wire::Exit::Kind::kSignaled) {
        json.Integer("signal", exit.number);
      }
      json.Text("message", exit.ToString());
      const std::string why = WhyOf(*run.termination);
      if (!why.empty()) json.Text("why", why);
    }
    if (run.forked_pid) json.Integer("forked_pid", *run.forked_pid);
    if (run.libprocess_pid) json.Text("libprocess_pid", *run.libprocess_pid);
    if (run.http) json.Boolean("http", *run.http);
    AddName(json, "sandbox", path);
    Put(json);
    JsonObject above_task;
    AddName(above_task, "run", run.id);
    above_task.Append(above);
    for (const state::TaskState& task : run.tasks) {
      if (!go_on_) return;
      Task(above_task, task);
    }
  }

  void Task(const JsonObject& above, const state::TaskState& task) {
    JsonObject json;
    json.Text("type", "task");
    AddName(json, "id", task.id);
    json.Append(above);
    if (task.info) json.Text("name", task.info->name());
    json.Text("state", LastStateText(task))
        .Integer("updates", Number(task.updates.size()))
        .Integer("acknowledged", Number(AcknowledgedOf(task)));
    if (task.info) AddResources(json, task.info->resources());
    Put(json);
    for (const wire::StatusUpdate& update : task.updates) {
      if (!go_on_) return;
      JsonObject line;
      line.Text("type", "update");
      AddName(line, "task", task.id);
      line.Append(above)
          .Text("state", UpdateStateText(update))
          .Text("uuid", absl::BytesToHexString(update.uuid()))
          .Boolean("acknowledged", task.acks.count(update.uuid()) > 0);
      const std::string time =
          JsonTime(absl::UnixEpoch() + absl::Seconds(update.timestamp()));
      if (update.has_timestamp() && !time.empty()) line.Text("time", time);
      if (update.status().has_message()) {
        line.Text("message", update.status().message());
      }
      Put(line);
    }
  }

  void Problems() {
    for (const state::Problem& problem : state_.problems) {
      if (!go_on_) return;
      JsonObject json;
      json.Text("type", problem.kind == state::Problem::Kind::kDamage
                            ? "damage"
                            : "notice");
      AddName(json, "path", problem.path);
      Put(json.Text("why", problem.why));
    }
  }

  void Truncations() {
    for (const state::Truncation& truncation : state_.truncations) {
      if (!go_on_) return;
      JsonObject json;
      json.Text("type", "truncation");
      AddName(json, "path", truncation.path);
      Put(json.Integer("bytes", Number(truncation.size))
              .Integer("good_bytes", Number(truncation.good_bytes)));
    }
  }

  void Counts() {
    const InspectionCounts counts = CountsOf(state_);
    Put(JsonObject()
            .Text("type", "summary")
            .Integer("frameworks", Number(counts.frameworks))
            .Integer("executors", Number(counts.executors))
            .Integer("runs", Number(counts.runs))
            .Integer("running", Number(counts.running))
            .Integer("unacknowledged", Number(counts.unacknowledged))
            .Integer("completed", Number(counts.completed))
            .Integer("tasks", Number(counts.tasks))
            .Integer("damages", Number(counts.damages))
            .Integer("notices", Number(counts.notices))
            .Integer("further_problems", Number(state_.further_problems))
            .Integer("truncations", Number(state_.truncations.size())));
  }

  const Inspection& inspection_;
  const state::AgentState& state_;
  LineSink sink_;
  bool go_on_ = true;
};

}  // namespace

void InspectAsJson(const Inspection& inspection, LineSink sink) {
  JsonWriter(inspection, sink).Write();
}

}  // namespace external_containerizer
