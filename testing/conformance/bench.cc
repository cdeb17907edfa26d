// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/bench.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/testing/conformance/exec_subject.h"
#include "external_containerizer/testing/conformance/processes.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/unix_socket/helper.h"

namespace external_containerizer {
namespace conformance {
namespace {

constexpr int kAgents = 2;
constexpr int kMaxHangs = 2;
constexpr absl::Duration kCleanTime = absl::Seconds(5);
// Among the commands that hung.
constexpr char kTask[] = "a task";
constexpr char kAgentPid[] = "slave(1)@127.0.0.1:5051";

wire::Launch LaunchOf(const std::string& id, const std::string& sandbox,
                      absl::string_view script) {
  wire::Launch launch;
  launch.mutable_container_id()->set_value(id);
  wire::ExecutorInfo& executor = *launch.mutable_executor_info();
  executor.mutable_executor_id()->set_value("conformance-executor");
  executor.mutable_framework_id()->set_value("conformance-framework");
  executor.mutable_command()->set_value(std::string(script));
  for (const auto& [name, amount] :
       {std::pair<const char*, double>("cpus", 1), {"mem", 128}}) {
    wire::Resource* resource = executor.add_resources();
    resource->set_name(name);
    resource->set_type(wire::Value::SCALAR);
    resource->mutable_scalar()->set_value(amount);
  }
  launch.set_directory(sandbox);
  launch.mutable_slave_id()->set_value("conformance-agent");
  launch.set_slave_pid(kAgentPid);
  launch.set_checkpoint(true);
  return launch;
}

// Stands for a command that is not run, because there is a verdict already.
class NoCall : public Call {
 public:
  bool Await(Deadline) override { return true; }
  void Kill() override {}
};

// Usage, Update, Wait and Destroy: all that matters is field 1.
std::string OnContainer(const std::string& id) {
  wire::Wait message;
  message.mutable_container_id()->set_value(id);
  return message.SerializeAsString();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Bench>> Bench::Create(const Settings& settings,
                                                     Style style,
                                                     Hangs& hangs) {
  std::unique_ptr<Bench> bench(new Bench(settings, style, hangs));
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  bench->loop_ = *std::move(loop);
  bench->directory_ = absl::StrCat(settings.directory, "/check.XXXXXX");
  if (mkdtemp(bench->directory_.data()) == nullptr) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot work in ", settings.directory));
  }
  std::vector<std::string> inherit = DefaultInherited();
  inherit.insert(inherit.end(), settings.inherit.begin(),
                 settings.inherit.end());
  for (int i = 0; i < kAgents; ++i) {
    Agent agent;
    agent.work_directory = absl::StrCat(bench->directory_, "/agent", i);
    if (mkdir(agent.work_directory.c_str(), 0700) != 0) {
      return absl::ErrnoToStatus(errno, "cannot make a directory");
    }
    ProgramOptions options = {settings.program,
                              InheritedEnvironment(environ, inherit),
                              agent.work_directory};
    if (style == Style::kExec) {
      agent.subject = std::make_unique<ExecSubject>(*bench->loop_, options);
    } else {
      auto helper = std::make_unique<HelperSubject>(*bench->loop_, options,
                                                    settings.timeout);
      agent.helper = helper.get();
      agent.subject = std::move(helper);
    }
    bench->agents_.push_back(std::move(agent));
  }
  bench->agent_ = &bench->agents_[0];
  return bench;
}

Bench::~Bench() {
  const Verdict verdict = verdict_;
  for (Agent& agent : agents_) {
    agent_ = &agent;
    for (const Task& task : agent.tasks) {
      verdict_ = Verdict();
      Do("destroy", &task);
    }
  }
  agents_.clear();
  KillDescendants(Deadline(kCleanTime));
  const UniqueFd parent(
      open(settings_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.valid() && !directory_.empty()) {
    // A file that cannot be removed stays, in the directory of the run.
    RemoveTree(parent.get(), directory_.substr(directory_.rfind('/') + 1))
        .IgnoreError();
  }
}

void Bench::Judge(Verdict::Kind kind, const std::string& why) {
  if (ok()) verdict_ = {kind, helper::Printable(why)};
}

std::string Bench::NewId() {
  const std::string a = RandomName(), b = RandomName();
  return absl::StrCat(a.substr(0, 8), "-", a.substr(8, 4), "-", a.substr(12),
                      "-", b.substr(0, 4), "-", b.substr(4));
}

void Bench::UseAgent(size_t number) { agent_ = &agents_[number]; }

HelperSubject& Bench::helper() { return *agent_->helper; }

Task& Bench::Make(absl::string_view script) {
  Task& task = agent_->tasks.emplace_back();
  task.id = NewId();
  task.sandbox =
      absl::StrCat(agent_->work_directory, "/sandbox", agent_->tasks.size());
  // A program may show the sandbox to the task by another path.
  task.launch =
      LaunchOf(task.id, task.sandbox,
               absl::StrCat("[ -p held ] || cd '", task.sandbox,
                            "' || exit 125; exec 3>held; echo >&3; ", script));
  if (!ok()) return task;
  const std::string held = task.sandbox + "/held", go = task.sandbox + "/go";
  Require(mkdir(task.sandbox.c_str(), 0700) == 0 &&
              mkfifo(held.c_str(), 0600) == 0 && mkfifo(go.c_str(), 0600) == 0,
          "cannot make ", task.sandbox);
  task.held.Reset(open(held.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  task.go.Reset(open(go.c_str(), O_RDWR | O_CLOEXEC));
  return task;
}

Environment Bench::EnvironmentOf(const std::string& command, const Task* task) {
  Environment environment = {{"MESOS_LIBEXEC_DIRECTORY", "/usr/libexec/mesos"},
                             {"MESOS_WORK_DIRECTORY", agent_->work_directory}};
  if (command != "launch") return environment;
  environment["LIBPROCESS_PORT"] = "0";
  environment["MESOS_FRAMEWORK_ID"] = "conformance-framework";
  environment["MESOS_EXECUTOR_ID"] = "conformance-executor";
  environment["MESOS_DIRECTORY"] = task->sandbox;
  environment["MESOS_SLAVE_ID"] = "conformance-agent";
  environment["MESOS_SLAVE_PID"] = kAgentPid;
  environment["MESOS_CHECKPOINT"] = "1";
  environment["MESOS_RECOVERY_TIMEOUT"] = "15mins";
  return environment;
}

std::unique_ptr<Call> Bench::StartRequest(const std::string& command,
                                          std::string message,
                                          const Task* task) {
  Require(!settings_.stopped(), "the run was stopped");
  Require(!settings_.limit.Expired(), "the time for the run is over");
  if (!ok()) return std::make_unique<NoCall>();
  return agent_->subject->Start({command, std::move(message),
                                 task == nullptr ? "" : task->sandbox,
                                 EnvironmentOf(command, task)});
}

Ended Bench::Finish(Call& call, const std::string& command) {
  if (!ok()) return Ended();
  if (call.Await(Deadline(settings_.timeout))) return call.ended();
  ++hangs_[command];
  Ended ended;
  ended.hung = true;
  ended.how = absl::StrCat("did not end within ",
                           absl::FormatDuration(settings_.timeout));
  return ended;
}

Ended Bench::Run(const std::string& command) {
  return Finish(*StartRequest(command, "", nullptr), command);
}

Ended Bench::RunOn(const std::string& command, const std::string& id) {
  return Finish(*StartRequest(command, OnContainer(id), nullptr), command);
}

Ended Bench::Run(const std::string& command, const Task& task) {
  return Finish(*Start(command, task), command);
}

Ended Bench::Do(const std::string& command, const Task* task) {
  Require(hangs_[command] < kMaxHangs, "`", command,
          "` did not end twice before");
  if (!ok()) return Ended();
  return task == nullptr ? Run(command) : Run(command, *task);
}

std::unique_ptr<Call> Bench::Start(const std::string& command,
                                   const Task& task) {
  return StartRequest(command,
                      command == "launch" ? task.launch.SerializeAsString()
                                          : OnContainer(task.id),
                      &task);
}

bool Bench::Runs(Task& task) {
  if (!ok()) return false;
  pollfd held = {task.held.get(), POLLIN, 0};
  const Deadline deadline(settings_.timeout);
  while (!deadline.Expired()) {
    // A writer that has gone without a word shows as POLLHUP.
    if (poll(&held, 1, deadline.PollMilliseconds()) > 0) break;
  }
  if ((held.revents & POLLIN) != 0) return true;
  return false;
}

bool Bench::Gone(Task& task) {
  char buffer[64];
  ssize_t n;
  while ((n = read(task.held.get(), buffer, sizeof(buffer))) > 0) {
  }
  return n == 0;
}

void Bench::AwaitFile(const Task& task, const std::string& name) {
  const Deadline deadline(settings_.timeout);
  while (ok() && FileOf(task, name).empty()) {
    Require(!deadline.Expired(), "a task did not make the file ", name);
    poll(nullptr, 0, 5);
  }
}

bool Bench::GoesWithin(Task& task, absl::Duration time) {
  const Deadline deadline(time);
  pollfd held = {task.held.get(), POLLIN, 0};
  while (!Gone(task) && !deadline.Expired()) {
    poll(&held, 1, deadline.PollMilliseconds());
  }
  return Gone(task);
}

void Bench::Release(Task& task) {
  Require(write(task.go.get(), "\n", 1) == 1, "cannot write to a pipe");
}

std::string Bench::FileOf(const Task& task, const std::string& name) {
  std::ifstream file(absl::StrCat(task.sandbox, "/", name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Task& Bench::Launch(absl::string_view script) {
  Task& task = Make(script);
  Launch(task);
  return task;
}

void Bench::Launch(Task& task) {
  LaunchUnseen(task);
  Require(hangs_[kTask] < kMaxHangs, "tasks do not run");
  const bool runs = Runs(task);
  if (ok() && !runs) ++hangs_[kTask];
  Require(runs, "a task that was launched does not run");
}

void Bench::LaunchUnseen(Task& task) {
  const Ended launched = Do("launch", &task);
  Require(launched.success, "a `launch` ", launched.how);
}

wire::Termination Bench::Wait(const Task& task) {
  const Ended waited = Do("wait", &task);
  wire::Termination termination;
  Require(waited.bad_record.empty(), "the answer to a `wait` is no record");
  Require(waited.answer.has_value(), "a `wait` ", waited.how,
          ", without an answer");
  Require(termination.ParseFromString(waited.answer.value_or("")),
          "the answer to a `wait` is no Termination");
  return termination;
}

bool Bench::EndsWith(const Task& task, int code) {
  const wire::Termination termination = Wait(task);
  return termination.status() == code << 8 || termination.status() == code;
}

std::vector<std::string> Bench::List() {
  const Ended listed = Do("containers", nullptr);
  wire::Containers containers;
  Require(listed.success, "`containers` ", listed.how);
  Require(
      listed.answer.has_value() && containers.ParseFromString(*listed.answer),
      "the answer to `containers` is none");
  std::vector<std::string> ids;
  for (const wire::ContainerID& id : containers.containers()) {
    ids.push_back(id.value());
  }
  return ids;
}

void Bench::Destroy(const Task& task) {
  const Ended destroyed = Do("destroy", &task);
  Require(destroyed.success, "a `destroy` ", destroyed.how);
}

}  // namespace conformance
}  // namespace external_containerizer
