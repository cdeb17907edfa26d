// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/paths.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/validate.h"

namespace external_containerizer {
namespace state {

absl::Status ValidateDirectoryId(absl::string_view kind, absl::string_view id) {
  absl::Status status = wire::ValidateId(kind, id);
  if (!status.ok()) return status;
  if (id == kLatestLink) {
    return absl::InvalidArgumentError(absl::StrCat(
        kind, " \"", id, "\" is the name of a link in the same directory"));
  }
  return absl::OkStatus();
}

absl::Status Validate(const RunId& run) {
  absl::Status status = ValidateDirectoryId("agent id", run.agent);
  if (status.ok()) status = ValidateDirectoryId("framework id", run.framework);
  if (status.ok()) status = ValidateDirectoryId("executor id", run.executor);
  if (status.ok()) status = ValidateDirectoryId("container id", run.container);
  return status;
}

std::string AgentPath(absl::string_view agent) {
  return absl::StrCat(kAgentsDirectory, "/", agent);
}

std::string FrameworkPath(absl::string_view agent,
                          absl::string_view framework) {
  return absl::StrCat(AgentPath(agent), "/", kFrameworksDirectory, "/",
                      framework);
}

std::string ExecutorPath(const RunId& run) {
  return absl::StrCat(FrameworkPath(run.agent, run.framework), "/",
                      kExecutorsDirectory, "/", run.executor);
}

std::string RunsPath(const RunId& run) {
  return absl::StrCat(ExecutorPath(run), "/", kRunsDirectory);
}

std::string RunPath(const RunId& run) {
  return absl::StrCat(RunsPath(run), "/", run.container);
}

std::string MetaPath(absl::string_view path) {
  return absl::StrCat(kMetaDirectory, "/", path);
}

absl::StatusOr<RunId> ParseRunPath(absl::string_view root,
                                   absl::string_view path) {
  const auto error = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", absl::CHexEscape(path), "\" ", why));
  };
  const auto is_absolute = [](absl::string_view p) {
    return !p.empty() && p[0] == '/';
  };
  const std::vector<absl::string_view> above =
      absl::StrSplit(root, '/', absl::SkipEmpty());
  const std::vector<absl::string_view> parts =
      absl::StrSplit(path, '/', absl::SkipEmpty());
  if (is_absolute(root) != is_absolute(path) || parts.size() < above.size() ||
      !std::equal(above.begin(), above.end(), parts.begin())) {
    return error(
        absl::StrCat("does not lie below \"", absl::CHexEscape(root), "\""));
  }
  const std::vector<absl::string_view> names(
      parts.begin() + static_cast<std::ptrdiff_t>(above.size()), parts.end());
  const absl::string_view kFixed[] = {kAgentsDirectory, kFrameworksDirectory,
                                      kExecutorsDirectory, kRunsDirectory};
  if (names.size() < 8) return error("is too short for a run's directory");
  for (size_t i = 0; i < 4; ++i) {
    if (names[2 * i] != kFixed[i]) {
      return error(
          absl::StrCat("has no \"", kFixed[i], "\" where one belongs"));
    }
  }
  RunId run{std::string(names[1]), std::string(names[3]), std::string(names[5]),
            std::string(names[7])};
  absl::Status status = Validate(run);
  if (!status.ok()) return status;
  return run;
}

}  // namespace state
}  // namespace external_containerizer
