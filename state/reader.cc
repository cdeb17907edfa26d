// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/reader.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/directory.h"
#include "external_containerizer/state/parse.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/state/record_sequence.h"
#include "external_containerizer/state/resource_state.pb.h"
#include "external_containerizer/state/text_files.h"
#include "external_containerizer/state/tree_reader.h"
#include "external_containerizer/state/update_log.h"

namespace external_containerizer {
namespace state {
namespace {

using Names = TreeReader::Names;
using Entries = TreeReader::Entries;

const Directory::Entry* Find(const Entries& entries, absl::string_view name) {
  const auto found = std::lower_bound(
      entries.begin(), entries.end(), name,
      [](const Directory::Entry& entry, absl::string_view wanted) {
        return entry.name < wanted;
      });
  const bool is_there = found != entries.end() && found->name == name;
  return is_there ? &*found : nullptr;
}

// Each function returns an error only if reading has to stop.
class Reader {
 public:
  Reader(const ReadOptions& options, AgentState& state)
      : options_(options), state_(state), tree_(options, state) {}

  absl::Status ReadMeta(const Place& meta);

 private:
  absl::Status ReadBootId(const Place& meta);
  absl::Status ReadResources(const Place& meta, ResourcesState& resources);
  // False if `file` is missing.
  absl::StatusOr<bool> ReadResourceFile(const Place& meta,
                                        absl::string_view file,
                                        std::vector<wire::Resource>& resources);
  absl::Status ReadSlave(const Place& meta);
  absl::Status ReadFramework(const Place& frameworks,
                             FrameworkState& framework);
  absl::Status ReadExecutor(const Place& executors, ExecutorState& executor);
  absl::Status ReadRun(const Place& runs, RunState& run);
  absl::Status ReadPids(const Place& run_place, RunState& run);
  absl::Status ReadTask(const Place& tasks, TaskState& task);

  // The children of `place`/`name`, each read by `read`.
  template <typename Child>
  absl::Status ReadChildren(const Place& place, const std::string& name,
                            std::vector<Child>& children,
                            absl::Status (Reader::*read)(const Place&, Child&));

  // `name` in `place` says that it has the id `inside`.
  void NoticeOtherId(const Place& place, absl::string_view name,
                     absl::string_view inside, absl::string_view directory);

