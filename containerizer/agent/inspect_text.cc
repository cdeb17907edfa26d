// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The indented tree. What is foreign stands in quotes unless it is as plain as
// ids mostly are, so that no id can look like something that we say.

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/inspect.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/state/text_files.h"

namespace external_containerizer {
namespace {

std::string Quoted(absl::string_view text) {
  constexpr size_t kMost = 4096;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kMost)),
                      text.size() > kMost ? "\"..." : "\"");
}

std::string Word(absl::string_view text) {
  constexpr absl::string_view kPlain = "._:@-/+";
  const bool is_plain =
      !text.empty() && text.size() <= 255 &&
      std::all_of(text.begin(), text.end(), [&](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
               kPlain.find(c) != kPlain.npos;
      });
  return is_plain ? std::string(text) : Quoted(text);
}

template <typename Resources>
std::string UsingText(const Resources& resources) {
  const std::string text = ResourcesText(resources);
  return text.empty() ? "" : absl::StrCat(", ", OneLine(text));
}

std::string TimeText(double seconds) {
  // What absl::Time can print with a year of four digits.
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 253402300799.0) {
    return "";
  }
  return absl::StrCat(
      " at ", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ",
                               absl::UnixEpoch() + absl::Seconds(seconds),
                               absl::UTCTimeZone()));
}

class TextWriter {
 public:
  TextWriter(const Inspection& inspection, LineSink sink)
      : inspection_(inspection), state_(inspection.state), sink_(sink) {}

  void Write() {
    Head();
    if (state_.slave) {
      Agent(*state_.slave);
    } else if (state_.resources) {
      Line(0, "no agent is remembered: meta/slaves/latest names none");
    }
    for (const std::string& id : inspection_.other_agents) {
      Line(0, absl::StrCat("agent ", Word(id),
                           ", not read: meta/slaves/latest does not name it"));
    }
    Problems(state::Problem::Kind::kDamage, "damaged, and not read:");
    Problems(state::Problem::Kind::kNotice, "noticed:");
    if (state_.further_problems > 0) {
      Line(0, absl::StrCat("and ", state_.further_problems,
                           " more that are damaged or noticed"));
    }
    Truncations();
    Counts();
  }

 private:
  void Line(size_t depth, absl::string_view text) {
    if (!go_on_) return;
    line_.assign(2 * depth, ' ');
    line_.append(text.data(), text.size());
    go_on_ = sink_(line_);
  }

  void Head() {
    Line(0, absl::StrCat("work_dir ", Word(state_.work_dir)));
    if (!state_.resources) {
      Line(0, "there is no meta directory: no agent has written here");
      return;
    }
    Line(0, inspection_.boot_id.empty() ? "boot unknown"
            : !inspection_.boot_error.empty()
                ? absl::StrCat("boot ", Word(inspection_.boot_id),
                               ", which may be the present one: ",
                               OneLine(inspection_.boot_error))
            : inspection_.is_this_boot
                ? absl::StrCat("boot ", Word(inspection_.boot_id),
                               ", the present one of this machine")
                : absl::StrCat("boot ", Word(inspection_.boot_id),
                               ", before the present one of this machine, or "
                               "of another machine: no pid is valid here"));
    const std::string committed = ResourcesText(state_.resources->committed);
    if (!committed.empty()) {
      Line(0, absl::StrCat("resources ", OneLine(committed)));
    }
    if (state_.resources->target) {
      Line(0, absl::StrCat("resources to be ",
                           OneLine(ResourcesText(*state_.resources->target))));
    }
  }

  void Agent(const state::SlaveState& agent) {
    std::string text = absl::StrCat("agent ", Word(agent.id));
    if (agent.info) {
      absl::StrAppend(&text, " on ", Word(agent.info->hostname()), ", port ",
                      agent.info->port(), UsingText(agent.info->resources()));
    }
    Line(0, text);
    for (const state::FrameworkState& framework : agent.frameworks) {
      if (!go_on_) return;
      Framework(framework);
    }
  }

  void Framework(const state::FrameworkState& framework) {
    std::string text = absl::StrCat("framework ", Word(framework.id));
    if (framework.info) {
      absl::StrAppend(&text, " ", Quoted(framework.info->name()), ", user ",
                      Word(framework.info->user()));
    }
    if (framework.pid) {
      absl::StrAppend(&text, ", scheduler ", Word(*framework.pid));
    }
    Line(1, text);
    for (const state::ExecutorState& executor : framework.executors) {
      Executor(executor);
    }
  }

