// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Drives the programs as the oldest agent did, with one process for each
// command, plain pipes, and one record each way.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/packages.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string Record(const std::string& payload) {
  const uint32_t size = static_cast<uint32_t>(payload.size());
  std::string record(sizeof(size), '\0');
  memcpy(&record[0], &size, sizeof(size));
  return record + payload;
}

std::string Record(const google::protobuf::Message& message) {
  return Record(message.SerializeAsString());
}

// The message in a record, which must be complete and end the bytes.
template <typename T>
T Parse(const std::string& record) {
  T message;
  uint32_t size = 0;
  if (record.size() < sizeof(size)) {
    ADD_FAILURE() << "no record: " << record.size() << " bytes";
    return message;
  }
  memcpy(&size, record.data(), sizeof(size));
  EXPECT_EQ(record.size(), sizeof(size) + size);
  EXPECT_TRUE(message.ParseFromString(record.substr(sizeof(size))));
  return message;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Reads to the end, which comes when the last process has closed the other
// side.
std::string ReadAll(int fd) {
  std::string all;
  char buffer[4096];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
    all.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  return all;
}

void WriteAll(int fd, const std::string& data) {
  size_t written = 0;
  while (written < data.size()) {
    const ssize_t n = write(fd, data.data() + written, data.size() - written);
    if (n < 0) break;
    written += static_cast<size_t>(n);
  }
  close(fd);
}

struct Result {
  int status = -1;  // As waitpid gives it.
  std::string output;
  std::string errors;
};

// A command that runs.
class Command {
 public:
  Command(const std::string& program, const std::string& name,
          const std::string& work_directory, const std::string& sandbox,
          std::string input) {
    int in[2], out[2], err[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
    const std::string path = absl::StrCat("PATH=", getenv("PATH"));
    const std::string work =
        absl::StrCat("MESOS_WORK_DIRECTORY=", work_directory);
    const std::string directory = absl::StrCat("MESOS_DIRECTORY=", sandbox);
    const char* const environment[] = {path.c_str(), work.c_str(),
                                       directory.c_str(), nullptr};
    const char* const argv[] = {program.c_str(), name.c_str(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                          const_cast<char* const*>(argv),
                          const_cast<char* const*>(environment)),
              0)
        << program;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    writer_ = std::thread(WriteAll, in[1], std::move(input));
    output_ =
        std::thread([this, fd = out[0]] { result_.output = ReadAll(fd); });
    errors_ =
        std::thread([this, fd = err[0]] { result_.errors = ReadAll(fd); });
  }

  ~Command() {
    if (pid_ > 0) End();
  }

  // This waits for every process that has got the pipes, even if the command
  // has ended.
  Result End() {
    writer_.join();
    output_.join();
    errors_.join();
    EXPECT_EQ(waitpid(pid_, &result_.status, 0), pid_);
    pid_ = -1;
    return result_;
  }

 private:
  pid_t pid_ = -1;
  Result result_;
  std::thread writer_, output_, errors_;
};

class ProgramsTest : public ::testing::TestWithParam<std::string> {
 protected:
  ProgramsTest() {
    signal(SIGPIPE, SIG_IGN);  // Some commands do not read all of their input.
    std::string pattern = absl::StrCat(::testing::TempDir(), "programs.XXXXXX");
    directory_ = mkdtemp(&pattern[0]);
    sandbox_ = absl::StrCat(directory_, "/a sandbox");
    EXPECT_EQ(mkdir(sandbox_.c_str(), 0755), 0);
  }

  void SetUp() override {
    if (GetParam() != "python_program") return;
    const std::string why = MissingForPythonProgram();
    if (!why.empty()) GTEST_SKIP() << why;
  }

  ~ProgramsTest() override {
    if (IsSkipped()) return;
    for (const std::string& id : Containers()) {
      EXPECT_EQ(RunOn<wire::Destroy>("destroy", id).status, 0);
    }
    EXPECT_EQ(Containers().size(), 0);
  }

  Command Start(const std::string& name, const std::string& input) {
    return Command(TestDataPath(absl::StrCat("testing/programs/", GetParam())),
                   name, directory_, sandbox_, input);
  }

  Result Run(const std::string& name, const std::string& input) {
    return Start(name, input).End();
  }

  template <typename Request>
  Request On(const std::string& id) {
    Request request;
    request.mutable_container_id()->set_value(id);
    return request;
  }

  template <typename Request>
  Result RunOn(const std::string& name, const std::string& id) {
    return Run(name, Record(On<Request>(id)));
  }

  wire::Launch LaunchOf(const std::string& id, const std::string& command) {
    wire::Launch launch = On<wire::Launch>(id);
    launch.mutable_executor_info()->mutable_executor_id()->set_value("e");
    launch.mutable_executor_info()->mutable_command()->set_value(command);
    launch.set_directory(sandbox_);
    launch.mutable_slave_id()->set_value("s");
    launch.set_slave_pid("slave(1)@127.0.0.1:5051");
    launch.set_checkpoint(true);
    return launch;
  }

  void Launch(const wire::Launch& launch) {
    const Result result = Run("launch", Record(launch));
    ASSERT_EQ(result.status, 0) << result.errors;
    EXPECT_EQ(result.output, "");
  }

  void Launch(const std::string& id, const std::string& command) {
    Launch(LaunchOf(id, command));
  }

  wire::Termination Wait(const std::string& id) {
    const Result result = RunOn<wire::Wait>("wait", id);
    EXPECT_EQ(result.status, 0) << result.errors;
    return Parse<wire::Termination>(result.output);
  }

  std::vector<std::string> Containers() {
    const Result result = Run("containers", "");
    EXPECT_EQ(result.status, 0) << result.errors;
    std::vector<std::string> ids;
    const auto answer = Parse<wire::Containers>(result.output);
    for (const wire::ContainerID& id : answer.containers()) {
      ids.push_back(id.value());
    }
    return ids;
  }

  std::string InSandbox(const std::string& name) {
    return absl::StrCat(sandbox_, "/", name);
  }

  // A named pipe in the sandbox, at which a task and the test meet.
  void MakeFifo(const std::string& name) {
    EXPECT_EQ(mkfifo(InSandbox(name).c_str(), 0600), 0);
  }

  int OpenFifo(const std::string& name, int flags) {
    const int fd = open(InSandbox(name).c_str(), flags | O_CLOEXEC);
    EXPECT_GE(fd, 0);
    return fd;
  }

  std::string directory_;
  std::string sandbox_;
};

TEST_P(ProgramsTest, TheTaskRunsInItsSandboxAndItsEndIsAnsweredUntilDestroy) {
  wire::Launch launch =
      LaunchOf("c1", "pwd; echo \"$FOO\"; echo oops >&2; exit 3");
  wire::Environment::Variable* variable = launch.mutable_executor_info()
                                              ->mutable_command()
                                              ->mutable_environment()
                                              ->add_variables();
  variable->set_name("FOO");
  variable->set_value("two  words '\"$x\nand a line");
  std::ofstream(InSandbox("stderr")) << "from before\n";
  Launch(launch);
  for (int i = 0; i < 2; ++i) {
    const wire::Termination termination = Wait("c1");
    EXPECT_EQ(termination.status(), 3 << 8);
    EXPECT_TRUE(termination.has_killed());  // Agents up to 0.25 demand both.
    EXPECT_FALSE(termination.killed());
    EXPECT_EQ(termination.message(), "exited with 3");
    EXPECT_EQ(termination.state(), wire::TASK_FAILED);
  }
  EXPECT_EQ(ReadFile(InSandbox("stdout")),
            absl::StrCat(sandbox_, "\ntwo  words '\"$x\nand a line\n"));
  EXPECT_EQ(ReadFile(InSandbox("stderr")), "from before\noops\n");
  EXPECT_THAT(Containers(), UnorderedElementsAre("c1"));
  EXPECT_EQ(RunOn<wire::Destroy>("destroy", "c1").status, 0);
  EXPECT_THAT(Containers(), IsEmpty());
  EXPECT_NE(RunOn<wire::Wait>("wait", "c1").status, 0);
}

TEST_P(ProgramsTest, SuccessIsFinishedAndASignalIsToldAsWaitpidTellsIt) {
  Launch("good", "true");
  EXPECT_EQ(Wait("good").status(), 0);
  EXPECT_TRUE(Wait("good").has_status());
  EXPECT_EQ(Wait("good").state(), wire::TASK_FINISHED);
  Launch("bad", "kill -SEGV $$");
  EXPECT_EQ(Wait("bad").status() & 0x7f, SIGSEGV);
  EXPECT_THAT(Wait("bad").message(), HasSubstr("signal 11"));
}

TEST_P(ProgramsTest, WithoutShellTheArgumentsArriveUntouched) {
  wire::Launch launch = LaunchOf("c", "/usr/bin/printf");
  wire::CommandInfo* command =
      launch.mutable_executor_info()->mutable_command();
  command->set_shell(false);
  for (const char* argument :
       {"printf", "<%s>", "two  words", "", "$HOME '\"*", "line\n"}) {
    command->add_arguments(argument);
  }
  Launch(launch);
  EXPECT_EQ(Wait("c").status(), 0);
  EXPECT_EQ(ReadFile(InSandbox("stdout")),
            "<two  words><><$HOME '\"*><line\n>");
}

TEST_P(ProgramsTest, TheTasksCommandRunsOnlyIfTheExecutorHasNone) {
  wire::Launch launch = LaunchOf("executor", "echo executor");
  launch.mutable_task_info()->mutable_command()->set_value("echo task");
  Launch(launch);
  EXPECT_EQ(Wait("executor").status(), 0);
  launch.mutable_container_id()->set_value("task");
  launch.mutable_executor_info()->clear_command();
  Launch(launch);
  EXPECT_EQ(Wait("task").status(), 0);
  EXPECT_EQ(ReadFile(InSandbox("stdout")), "executor\ntask\n");
}

TEST_P(ProgramsTest, WaitsOfALiveContainerAllEndWithIt) {
  MakeFifo("go");
  Launch("c", "read line <go; exit 5");
  Command first = Start("wait", Record(On<wire::Wait>("c")));
  Command second = Start("wait", Record(On<wire::Wait>("c")));
  close(OpenFifo("go", O_WRONLY));
  EXPECT_EQ(Parse<wire::Termination>(first.End().output).status(), 5 << 8);
  EXPECT_EQ(Parse<wire::Termination>(second.End().output).status(), 5 << 8);
}

TEST_P(ProgramsTest, UsageCountsTheWholeSessionAndIsSilentAtTheEnd) {
  MakeFifo("ready");
  MakeFifo("go");
  Launch("c",
         "(i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; echo x >ready;"
         " exec sleep 1000) & read line <go");
  EXPECT_EQ(ReadAll(OpenFifo("ready", O_RDONLY)), "x\n");
  const Result result = RunOn<wire::Usage>("usage", "c");
  EXPECT_EQ(result.status, 0) << result.errors;
  const auto usage = Parse<wire::ResourceStatistics>(result.output);
  EXPECT_NEAR(usage.timestamp(), static_cast<double>(time(nullptr)), 60);
  EXPECT_GT(usage.cpus_user_time_secs(), 0.02);
  EXPECT_LT(usage.cpus_user_time_secs(), 100);
  EXPECT_TRUE(usage.has_cpus_system_time_secs());
  EXPECT_LT(usage.cpus_system_time_secs(), 100);
  EXPECT_GT(usage.mem_rss_bytes(), 100u << 10);
  EXPECT_LT(usage.mem_rss_bytes(), 100u << 20);
  EXPECT_EQ(usage.processes(), 2u);
  close(OpenFifo("go", O_WRONLY));
  EXPECT_TRUE(Wait("c").has_status());
  const Result ended = RunOn<wire::Usage>("usage", "c");
  EXPECT_EQ(ended.status, 0) << ended.errors;
  EXPECT_EQ(ended.output, "");
}

TEST_P(ProgramsTest, WhatATaskLeavesInItsSessionEndsWithIt) {
  MakeFifo("held");
  Launch("c", "exec 3>held; sleep 1000 & exit 0");
  EXPECT_EQ(ReadAll(OpenFifo("held", O_RDONLY)), "");
  EXPECT_EQ(Wait("c").status(), 0);
}

TEST_P(ProgramsTest, DestroyAsksAndThenKills) {
  MakeFifo("ready");
  Launch("polite",
         "trap 'exit 7' TERM; echo x >ready; while :; do sleep 1; done");
  EXPECT_EQ(ReadAll(OpenFifo("ready", O_RDONLY)), "x\n");
  Command polite = Start("wait", Record(On<wire::Wait>("polite")));
  // Nothing tells when a wait sleeps. It may find the container gone, but must
  // never give a wrong answer.
  EXPECT_EQ(RunOn<wire::Destroy>("destroy", "polite").status, 0);
  Result result = polite.End();
  if (result.status == 0) {
    EXPECT_EQ(Parse<wire::Termination>(result.output).status(), 7 << 8);
  }

  MakeFifo("held");
  Launch("stubborn", "trap '' TERM; exec 3>held; sleep 1000 & sleep 1000");
  const int held = OpenFifo("held", O_RDONLY);
  Command stubborn = Start("wait", Record(On<wire::Wait>("stubborn")));
  EXPECT_EQ(RunOn<wire::Destroy>("destroy", "stubborn").status, 0);
  EXPECT_EQ(ReadAll(held), "");
  result = stubborn.End();
  EXPECT_EQ(result.status, 0) << result.errors;
  EXPECT_EQ(Parse<wire::Termination>(result.output).status() & 0x7f, SIGKILL);
  EXPECT_THAT(Containers(), IsEmpty());
}

TEST_P(ProgramsTest, DestroyMayBeRepeatedAlsoAtTheSameTime) {
  MakeFifo("ready");
  Launch("c", "echo x >ready; exec sleep 1000");
  EXPECT_EQ(ReadAll(OpenFifo("ready", O_RDONLY)), "x\n");
  const std::string request = Record(On<wire::Destroy>("c"));
  Command first = Start("destroy", request);
  Command second = Start("destroy", request);
  EXPECT_EQ(first.End().status, 0);
  EXPECT_EQ(second.End().status, 0);
  EXPECT_EQ(Run("destroy", request).status, 0);
  EXPECT_THAT(Containers(), IsEmpty());
}

TEST_P(ProgramsTest, AnUnknownContainerIsAnErrorOnStderr) {
  const std::pair<const char*, std::string> commands[] = {
      {"wait", Record(On<wire::Wait>("c"))},
      {"usage", Record(On<wire::Usage>("c"))},
      {"update", Record(On<wire::Update>("c"))},
  };
  for (const auto& [name, request] : commands) {
    const Result result = Run(name, request);
    EXPECT_EQ(result.status, 1 << 8) << name;
    EXPECT_EQ(result.output, "") << name;
    EXPECT_THAT(result.errors, HasSubstr("no")) << name;
  }
}

TEST_P(ProgramsTest, AnIdIsTakenOnce) {
  Launch("c", "exit 4");
  const Result result = Run("launch", Record(LaunchOf("c", "exit 5")));
  EXPECT_NE(result.status, 0);
  EXPECT_THAT(result.errors, HasSubstr("exists"));
  EXPECT_EQ(Wait("c").status(), 4 << 8);
}

TEST_P(ProgramsTest, OddIdsAreNamesAndNothingElse) {
  std::vector<std::string> ids = {"-rf",   "...", "a b",
                                  "$(x)*", "é\n", std::string(200, 'x')};
  for (const std::string& id : ids) Launch(id, "exit 6");
  for (const std::string& id : ids) EXPECT_EQ(Wait(id).status(), 6 << 8) << id;
  EXPECT_THAT(Containers(), ::testing::UnorderedElementsAreArray(ids));
  for (const char* id : {"a/b", "../c", "/", ""}) {
    const Result result = Run("launch", Record(LaunchOf(id, "true")));
    EXPECT_EQ(result.status, 1 << 8) << id;
    EXPECT_THAT(result.errors, Not(IsEmpty()));
  }
  EXPECT_NE(
      Run("launch", Record(LaunchOf(std::string("a\0b", 3), "true"))).status,
      0);
}

TEST_P(ProgramsTest, ALaunchOfOneMebibyteWorksAndUpdateIsAccepted) {
  MakeFifo("go");
  wire::Launch launch = LaunchOf("big", "read line <go; exit 8");
  launch.mutable_executor_info()->set_data(std::string(1 << 20, '\xff'));
  Launch(launch);
  wire::Update update = On<wire::Update>("big");
  wire::Resource* cpus = update.add_resources();
  cpus->set_name("cpus");
  cpus->set_type(wire::Value::SCALAR);
  cpus->mutable_scalar()->set_value(0.5);
  const Result result = Run("update", Record(update));
  EXPECT_EQ(result.status, 0) << result.errors;
  close(OpenFifo("go", O_WRONLY));
  EXPECT_EQ(Wait("big").status(), 8 << 8);
}

TEST_P(ProgramsTest, ADamagedRecordIsAnErrorAndLeavesNothing) {
  const std::string whole = Record(LaunchOf("c", "true"));
  std::vector<std::string> records = {
      "",
      "abc",
      whole.substr(0, whole.size() - 1),
      std::string(4, '\xff'),
      Record(std::string()),
      Record("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
      Record(std::string(20, '\xff')),
      Record(std::string("\x0a\x03\x0a\x01", 4)),
  };
  for (const std::string& record : records) {
    const Result result = Run("launch", record);
    EXPECT_EQ(result.status, 1 << 8) << record.size();
    EXPECT_THAT(result.errors, Not(IsEmpty()));
  }
  EXPECT_THAT(Containers(), IsEmpty());
}

TEST_P(ProgramsTest, AMissingSandboxFailsTheLaunchAndLeavesNothing) {
  wire::Launch launch = LaunchOf("c", "true");
  launch.set_directory(absl::StrCat(directory_, "/nowhere"));
  const Result result = Run("launch", Record(launch));
  EXPECT_EQ(result.status, 1 << 8);
  EXPECT_THAT(result.errors, HasSubstr("nowhere"));
  EXPECT_THAT(Containers(), IsEmpty());
}

TEST_P(ProgramsTest, ACommandThatIsNotThereIsToldAtLaunchOrAsItsEnd) {
  wire::Launch launch = LaunchOf("c", "/no/such/program");
  launch.mutable_executor_info()->mutable_command()->set_shell(false);
  const Result result = Run("launch", Record(launch));
  if (result.status == 0) {
    EXPECT_EQ(Wait("c").status(), 127 << 8);
    EXPECT_THAT(ReadFile(InSandbox("stderr")), HasSubstr("/no/such/program"));
  } else {
    EXPECT_THAT(result.errors, HasSubstr("/no/such/program"));
  }
}

TEST_P(ProgramsTest, RecoverMayBeTheFirstCommandAndChangesNothing) {
  EXPECT_EQ(Run("recover", "").status, 0);
  Launch("c", "exit 9");
  EXPECT_EQ(Wait("c").status(), 9 << 8);
  EXPECT_EQ(Run("recover", "").status, 0);
  EXPECT_EQ(Wait("c").status(), 9 << 8);
  EXPECT_EQ(Run("nonsense", "").status, 2 << 8);
}

INSTANTIATE_TEST_SUITE_P(Programs, ProgramsTest,
                         ::testing::Values("python_program", "shell_program"),
                         [](const auto& program) {
                           return program.param.substr(0,
                                                       program.param.find('_'));
                         });

}  // namespace
}  // namespace external_containerizer
