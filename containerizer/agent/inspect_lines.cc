// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The lines of an inspection. Both forms have the same members, except that an
// object names all that it lies below, so that each line can be understood and
// filtered by itself; in the text the indentation says it. Words in the text
// are in quotes unless they are as plain as most ids, so that no id can look
// like a member.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/inspect.h"
#include "external_containerizer/containerizer/agent/json.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/resources.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {
namespace {

std::string Word(absl::string_view text) {
  constexpr absl::string_view kPlain = "._:@-/+";
  constexpr size_t kMost = 4096;
  const bool is_plain =
      !text.empty() && text.size() <= 255 &&
      std::all_of(text.begin(), text.end(), [&](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
               kPlain.find(c) != kPlain.npos;
      });
  if (is_plain) return std::string(text);
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kMost)),
                      text.size() > kMost ? "\"..." : "\"");
}

// One line in both forms.
class Record {
 public:
  Record(size_t depth, absl::string_view type)
      : text_(absl::StrCat(std::string(2 * depth, ' '), type)) {
    object_.Text("type", type);
  }

  // The name of the thing itself, which follows the type in the text.
  Record& Id(absl::string_view member, absl::string_view id) {
    absl::StrAppend(&text_, " ", Word(id));
    return Below(member, id);
  }
  // A name that only the object has. Names of files may have any bytes, and two
  // names must not look the same.
  Record& Below(absl::string_view member, absl::string_view name) {
    object_.Text(member, name);
    if (Utf8Prefix(name) != name.size()) {
      object_.Text(absl::StrCat(member, "_base64"), absl::Base64Escape(name));
    }
    return *this;
  }
  Record& Text(absl::string_view member, absl::string_view value) {
    object_.Text(member, value);
    return value.empty() ? *this : Note(absl::StrCat(member, " ", Word(value)));
  }
  Record& Integer(absl::string_view member, uint64_t value) {
    object_.Integer(member, static_cast<int64_t>(value));
    return Note(absl::StrCat(member, " ", value));
  }
  Record& Boolean(absl::string_view member, bool value) {
    object_.Boolean(member, value);
    return Note(absl::StrCat(member, value ? " yes" : " no"));
  }
  // Members that only the object has.
  Record& Object(const JsonObject& members) {
    object_.Append(members);
    return *this;
  }
  // Words that only the text has.
  Record& Note(absl::string_view words) {
    absl::StrAppend(&text_, separator_, words);
    separator_ = ", ";
    return *this;
  }

  std::string ToString(bool json) const {
    return json ? object_.ToString() : text_;
  }

 private:
  std::string text_;
  const char* separator_ = ": ";
  JsonObject object_;
};

absl::string_view StateText(const state::ExecutorState& executor,
                            const state::RunState& run) {
  switch (state::StateOf(executor, run)) {
    case KnownContainer::State::kRunning:
      return "running";
    case KnownContainer::State::kUnacknowledged:
      return "unacknowledged";
    case KnownContainer::State::kCompleted:
      break;
  }
  return "completed";
}

std::string StateText(bool is_known, wire::TaskState state) {
  // A state of a later release reads as unset.
  return is_known ? std::string(wire::TaskState_Name(state))
                  : "an unknown state";
}

std::string StateText(const wire::StatusUpdate& update) {
  return StateText(update.status().has_state(), update.status().state());
}

// The state in the last update, or without updates the one in which the task
// was accepted.
std::string StateText(const state::TaskState& task) {
  if (!task.updates.empty()) return StateText(task.updates.back());
  if (!task.info) return StateText(false, {});
  return StateText(task.info->has_state(), task.info->state());
}

// An update that was recorded twice counts once.
size_t AcknowledgedOf(const state::TaskState& task) {
  std::set<absl::string_view> acknowledged;
  for (const wire::StatusUpdate& update : task.updates) {
    if (task.acks.count(update.uuid()) > 0) acknowledged.insert(update.uuid());
  }
  return acknowledged.size();
}