  const ReadOptions& options_;
  AgentState& state_;
  TreeReader tree_;
};

absl::Status Reader::ReadMeta(const Place& meta) {
  absl::Status status = ReadResources(meta, state_.resources.emplace());
  if (status.ok()) status = ReadBootId(meta);
  if (status.ok()) status = ReadSlave(meta);
  return status;
}

absl::Status Reader::ReadBootId(const Place& meta) {
  std::string buffer;
  const auto text = meta.directory.Read(kBootIdFile, kMaxTextBytes, buffer);
  const std::string path = JoinPath(meta.path, kBootIdFile);
  if (text.status().code() == absl::StatusCode::kResourceExhausted) {
    return tree_.Damage(path, text.status());
  }
  if (!text.ok()) {
    // As in Mesos, not even strictly an error: nothing is lost with it.
    tree_.Notice(path, text.status().message());
    return absl::OkStatus();
  }
  if (!*text) return absl::OkStatus();
  const std::string then = ParseBootId(**text);
  if (then.empty()) {
    tree_.Notice(path, "is empty");
    return absl::OkStatus();
  }
  if (options_.boot_id) {
    state_.rebooted = then != ParseBootId(*options_.boot_id);
    return absl::OkStatus();
  }
  const absl::StatusOr<std::string> now = CurrentBootId();
  if (!now.ok()) return now.status();
  state_.rebooted = then != *now;
  return absl::OkStatus();
}

// The newer pair of files counts if it exists.
absl::Status Reader::ReadResources(const Place& meta,
                                   ResourcesState& resources) {
  for (const auto& [name, target] :
       {std::pair(kResourceStateFile, kResourceStateTargetFile),
        std::pair(kResourcesInfoFile, kResourcesTargetFile)}) {
    absl::StatusOr<bool> found =
        ReadResourceFile(meta, name, resources.committed);
    if (!found.ok()) return found.status();
    if (!*found) continue;
    found = ReadResourceFile(meta, target, resources.target.emplace());
    if (found.ok() && !*found) resources.target.reset();
    return found.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Reader::ReadResourceFile(
    const Place& meta, absl::string_view file,
    std::vector<wire::Resource>& resources) {
  const std::string name = JoinPath(kResourcesDirectory, file);
  if (file == kResourceStateFile || file == kResourceStateTargetFile) {
    ResourceState state;
    const absl::StatusOr<bool> found = tree_.ReadMessage(meta, name, state);
    if (found.ok() && *found) {
      resources.assign(
          std::make_move_iterator(state.mutable_resources()->begin()),
          std::make_move_iterator(state.mutable_resources()->end()));
    }
    return found;
  }
  const auto bytes = tree_.ReadFile(meta, name, options_.max_file_bytes);
  if (!bytes.ok()) return bytes.status();
  if (!*bytes) return false;
  const SequenceEnd end = ReadSequence(
      **bytes, options_.max_file_bytes, [&](absl::string_view payload) {
        wire::Resource resource;
        if (!Parse(payload, resource) || !wire::CheckComplete(resource).ok()) {
          return absl::DataLossError("no resource");
        }
        resources.push_back(std::move(resource));
        return absl::OkStatus();
      });
  absl::Status status =
      tree_.EndOf(JoinPath(meta.path, name), (*bytes)->size(), end);
  if (!status.ok()) return status;
  return true;
}

absl::Status Reader::ReadSlave(const Place& meta) {
  absl::StatusOr<std::optional<Place>> slaves =
      tree_.Open(meta, kAgentsDirectory);
  if (!slaves.ok() || !*slaves) return slaves.status();
  const auto latest = tree_.ReadLatest(**slaves);
  if (!latest.ok() || !*latest) return latest.status();
  const std::string& id = **latest;
  absl::StatusOr<std::optional<Place>> place = tree_.Open(**slaves, id);
  if (!place.ok()) return place.status();
  if (!*place) {
    return tree_.Damage(
        JoinPath((*slaves)->path, kLatestLink),
        absl::DataLossError(absl::StrCat("points to \"", absl::CHexEscape(id),
                                         "\", which is not there; remove the "
                                         "link to begin with a new agent")));
  }
  SlaveState& slave = state_.slave.emplace();
  slave.id = id;
  absl::Status status = tree_.ReadInfo(**place, kAgentInfoFile, slave.info);
  if (!status.ok()) return status;
  if (slave.info && slave.info->has_id()) {
    NoticeOtherId(**place, kAgentInfoFile, slave.info->id().value(), id);
  }
  return ReadChildren(**place, kFrameworksDirectory, slave.frameworks,
                      &Reader::ReadFramework);
}

absl::Status Reader::ReadFramework(const Place& frameworks,
                                   FrameworkState& framework) {
  const std::string info = JoinPath(framework.id, kFrameworkInfoFile);
  absl::Status status = tree_.ReadInfo(frameworks, info, framework.info);
  if (!status.ok()) return status;
  if (framework.info && framework.info->has_id()) {
    NoticeOtherId(frameworks, info, framework.info->id().value(), framework.id);
  }
  const std::string pid = JoinPath(framework.id, kFrameworkPidFile);
  const auto text = tree_.ReadText(frameworks, pid);
  if (!text.ok()) return text.status();
  if (*text) {
    const absl::StatusOr<std::string> upid = ParseUpid(**text);
    if (upid.ok()) {
      framework.pid = *upid;
    } else {
      tree_.Notice(JoinPath(frameworks.path, pid), upid.status().message());
    }
  } else if (framework.info) {
    tree_.Notice(JoinPath(frameworks.path, pid), "is missing or empty");
  }
  return ReadChildren(frameworks, JoinPath(framework.id, kExecutorsDirectory),
                      framework.executors, &Reader::ReadExecutor);
}

absl::Status Reader::ReadExecutor(const Place& executors,
                                  ExecutorState& executor) {
  const std::string info = JoinPath(executor.id, kExecutorInfoFile);
  absl::Status status = tree_.ReadInfo(executors, info, executor.info);
  if (!status.ok()) return status;
  if (executor.info) {
    NoticeOtherId(executors, info, executor.info->executor_id().value(),
                  executor.id);
  }
  const std::string flag = JoinPath(executor.id, kGeneratedExecutorFile);
  const auto text = tree_.ReadText(executors, flag);
  if (!text.ok()) return text.status();
  if (*text) {
    const absl::StatusOr<bool> generated = ParseFlag(**text);
    if (generated.ok()) {
      executor.generated_for_command_task = *generated;
    } else {
      status = tree_.Damage(JoinPath(executors.path, flag), generated.status());
      if (!status.ok()) return status;
    }
  }

  absl::StatusOr<std::optional<Place>> runs =
      tree_.Open(executors, JoinPath(executor.id, kRunsDirectory));
  if (!runs.ok() || !*runs) return runs.status();
  absl::StatusOr<Names> names = tree_.ListDirectories(**runs);
  if (!names.ok()) return names.status();
  auto latest = tree_.ReadLatest(**runs);
  if (!latest.ok()) return latest.status();
  if (*latest) {
    if (std::binary_search(names->begin(), names->end(), **latest)) {
      executor.latest = std::move(**latest);
    } else {
      tree_.Notice(JoinPath((*runs)->path, kLatestLink),
                   absl::StrCat("points to \"", absl::CHexEscape(**latest),
                                "\", which is not there"));
    }
  } else if (!names->empty()) {
    tree_.Notice(JoinPath((*runs)->path, kLatestLink),
                 "does not say which run is the latest");
  }
  executor.runs.resize(names->size());
  for (size_t i = 0; i < names->size(); ++i) {
    executor.runs[i].id = std::move((*names)[i]);
    status = ReadRun(**runs, executor.runs[i]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadRun(const Place& runs, RunState& run) {
  absl::StatusOr<std::optional<Place>> place = tree_.Open(runs, run.id);
  if (!place.ok() || !*place) return place.status();
  const absl::Status fitness = wire::ValidateId("container id", run.id);
  if (!fitness.ok()) {
    tree_.Notice((*place)->path, absl::StrCat("can be given to no program: ",
                                              fitness.message()));
  }
  const absl::StatusOr<Entries> entries = tree_.List(**place);
  if (!entries.ok()) return entries.status();
  run.completed = Find(*entries, kSentinelFile) != nullptr;
  run.unwanted = Find(*entries, kUnwantedFile) != nullptr;
  absl::Status status;
  if (Find(*entries, kTerminationFile) != nullptr) {
    status = tree_.ReadInfo(**place, kTerminationFile, run.termination);
  }
  if (status.ok() && Find(*entries, kTasksDirectory) != nullptr) {
    status =
        ReadChildren(**place, kTasksDirectory, run.tasks, &Reader::ReadTask);
  }
  if (status.ok() && Find(*entries, kPidsDirectory) != nullptr) {
    status = ReadPids(**place, run);
  }
  // A driver's registration counts more, as in Mesos.
  if (!run.http && Find(*entries, kHttpMarkerFile) != nullptr) run.http = true;
  return status;
}

absl::Status Reader::ReadPids(const Place& place, RunState& run) {
  const std::string forked = JoinPath(kPidsDirectory, kForkedPidFile);
  if (!state_.rebooted) {
    const auto text = tree_.ReadText(place, forked);
    if (!text.ok()) return text.status();
    if (*text) {
      const absl::StatusOr<pid_t> pid = ParseForkedPid(**text);
      if (pid.ok()) {
        run.forked_pid = *pid;
      } else {
        absl::Status status =
            tree_.Damage(JoinPath(place.path, forked), pid.status());
        if (!status.ok()) return status;
      }
    }
  }
  const std::string libprocess = JoinPath(kPidsDirectory, kLibprocessPidFile);
  const auto text = tree_.ReadText(place, libprocess);
  if (!text.ok() || !*text) return text.status();
  run.http = false;
  const absl::StatusOr<std::string> upid = ParseUpid(**text);
  if (upid.ok()) {
    run.libprocess_pid = *upid;
  } else {
    tree_.Notice(JoinPath(place.path, libprocess), upid.status().message());
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadTask(const Place& tasks, TaskState& task) {
  absl::Status status =
      tree_.ReadInfo(tasks, JoinPath(task.id, kTaskInfoFile), task.info);
  if (!status.ok()) return status;
  const std::string name = JoinPath(task.id, kTaskUpdatesFile);
  const auto bytes = tree_.ReadFile(tasks, name, options_.max_file_bytes);
  if (!bytes.ok() || !*bytes) return bytes.status();
  UpdateLog log = ReadUpdateLog(**bytes, options_.max_file_bytes);
  task.updates = std::move(log.updates);
  task.acks = std::move(log.acks);
  if (log.end.good_bytes == (*bytes)->size()) return absl::OkStatus();
  return tree_.EndOf(JoinPath(tasks.path, name), (*bytes)->size(), log.end);
}

template <typename Child>
absl::Status Reader::ReadChildren(const Place& place, const std::string& name,
                                  std::vector<Child>& children,
                                  absl::Status (Reader::*read)(const Place&,
                                                               Child&)) {
  absl::StatusOr<std::optional<Place>> parent = tree_.Open(place, name);
  if (!parent.ok() || !*parent) return parent.status();
  absl::StatusOr<Names> names = tree_.ListDirectories(**parent);
  if (!names.ok()) return names.status();
  children.resize(names->size());
  for (size_t i = 0; i < names->size(); ++i) {
    children[i].id = std::move((*names)[i]);
    absl::Status status = (this->*read)(**parent, children[i]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

void Reader::NoticeOtherId(const Place& place, absl::string_view name,
                           absl::string_view inside,
                           absl::string_view directory) {
  if (inside == directory) return;
  tree_.Notice(JoinPath(place.path, name),
               absl::StrCat("has the id \"", absl::CHexEscape(inside),
                            "\", which is not its directory's name"));
}

}  // namespace

absl::StatusOr<AgentState> ReadAgentState(const std::string& work_dir,
                                          const ReadOptions& options) {
  const auto annotate = [&](const std::string& path, const absl::Status& why) {
    return absl::Status(
        why.code(), absl::StrCat(absl::CHexEscape(path), ": ", why.message()));
  };
  absl::StatusOr<Directory> root = Directory::OpenRoot(work_dir);
  if (!root.ok()) return annotate(work_dir, root.status());
  AgentState state;
  state.work_dir = work_dir;
  absl::StatusOr<std::optional<Directory>> meta = root->Open(kMetaDirectory);
  if (!meta.ok()) {
    return annotate(JoinPath(work_dir, kMetaDirectory), meta.status());
  }
  if (!*meta) return state;
  absl::Status status =
      Reader(options, state).ReadMeta({std::move(**meta), kMetaDirectory});
  if (!status.ok()) return status;
  return state;
}

}  // namespace state
}  // namespace external_containerizer
