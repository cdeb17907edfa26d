// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/doctor_command.h"

#include <sys/statvfs.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/flags.h"
#include "external_containerizer/containerizer/agent/json.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/run.h"
#include "external_containerizer/containerizer/agent/run_directory.h"
#include "external_containerizer/containerizer/agent/task_flags.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/containerizer/posix/machine_check.h"
#include "external_containerizer/transport/selected.h"

namespace external_containerizer {
namespace {

using posix_internal::Finding;
using Level = Finding::Level;

constexpr uint64_t kLittleSpace = 64 << 20;

const std::vector<Flag>& DoctorFlags() {
  static const auto& flags = *new std::vector<Flag>{
      ContainerizerPathFlag(),
      {"work_dir", "DIR", "As of agent run."},
      {"cgroup_parent", "/PATH",
       "As of posix: the cgroup below which those of containers would be."},
      {"json", "",
       "Prints one JSON object per line: \"type\" is check, with \"level\" ok, "
       "warn or fail, or end, with the exit status."},
      HelpFlag(),
  };
  return flags;
}

std::string DoctorHelp() {
  return absl::StrCat(
      "Says, one line each, whether agent run would work here, and what posix, "
      "the\nprogram that comes with the agent, can enforce: ok, warn (it runs "
      "without that) or\nfail, why, and what to do.\n\n"
      "Usage: agent doctor [FLAGS]\n\n",
      HelpOn(DoctorFlags()),
      "\nExit status: 0 if agent run would work; 1 if not; 125 for wrong "
      "flags.\n");
}

// Asks the program two questions, in a work directory of its own.
absl::Status AskProgram(const std::string& program, const std::string& libexec,
                        const RunDirectory& directory) {
  Options options;
  options.environment.work_directory = directory.path();
  options.environment.libexec_directory = libexec;
  TransportOptions transport;
  transport.program = program;
  transport.work_directory = directory.path();
  absl::StatusOr<std::unique_ptr<Containerizer>> containerizer =
      Containerizer::Create(std::move(options),
                            SelectedTransport(std::move(transport)));
  if (!containerizer.ok()) return containerizer.status();
  BlockingContainerizer blocking(**containerizer);
  const absl::StatusOr<RecoverySummary> recovered = blocking.Recover({});
  if (!recovered.ok()) return recovered.status();
  return blocking.Containers().status();
}

void CheckAgent(const Surroundings& surroundings, const Flags& flags,
                std::vector<Finding>& findings) {
  const absl::StatusOr<std::string> program = ProgramOf(surroundings, flags);
  if (!program.ok()) {
    findings.push_back({Level::kFail, "program",
                        std::string(program.status().message()),
                        "name one with --containerizer_path"});
  }
  const absl::StatusOr<std::string> work_dir =
      WorkDirectoryOf(surroundings, flags);
  absl::StatusOr<RunDirectory> directory =
      work_dir.ok() ? RunDirectory::Create(*work_dir)
                    : absl::StatusOr<RunDirectory>(work_dir.status());
  if (!directory.ok()) {
    findings.push_back({Level::kFail, "work directory",
                        std::string(directory.status().message()),
                        "name another with --work_dir"});
    return;
  }
  struct statvfs space = {};
  Finding usable = {Level::kOk, "work directory",
                    absl::StrCat(*work_dir, " can be used"), ""};
  if (statvfs(directory->path().c_str(), &space) == 0 &&
      uint64_t{space.f_bavail} * space.f_frsize < kLittleSpace) {
    usable.level = Level::kWarn;
    absl::StrAppend(&usable.text, ", but has little space left: ",
                    BytesText(uint64_t{space.f_bavail} * space.f_frsize));
  }
  findings.push_back(usable);
  if (program.ok()) {
    const absl::Time start = absl::Now();
    const absl::Status asked =
        AskProgram(*program, LibexecDirectoryOf(surroundings), *directory);
    if (asked.ok()) {
      findings.push_back(
          {Level::kOk, "program",
           absl::StrCat(*program, " answers recover and containers in ",
                        absl::ToInt64Milliseconds(absl::Now() - start), " ms"),
           ""});
    } else {
      findings.push_back(
          {Level::kFail, "program", std::string(asked.message()),
           "--containerizer_path names a program that understands them"});
    }
  }
  const absl::Status removed = (*std::move(directory)).Remove();
  if (!removed.ok()) {
    findings.push_back(
        {Level::kWarn, "work directory", std::string(removed.message()), ""});
  }
}

int DoctorMain(const Surroundings& surroundings,
               const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = Flags::Parse(DoctorFlags(), arguments);
  if (!flags.ok()) {
    return UsageError("doctor", std::string(flags.status().message()));
  }
  if (flags->On("help")) {
    return fputs(DoctorHelp().c_str(), stdout) < 0 || fflush(stdout) != 0
               ? kAgentFailed
               : 0;
  }
  if (!flags->rest().empty()) {
    return UsageError("doctor", "it takes no arguments");
  }
  std::vector<Finding> findings;
  CheckAgent(surroundings, *flags, findings);
  const std::vector<Finding> machine =
      posix_internal::CheckMachine(flags->Value("cgroup_parent", ""));
  findings.insert(findings.end(), machine.begin(), machine.end());
  int status = 0;
  for (const Finding& finding : findings) {
    if (finding.level == Level::kFail) status = 1;
    const std::string line = flags->On("json")
                                 ? JsonObject()
                                       .Text("type", "check")
                                       .Text("subject", finding.subject)
                                       .Text("level", LevelName(finding.level))
                                       .Text("text", finding.text)
                                       .Text("advice", finding.advice)
                                       .ToString()
                                 : OneLine(FindingLine(finding));
    printf("%s\n", line.c_str());
  }
  if (flags->On("json")) {
    printf("%s\n", JsonObject()
                       .Text("type", "end")
                       .Integer("status", status)
                       .ToString()
                       .c_str());
  }
  return fflush(stdout) != 0 ? kAgentFailed : status;
}

}  // namespace

Subcommand DoctorSubcommand() {
  return {"doctor", "Says whether run would work here, and what is enforced.",
          DoctorMain};
}

}  // namespace external_containerizer