class LineWriter {
 public:
  LineWriter(const Inspection& inspection, bool json, LineSink sink)
      : inspection_(inspection),
        state_(inspection.state),
        json_(json),
        sink_(sink) {}

  void Write() {
    WorkDir();
    if (state_.slave) Agent(*state_.slave);
    for (const std::string& id : inspection_.other_agents) {
      Put(Record(0, "agent")
              .Id("id", id)
              .Boolean("latest", false)
              .Note("not read"));
    }
    for (const state::Problem& problem : state_.problems) {
      if (!go_on_) return;
      const bool is_damage = problem.kind == state::Problem::Kind::kDamage;
      Put(Record(0, is_damage ? "damage" : "notice")
              .Id("path", problem.path)
              .Text("why", problem.why));
    }
    for (const state::Truncation& truncation : state_.truncations) {
      if (!go_on_) return;
      Put(Record(0, "truncation")
              .Id("path", truncation.path)
              .Integer("bytes", truncation.size)
              .Integer("good_bytes", truncation.good_bytes));
    }
    Summary();
  }

 private:
  void Put(const Record& record) {
    if (go_on_) go_on_ = sink_(record.ToString(json_));
  }

  void WorkDir() {
    Record record(0, "work_dir");
    record.Id("path", state_.work_dir)
        .Boolean("meta", state_.resources.has_value());
    if (inspection_.boot_id.empty()) {
      record.Note("boot unknown");
    } else {
      record.Text("boot_id", inspection_.boot_id);
      if (!inspection_.boot_error.empty()) {
        record.Text("boot_error", inspection_.boot_error)
            .Note("it may be this boot");
      } else {
        record.Boolean("this_boot", inspection_.is_this_boot);
        if (!inspection_.is_this_boot) record.Note("no pid is valid");
      }
    }
    if (!state_.resources) {
      record.Note("no agent has written here");
    } else {
      record.Text("resources", ResourcesText(state_.resources->committed));
      if (state_.resources->target) {
        record.Text("target_resources",
                    ResourcesText(*state_.resources->target));
      }
      if (!state_.slave) record.Note("meta/slaves/latest names no agent");
    }
    Put(record);
  }

  void Agent(const state::SlaveState& agent) {
    Record record(0, "agent");
    record.Id("id", agent.id);
    if (agent.info) {
      record.Text("hostname", agent.info->hostname())
          .Integer("port", static_cast<uint64_t>(agent.info->port()))
          .Text("resources", ResourcesText(agent.info->resources()));
    }
    Put(record);
    for (const state::FrameworkState& framework : agent.frameworks) {
      if (!go_on_) return;
      Framework(agent, framework);
    }
  }

  void Framework(const state::SlaveState& agent,
                 const state::FrameworkState& framework) {
    Record record(1, "framework");
    record.Id("id", framework.id);
    if (framework.info) {
      record.Text("name", framework.info->name())
          .Text("user", framework.info->user())
          .Boolean("checkpoint", framework.info->checkpoint());
    }
    if (framework.pid) record.Text("pid", *framework.pid);
    Put(record);
    for (const state::ExecutorState& executor : framework.executors) {
      if (!go_on_) return;
      Executor({agent.id, framework.id, executor.id, ""}, executor);
    }
  }

  void Executor(state::RunId id, const state::ExecutorState& executor) {
    Record record(2, "executor");
    record.Id("id", executor.id).Below("framework", id.framework);
    if (executor.info) {
      if (executor.info->has_name()) {
        record.Text("name", executor.info->name());
      }
      record.Text("resources", ResourcesText(executor.info->resources()));
    }
    if (executor.latest) {
      record.Below("latest", *executor.latest)
          .Note(absl::StrCat("latest ", Word(*executor.latest)));
    }
    if (executor.generated_for_command_task) {
      record.Boolean("generated", *executor.generated_for_command_task);
    }
    Put(record);
    for (const state::RunState& run : executor.runs) {
      if (!go_on_) return;
      id.container = run.id;
      Run(id, StateText(executor, run), run);
    }
  }

