// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/doctor_command.h"

#include <sys/statvfs.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/json.h"
#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/run_directory.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/task_flags.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/containerizer/posix/machine_check.h"
#include "external_containerizer/containerizer/program/flags.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/selected.h"
#include "re2/re2.h"

namespace external_containerizer {
namespace {

using posix::Finding;
using Level = Finding::Level;

constexpr uint64_t kLittleSpace = 64 << 20;

// Runs `recover` and `containers` in a work directory of their own.
absl::Status AskProgram(const ProgramSetup& program,
                        const RunDirectory& directory) {
  absl::StatusOr<std::unique_ptr<Containerizer>> containerizer =
      Containerizer::Create(
          ContainerizerOptionsFor(program, directory.path()),
          SelectedTransport(TransportOptionsFor(program, directory.path())));
  if (!containerizer.ok()) return containerizer.status();
  BlockingContainerizer blocking(**containerizer);
  const absl::StatusOr<RecoverySummary> recovered = blocking.Recover({});
  if (!recovered.ok()) return recovered.status();
  return blocking.Containers().status();
}

// Checks the work directory, and the program if there is one.
void CheckAgent(const Call& call, const absl::StatusOr<ProgramSetup>& program,
                std::vector<Finding>& findings) {
  if (!program.ok()) {
    findings.push_back({Level::kFail, "program",
                        std::string(program.status().message()),
                        "name one with --containerizer_path"});
  }
  const absl::StatusOr<std::string> work_dir = WorkDirectoryOf(call);
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
    const absl::Duration start = MonotonicNow();
    const absl::Status asked = AskProgram(*program, *directory);
    if (asked.ok()) {
      findings.push_back(
          {Level::kOk, "program",
           absl::StrCat(
               program->command_line, " answers recover and containers in ",
               absl::ToInt64Milliseconds(MonotonicNow() - start), " ms"),
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

// Checks what the program can enforce.
void CheckEnforcement(const Flags& flags, const ProgramSetup& program,
                      std::vector<Finding>& findings) {
  static const RE2& kPosix =
      *new RE2("\\s*(?:'[^']*/|[^\\s']*/)?posix'?(?:\\s(?s:.*))?", RE2::Latin1);
  if (!RE2::FullMatch(program.command_line, kPosix)) {
    findings.push_back(
        {Level::kWarn, "enforcement",
         absl::StrCat("only ", program.command_line,
                      " itself knows what it enforces of mem, cpus and --user"),
         "read what it says of itself; agent run says of each limit whether it "
         "is known to be enforced"});
    return;
  }
  // The option is not quoted, so blanks separate it from the others.
  std::string parent = flags.Value("cgroup_parent", "");
  for (absl::string_view word : absl::StrSplit(program.command_line, ' ')) {
    if (absl::ConsumePrefix(&word, "--cgroup_parent=")) {
      parent = std::string(word);
    }
  }
  const std::vector<Finding> machine = posix::CheckMachine(parent);
  findings.insert(findings.end(), machine.begin(), machine.end());
}

absl::StatusOr<int> Doctor(const Call& call) {
  std::vector<Finding> findings;
  const absl::StatusOr<ProgramSetup> program = ProgramOf(call);
  if (absl::IsInvalidArgument(program.status())) return program.status();
  CheckAgent(call, program, findings);
  if (program.ok()) CheckEnforcement(call.flags, *program, findings);
  const bool json = call.flags.On("json");
  int status = 0;
  for (const Finding& finding : findings) {
    if (finding.level == Level::kFail) status = 1;
    const std::string line = json ? JsonObject()
                                        .Text("type", "check")
                                        .Text("subject", finding.subject)
                                        .Text("level", LevelName(finding.level))
                                        .Text("text", finding.text)
                                        .Text("advice", finding.advice)
                                        .ToString()
                                  : OneLine(FindingLine(finding));
    Print(absl::StrCat(line, "\n"));
  }
  if (json) {
    Print(absl::StrCat(
        JsonObject().Text("type", "end").Integer("status", status).ToString(),
        "\n"));
  }
  return status;
}

}  // namespace

Subcommand DoctorSubcommand() {
  Subcommand doctor = {
      "doctor", "Says whether run would work here, and what is enforced."};
  doctor.description =
      "Says, one line each, whether agent run would work here: ok, warn (it "
      "runs without\nthat) or fail, why, and what to do. Of posix, the program "
      "that comes with the\nagent, it says what can be enforced; another "
      "program is asked whether it answers,\nand what that enforces it has to "
      "say itself.\n";
  doctor.flags = JoinFlags({
      ProgramFlags(),
      {{"work_dir", "DIR", "As of agent run."},
       {"cgroup_parent", "/PATH",
        "The cgroup below which posix would make those of containers, if its "
        "own option of this name does not say so."},
       {"json", "",
        "Prints one JSON object per line: \"type\" is check, with \"level\" "
        "ok, warn or fail, or end, with the exit status."}},
  });
  doctor.notes =
      "Exit status: 0 if agent run would work; 1 if not; 125 for wrong "
      "flags.\n";
  doctor.run = Doctor;
  return doctor;
}

}  // namespace external_containerizer
