// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/conformance/checks.h"

namespace external_containerizer {
namespace conformance {
namespace {

constexpr char kUntilReleased[] = "read line <go";

void LaunchReturns(Bench& bench) {
  Task& task = bench.Make(kUntilReleased);
  const Ended launched = bench.Run("launch", task);
  bench.Expect(!launched.hung, "`launch` ", launched.how,
               ", while its task ran; leave the task to a process that stays, "
               "and return");
  bench.Expect(launched.success, "`launch` ", launched.how);
  bench.Expect(bench.Runs(task),
               "`launch` succeeded, and the command of executor_info does not "
               "run");
}

void SandboxDirectory(Bench& bench) {
  Task& task = bench.Make("");
  task.launch.mutable_executor_info()->mutable_command()->set_value(
      "echo here >where");
  bench.LaunchUnseen(task);
  bench.Wait(task);
  bench.Expect(bench.FileOf(task, "where") == "here\n",
               "the task does not run in its sandbox: a file that it made in "
               "its working directory is not there. The sandbox is "
               "Launch.directory, and the working directory of `launch`");
}

void TaskOutput(Bench& bench) {
  Task& task = bench.Launch("echo to-stdout; echo to-stderr >&2");
  bench.Wait(task);
  for (const std::string name : {"stdout", "stderr"}) {
    bench.Expect(
        absl::StrContains(bench.FileOf(task, name), absl::StrCat("to-", name)),
        "what the task wrote to ", name, " is not in the file \"", name,
        "\" in its sandbox");
  }
}

void Environment(Bench& bench) {
  const std::pair<const char*, std::string> kVariables[] = {
      {"ODD", "two  words '\"$x\\ and\na line"},
      {"EMPTY", ""},
      {"PATH", "/asked/for:/usr/bin:/bin"},
      {"MESOS_EXECUTOR_ID", "of the command"},
  };
  Task& task = bench.Make(
      R"(for name in ODD EMPTY PATH MESOS_EXECUTOR_ID; do
           eval "printf '%s\\n' \"\${$name-unset}\"" >"$name.out"
         done)");
  for (const auto& [name, value] : kVariables) {
    auto* variable = task.launch.mutable_executor_info()
                         ->mutable_command()
                         ->mutable_environment()
                         ->add_variables();
    variable->set_name(name);
    variable->set_value(value);
  }
  bench.Launch(task);
  bench.Wait(task);
  for (const auto& [name, value] : kVariables) {
    const std::string seen = bench.FileOf(task, absl::StrCat(name, ".out"));
    bench.Expect(seen == value + "\n", "CommandInfo.environment sets ", name,
                 " to \"", value, "\", and the task sees \"", seen, "\"");
  }
}

void AgentEnvironment(Bench& bench) {
  const std::pair<const char*, std::string> kVariables[] = {
      {"LIBPROCESS_PORT", "0"},
      {"MESOS_FRAMEWORK_ID", "conformance-framework"},
      {"MESOS_EXECUTOR_ID", "conformance-executor"},
      {"MESOS_SLAVE_ID", "conformance-agent"},
      {"MESOS_CHECKPOINT", "1"},
      {"MESOS_RECOVERY_TIMEOUT", "15mins"},
  };
  std::string script;
  for (const auto& variable : kVariables) {
    absl::StrAppend(&script, "echo \"${", variable.first, "-unset}\" >",
                    variable.first, ".out; ");
  }
  Task& task = bench.Launch(script);
  bench.Wait(task);
  for (const auto& [name, value] : kVariables) {
    const std::string seen = bench.FileOf(task, absl::StrCat(name, ".out"));
    bench.Expect(seen == value + "\n", "`launch` has ", name, "=", value,
                 " in its environment, and the task sees \"", seen,
                 "\"; an executor finds its agent by these variables");
  }
}

void Arguments(Bench& bench) {
  Task& task = bench.Make("");
  wire::CommandInfo& command =
      *task.launch.mutable_executor_info()->mutable_command();
  command.set_shell(false);
  command.set_value("/bin/sh");
  for (const char* argument :
       {"sh", "-c", "printf '<%s>' \"$@\" >arguments", "sh", "two  words", "",
        "$HOME '\"*", "a line\n"}) {
    command.add_arguments(argument);
  }
  bench.LaunchUnseen(task);
  bench.Wait(task);
  bench.Expect(
      bench.FileOf(task, "arguments") == "<two  words><><$HOME '\"*><a line\n>",
      "with CommandInfo.shell = false, `value` is the file to execute, and "
      "`arguments` are its argv, argv[0] included, as they are; the task got "
      "\"",
      bench.FileOf(task, "arguments"), "\"");
}

void MissingCommand(Bench& bench) {
  Task& task = bench.Make("");
  wire::CommandInfo& command =
      *task.launch.mutable_executor_info()->mutable_command();
  command.set_shell(false);
  command.set_value("/no/such/command");
  command.add_arguments("command");
  bench.Launch("exit 3");  // A command that exists runs.
  if (!bench.Run("launch", task).success) return;
  bench.Expect(!bench.EndsWith(task, 0),
               "a command that does not exist is reported as a success; let "
               "`launch` fail, or `wait` tell the status 127 << 8");
}

void LargeLaunch(Bench& bench) {
  bench.Launch("exit 3");  // A small one works.
  Task& task = bench.Make("exit 3");
  task.launch.mutable_executor_info()->set_data(std::string(1 << 20, '\xff'));
  const Ended launched = bench.Run("launch", task);
  bench.Expect(launched.success, "a `launch` with a message of 1 MiB ",
               launched.how,
               "; read until the announced length is there: one read() of a "
               "pipe gives 64 KiB at most");
}

void IdTaken(Bench& bench) {
  Task& first = bench.Launch("read line <go; exit 3");
  Task& second = bench.Make("exit 4");
  second.id = first.id;
  second.launch.mutable_container_id()->set_value(first.id);
  bench.Expect(!bench.Run("launch", second).success,
               "a second `launch` of an id succeeds while its container runs");
  bench.Expect(!bench.Gone(first),
               "a second `launch` of an id ended the first container");
  bench.Release(first);
  bench.Expect(bench.EndsWith(first, 3),
               "after a second `launch` of its id the first container's status "
               "is another one");
}

void IdAgain(Bench& bench) {
  Task& first = bench.Launch("exit 3");
  bench.Wait(first);
  bench.Destroy(first);
  Task& second = bench.Make("exit 4");
  second.id = first.id;
  second.launch.mutable_container_id()->set_value(first.id);
  const Ended launched = bench.Run("launch", second);
  bench.Expect(launched.success, "a `launch` of an id that was destroyed ",
               launched.how);
  bench.Expect(bench.EndsWith(second, 4),
               "a container with the id of one that was destroyed does not end "
               "with its own status");
}

void OddIds(Bench& bench) {
  bench.Launch("exit 3");  // A usual one works.
  for (const std::string& id :
       {std::string("two words"), std::string("..."), std::string("$(x)*;"),
        std::string("\xc3\xa4"), std::string(200, 'x')}) {
    Task& task = bench.Make(kUntilReleased);
    task.id = id;
    task.launch.mutable_container_id()->set_value(id);
    const Ended launched = bench.Run("launch", task);
    bench.Expect(launched.success, "a `launch` of the id \"", id, "\" ",
                 launched.how, "; an id is text, without \"/\"");
    bench.Expect(bench.Runs(task), "a task with the id \"", id,
                 "\" does not run");
    const Ended destroyed = bench.Run("destroy", task);
    bench.Expect(destroyed.success && bench.Gone(task),
                 "the `destroy` of a container with the id \"", id, "\" ",
                 destroyed.how, ", and the task is ",
                 bench.Gone(task) ? "gone" : "still there");
  }
}

void UnknownCommand(Bench& bench) {
  const Ended ended = bench.Run("no-such-command");
  bench.Expect(!ended.hung && !ended.success, "a command that does not exist ",
               ended.how,
               "; fail, so that what a later agent asks for is not taken as "
               "done");
}

}  // namespace

std::vector<Check> LaunchChecks() {
  using Needs = Check::Needs;
  return {
      {"launch-returns", Level::kMust, "R1, D4",
       "`launch` returns when the task runs, and not with its end.",
       LaunchReturns},
      {"large-launch", Level::kMust, "R2, D3", "A message of 1 MiB is read.",
       LargeLaunch},
      {"sandbox-directory", Level::kMust, "R3",
       "The task's working directory is the sandbox.", SandboxDirectory},
      {"task-output", Level::kShould, "R3",
       "stdout and stderr of the task are the files of that name in the "
       "sandbox.",
       TaskOutput},
      {"environment", Level::kMust, "R4",
       "The task sees the variables of its CommandInfo, PATH included.",
       Environment},
      {"agent-environment", Level::kMust, "R4, D20",
       "The task sees the variables that the agent gives to `launch`.",
       AgentEnvironment},
      {"arguments", Level::kMust, "R4",
       "Without a shell the arguments arrive as they are.", Arguments,
       Needs::kArguments},
      {"missing-command", Level::kMust, "R5",
       "A command that does not exist is not a success.", MissingCommand,
       Needs::kArguments},
      {"id-taken", Level::kShould, "R6",
       "A second `launch` of a container fails, and does not touch the first.",
       IdTaken},
      {"id-again", Level::kShould, "R6", "After `destroy` an id is new again.",
       IdAgain},
      {"odd-ids", Level::kShould, "R6",
       "Ids may have spaces, dots and dollar signs in them.", OddIds},
      {"unknown-command", Level::kShould, "R7",
       "A command that does not exist fails.", UnknownCommand},
  };
}

}  // namespace conformance
}  // namespace external_containerizer