  void Executor(const state::ExecutorState& executor) {
    if (!go_on_) return;
    std::string text = absl::StrCat("executor ", Word(executor.id));
    if (executor.info) {
      if (executor.info->has_name()) {
        absl::StrAppend(&text, " ", Quoted(executor.info->name()));
      }
      absl::StrAppend(&text, UsingText(executor.info->resources()));
    }
    if (executor.generated_for_command_task.value_or(false)) {
      text += ", generated for a task's command";
    }
    Line(2, text);
    for (const state::RunState& run : executor.runs) Run(executor, run);
  }

  void Run(const state::ExecutorState& executor, const state::RunState& run) {
    if (!go_on_) return;
    std::string text =
        absl::StrCat("run ", Word(run.id), ": ", RunStateText(executor, run));
    if (run.termination) {
      absl::StrAppend(&text, ", ", wire::ExitOf(*run.termination).ToString());
      const std::string why = WhyOf(*run.termination);
      if (!why.empty()) absl::StrAppend(&text, " (", why, ")");
      if (!run.completed) text += ", not yet destroyed";
    }
    if (executor.latest == run.id) text += ", latest";
    if (run.forked_pid) absl::StrAppend(&text, ", pid ", *run.forked_pid);
    if (run.libprocess_pid) {
      absl::StrAppend(&text, ", registered as ", Word(*run.libprocess_pid));
    } else if (run.http.has_value()) {
      absl::StrAppend(&text, ", registered over ",
                      *run.http ? "HTTP" : "libprocess");
    }
    Line(3, text);
    for (const state::TaskState& task : run.tasks) Task(task);
  }

  void Task(const state::TaskState& task) {
    if (!go_on_) return;
    std::string text = absl::StrCat("task ", Word(task.id));
    if (task.info) absl::StrAppend(&text, " ", Quoted(task.info->name()));
    absl::StrAppend(&text, ": ", LastStateText(task), ", ", task.updates.size(),
                    " updates, ", AcknowledgedOf(task), " acknowledged");
    if (task.info) absl::StrAppend(&text, UsingText(task.info->resources()));
    Line(4, text);
    for (const wire::StatusUpdate& update : task.updates) {
      if (!go_on_) return;
      Line(5, absl::StrCat(
                  UpdateStateText(update), TimeText(update.timestamp()),
                  task.acks.count(update.uuid()) > 0 ? ", acknowledged"
                                                     : ", not acknowledged",
                  update.status().message().empty()
                      ? ""
                      : absl::StrCat(": ", Quoted(update.status().message()))));
    }
  }

  void Problems(state::Problem::Kind kind, absl::string_view title) {
    bool is_first = true;
    for (const state::Problem& problem : state_.problems) {
      if (!go_on_) return;
      if (problem.kind != kind) continue;
      if (is_first) Line(0, title);
      is_first = false;
      Line(1, absl::StrCat(Word(problem.path), ": ", OneLine(problem.why)));
    }
  }

  void Truncations() {
    if (!state_.truncations.empty()) {
      Line(0, "to be cut off before anything is appended:");
    }
    for (const state::Truncation& truncation : state_.truncations) {
      if (!go_on_) return;
      Line(1, absl::StrCat(Word(truncation.path), ": what follows byte ",
                           truncation.good_bytes, " of ", truncation.size));
    }
  }

  void Counts() {
    const InspectionCounts counts = CountsOf(state_);
    Line(0,
         absl::StrCat("frameworks ", counts.frameworks, ", executors ",
                      counts.executors, ", runs ", counts.runs, " (running ",
                      counts.running, ", unacknowledged ",
                      counts.unacknowledged, ", completed ", counts.completed,
                      "), tasks ", counts.tasks, ", damaged ", counts.damages));
  }

  const Inspection& inspection_;
  const state::AgentState& state_;
  LineSink sink_;
  bool go_on_ = true;
  std::string line_;
};

}  // namespace

void InspectAsText(const Inspection& inspection, LineSink sink) {
  TextWriter(inspection, sink).Write();
}

}  // namespace external_containerizer