  void Run(const state::RunId& id, absl::string_view state,
           const state::RunState& run) {
    Record record(3, "run");
    record.Id("id", run.id)
        .Below("executor", id.executor)
        .Below("framework", id.framework)
        .Text("state", state)
        .Boolean("sentinel", run.completed);
    if (run.termination) {
      record.Object(TerminationJson(*run.termination))
          .Note(TerminationText(*run.termination));
    }
    if (run.forked_pid) {
      record.Integer("forked_pid", static_cast<uint64_t>(*run.forked_pid));
    }
    if (run.libprocess_pid) record.Text("libprocess_pid", *run.libprocess_pid);
    if (run.http) record.Boolean("http", *run.http);
    Put(record.Below("sandbox", state::RunPath(id)));
    for (const state::TaskState& task : run.tasks) {
      if (!go_on_) return;
      Task(id, task);
    }
  }

  void Task(const state::RunId& id, const state::TaskState& task) {
    Record record(4, "task");
    record.Id("id", task.id)
        .Below("run", id.container)
        .Below("executor", id.executor)
        .Below("framework", id.framework);
    if (task.info) record.Text("name", task.info->name());
    record.Text("state", StateText(task))
        .Integer("updates", task.updates.size())
        .Integer("acknowledged", AcknowledgedOf(task));
    if (task.info) {
      record.Text("resources", ResourcesText(task.info->resources()));
    }
    Put(record);
    for (const wire::StatusUpdate& update : task.updates) {
      if (!go_on_) return;
      Update(id, task, update);
    }
  }

  void Update(const state::RunId& id, const state::TaskState& task,
              const wire::StatusUpdate& update) {
    Record record(5, "update");
    record.Below("task", task.id)
        .Below("run", id.container)
        .Below("executor", id.executor)
        .Below("framework", id.framework)
        .Text("state", StateText(update))
        .Text("uuid", absl::BytesToHexString(update.uuid()))
        .Boolean("acknowledged", task.acks.count(update.uuid()) > 0);
    const std::string time =
        JsonTime(absl::UnixEpoch() + absl::Seconds(update.timestamp()));
    if (update.has_timestamp() && !time.empty()) record.Text("time", time);
    if (update.status().has_message()) {
      record.Text("message", update.status().message());
    }
    Put(record);
  }

  void Summary() {
    uint64_t frameworks = 0, executors = 0, runs = 0, tasks = 0;
    uint64_t running = 0, unacknowledged = 0, damages = 0;
    for (const state::Problem& problem : state_.problems) {
      damages += problem.kind == state::Problem::Kind::kDamage;
    }
    if (state_.slave) {
      for (const state::FrameworkState& framework : state_.slave->frameworks) {
        ++frameworks;
        executors += framework.executors.size();
        for (const state::ExecutorState& executor : framework.executors) {
          runs += executor.runs.size();
          for (const state::RunState& run : executor.runs) {
            tasks += run.tasks.size();
            const KnownContainer::State state = state::StateOf(executor, run);
            running += state == KnownContainer::State::kRunning;
            unacknowledged += state == KnownContainer::State::kUnacknowledged;
          }
        }
      }
    }
    Put(Record(0, "summary")
            .Integer("frameworks", frameworks)
            .Integer("executors", executors)
            .Integer("runs", runs)
            .Integer("running", running)
            .Integer("unacknowledged", unacknowledged)
            .Integer("completed", runs - running - unacknowledged)
            .Integer("tasks", tasks)
            .Integer("damages", damages)
            .Integer("notices", state_.problems.size() - damages)
            .Integer("further_problems", state_.further_problems)
            .Integer("truncations", state_.truncations.size()));
  }

  const Inspection& inspection_;
  const state::AgentState& state_;
  const bool json_;
  LineSink sink_;
  bool go_on_ = true;
};

}  // namespace

void ShowInspection(const Inspection& inspection, bool json, LineSink sink) {
  LineWriter(inspection, json, sink).Write();
}

}  // namespace external_containerizer
