// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// posix with one fault, which is the first argument:
//
//   faulty_program FAULT COMMAND
//
// The faults are in faults_test.cc, with the checks that find them. Each is as
// narrow as can be, so that no other check has a reason to fail.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "external_containerizer/containerizer/posix/posix_program.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/conformance/posix_supervisor.h"

namespace external_containerizer {
namespace {

// Tells another process of this program about a container.
class Notes {
 public:
  Notes(const Context& context, const std::string& id)
      : path_(absl::StrCat(context.work_directory, "/note.", id, ".")) {}

  std::string Path(absl::string_view what) const {
    return absl::StrCat(path_, what);
  }
  bool Has(absl::string_view what) const {
    return access(Path(what).c_str(), F_OK) == 0;
  }
  void Write(absl::string_view what, absl::string_view text) const {
    std::ofstream(Path(what)) << text;
  }
  std::string Read(absl::string_view what) const {
    std::ifstream file(Path(what));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  std::string path_;
};

class FaultyProgram : public Program {
 public:
  explicit FaultyProgram(std::string fault) : fault_(std::move(fault)) {}

  void Launch(const wire::Launch& request, const Context& context,
              Reply<void> reply) override {
    const std::string& id = request.container_id().value();
    const Notes notes(context, id);
    const bool known = notes.Has("code");
    wire::Launch launch = request;
    wire::CommandInfo& command =
        *launch.mutable_executor_info()->mutable_command();
    const std::string script = command.value();
    const size_t exit = script.rfind("exit ");
    notes.Write("code",
                exit == std::string::npos ? "0" : script.substr(exit + 5));
    if (absl::StrContains(script, "trap")) notes.Write("stubborn", "");
    const auto before = [&](absl::string_view text) {
      if (command.shell()) command.set_value(absl::StrCat(text, "; ", script));
    };
    if (Is("launch-refuses-large") && request.ByteSizeLong() > (64 << 10)) {
      return Fail(std::move(reply), "too large");
    }
    if (Is("launch-refuses-spaces") && absl::StrContains(id, ' ')) {
      return Fail(std::move(reply), "no such names");
    }
    if (Is("launch-refuses-old-ids") && notes.Has("destroyed")) {
      return Fail(std::move(reply), "it was destroyed");
    }
    if (Is("launch-elsewhere")) before("cd /");
    if (Is("launch-discards-output")) before("exec >/dev/null 2>&1");
    if (Is("launch-discards-agent")) before("unset MESOS_SLAVE_ID");
    if (Is("launch-keeps-path")) {
      auto* variables = command.mutable_environment()->mutable_variables();
      variables->erase(
          std::remove_if(variables->begin(), variables->end(),
                         [](const auto& v) { return v.name() == "PATH"; }),
          variables->end());
    }
    if (Is("launch-joins-arguments") && !command.shell() &&
        command.arguments_size() > 1) {
      const std::string words = absl::StrJoin(command.arguments(), " ");
      command.set_shell(true);
      command.set_value(words);
    }
    if (Is("launch-needs-no-command") && script == "/no/such/command") {
      command.set_shell(true);
      command.set_value("exit 0");
    }
    if (Is("launch-takes-ids-twice") && known) {
      return posix_.Launch(
          launch, context,
          Reply<void>([reply = std::move(reply)](absl::Status) mutable {
            std::move(reply)(absl::OkStatus());
          }));
    }
    if (Is("launch-leaves-a-process") && fork() == 0) {
      setsid();
      for (const int fd : {0, 1, 2}) close(fd);
      for (;;) pause();
    }
    if (Is("launch-stays"))
      return LaunchAndStay(launch, context, std::move(reply));
    posix_.Launch(launch, context, std::move(reply));
  }

  void Update(const wire::Update& request, const Context& context,
              Reply<void> reply) override {
    if (Is("update-fails")) return Fail(std::move(reply), "cannot");
    if (Is("update-ends"))
      return End(request.container_id(), context, std::move(reply));
    posix_.Update(request, context, std::move(reply));
  }

  void Usage(const wire::Usage& request, const Context& context,
             Reply<std::optional<wire::ResourceStatistics>> reply) override {
    if (Is("usage-fails")) {
      return std::move(reply)(absl::InternalError("cannot"));
    }
    if (Is("usage-invents")) {
      wire::ResourceStatistics usage;
      usage.set_timestamp(1);
      return std::move(reply)(std::make_optional(usage));
    }
    if (Is("usage-lacks-timestamp")) {
      wire::ResourceStatistics usage;
      usage.set_mem_rss_bytes(1);
      return std::move(reply)(std::make_optional(usage));
    }
    if (Is("usage-ends")) {
      return End(request.container_id(), context,
                 Reply<void>([reply = std::move(reply)](absl::Status) mutable {
                   std::move(reply)(std::optional<wire::ResourceStatistics>());
                 }));
    }
    posix_.Usage(request, context, std::move(reply));
  }

  void Wait(const wire::Wait& request, const Context& context,
            Reply<wire::Termination> reply) override {
    const std::string id = request.container_id().value();
    const Notes notes(context, id);
    if (Is("wait-invents") && !notes.Has("code")) {
      return std::move(reply)(wire::Termination());
    }
    if (Is("wait-hangs-unknown") && !notes.Has("code")) {
      return Keep(std::move(reply));
    }
    if (Is("wait-answers-twice") && notes.Read("answered").size() > 1) {
      return std::move(reply)(absl::NotFoundError("answered twice before"));
    }
    if (Is("wait-excludes")) {
      const int lock =
          open(notes.Path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        return std::move(reply)(absl::InternalError("somebody waits"));
      }
    }
    if (Is("wait-returns-early") && Lives(request.container_id(), context)) {
      // Long enough for those that are about to end.
      poll(nullptr, 0, 300);
      if (Lives(request.container_id(), context)) {
        wire::Termination guess;
        int code = 0;
        static_cast<void>(absl::SimpleAtoi(notes.Read("code"), &code));
        guess.set_status(code << 8);
        return std::move(reply)(guess);
      }
    }
    posix_.Wait(request, context,
                Reply<wire::Termination>(
                    [this, notes, reply = std::move(reply)](
                        absl::StatusOr<wire::Termination> answer) mutable {
                      notes.Write("answered", notes.Read("answered") + "x");
                      if (answer.ok()) {
                        if (Is("wait-hangs")) return Keep(std::move(reply));
                        if (Is("wait-ignores-destroy") &&
                            answer->state() == wire::TASK_KILLED) {
                          return Keep(std::move(reply));
                        }
                        Distort(*answer);
                      }
                      std::move(reply)(std::move(answer));
                    }));
  }

  void Destroy(const wire::Destroy& request, const Context& context,
               Reply<void> reply) override {
    const Notes notes(context, request.container_id().value());
    const bool known = notes.Has("code");
    if (Is("destroy-refuses-unknown") && !known) {
      return Fail(std::move(reply), "no such container");
    }
    if (Is("destroy-refuses-again") && notes.Has("destroyed")) {
      return Fail(std::move(reply), "no such container");
    }
    if (Is("destroy-refuses-ended") && notes.Has("answered")) {
      return Fail(std::move(reply), "it has ended");
    }
    if (Is("destroy-spares-stubborn") && notes.Has("stubborn")) {
      return std::move(reply)(absl::OkStatus());
    }
    notes.Write("destroyed", "");
    if (Is("destroy-ends-all")) {
      EndAll(context);
    }
    posix_.Destroy(request, context, std::move(reply));
  }

  void Containers(const Context& context,
                  Reply<wire::Containers> reply) override {
    posix_.Containers(
        context,
        Reply<wire::Containers>(
            [this, context, reply = std::move(reply)](
                absl::StatusOr<wire::Containers> answer) mutable {
              if (answer.ok() && Is("containers-lists-others")) {
                answer->add_containers()->set_value("somebody's");
              }
              if (answer.ok() && Is("containers-forgets-ended")) {
                wire::Containers alive;
                for (const wire::ContainerID& id : answer->containers()) {
                  if (Lives(id, context)) *alive.add_containers() = id;
                }
                answer = alive;
              }
              std::move(reply)(std::move(answer));
            }));
  }

  void Recover(const Context& context, Reply<void> reply) override {
    if (Is("recover-fails")) return Fail(std::move(reply), "cannot");
    if (Is("recover-ends-all")) EndAll(context);
    posix_.Recover(context, std::move(reply));
  }

 private:
  bool Is(absl::string_view fault) const { return fault_ == fault; }

  static void Fail(Reply<void> reply, absl::string_view why) {
    std::move(reply)(absl::InternalError(why));
  }

  // For ever.
  static void Keep(Reply<wire::Termination> reply) {
    static auto& kept = *new std::vector<Reply<wire::Termination>>();
    kept.push_back(std::move(reply));
  }

  void Distort(wire::Termination& answer) const {
    const int status = answer.status();
    if (Is("wait-tells-bare-code") && WIFEXITED(status)) {
      answer.set_status(WEXITSTATUS(status));
    }
    if (Is("wait-tells-shells-code") && WIFSIGNALED(status)) {
      answer.set_status((128 + WTERMSIG(status)) << 8);
    }
    if (Is("wait-tells-negative") && WIFSIGNALED(status)) {
      answer.set_status(-WTERMSIG(status));
    }
    if (Is("wait-for-new-agents")) answer.clear_killed();
  }

  bool Lives(const wire::ContainerID& id, const Context& context) {
    wire::Usage usage;
    *usage.mutable_container_id() = id;
    bool lives = false;
    // It replies at once.
    posix_.Usage(
        usage, context,
        Reply<std::optional<wire::ResourceStatistics>>(
            [&lives](absl::StatusOr<std::optional<wire::ResourceStatistics>>
                         answer) {
              lives = answer.ok() && answer->has_value() &&
                      (*answer)->processes() > 0;
            }));
    return lives;
  }

  void End(const wire::ContainerID& id, const Context& context,
           Reply<void> reply) {
    wire::Destroy destroy;
    *destroy.mutable_container_id() = id;
    posix_.Destroy(destroy, context, std::move(reply));
  }

  void EndAll(const Context& context) {
    posix_.Containers(
        context,
        Reply<wire::Containers>([&](absl::StatusOr<wire::Containers> all) {
          if (!all.ok()) return;
          for (const wire::ContainerID& id : all->containers()) {
            absl::Notification ended;
            End(id, context,
                Reply<void>([&ended](absl::Status) { ended.Notify(); }));
            ended.WaitForNotification();
          }
        }));
  }

  void LaunchAndStay(const wire::Launch& launch, const Context& context,
                     Reply<void> reply) {
    posix_.Launch(
        launch, context,
        Reply<void>([this, launch, context,
                     reply = std::move(reply)](absl::Status status) mutable {
          while (status.ok() && Lives(launch.container_id(), context)) {
            poll(nullptr, 0, 10);
          }
          std::move(reply)(status);
        }));
  }

  const std::string fault_;
  PosixProgram posix_{PosixBesideUs()};
};

std::string Contents(int fd) {
  std::string all;
  char buffer[1 << 16];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
    all.append(buffer, static_cast<size_t>(n));
  }
  return all;
}

// A file without a name, at its beginning.
int FileWith(const std::string& text) {
  const int fd = memfd_create("faulty", MFD_CLOEXEC);
  if (write(fd, text.data(), text.size()) < 0) _exit(90);
  lseek(fd, 0, SEEK_SET);
  return fd;
}

int RunProgram(const std::string& fault, const std::string& command) {
  FaultyProgram program(fault);
  std::string name = "faulty_program", word = command;
  char* argv[] = {name.data(), word.data(), nullptr};
  return ProgramMain(2, argv, program);
}

// The record with the fault in it.
std::string Distorted(absl::string_view fault, std::string record) {
  if (absl::EndsWith(fault, "-big-endian") && record.size() >= 4) {
    std::reverse(record.begin(), record.begin() + 4);
  }
  if (absl::EndsWith(fault, "-nothing")) return "";
  if (absl::EndsWith(fault, "-half")) {
    return record.substr(0, record.size() - 1);
  }
  if (absl::EndsWith(fault, "-length-alone")) return record.substr(0, 3);
  if (absl::EndsWith(fault, "-text-before")) {
    return absl::StrCat("waiting ...\n", record);
  }
  if (absl::EndsWith(fault, "-text-behind")) {
    return absl::StrCat(record, "done\n");
  }
  return record;
}

// The work is done by a process that the end of this one does not concern.
int LateLaunch(const std::string& command) {
  const int input = FileWith(Contents(0));
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    dup2(input, 0);
    poll(nullptr, 0, 150);
    _exit(RunProgram("", command));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? 0 : 1;
}

// If this process is killed, the container is destroyed.
int JealousWait(const std::string& command) {
  const int input = FileWith(Contents(0));
  int life[2];
  if (pipe2(life, O_CLOEXEC) != 0) return 90;
  if (fork() == 0) {
    setsid();
    close(life[1]);
    close(1);
    open("/dev/null", O_WRONLY);
    char byte;
    if (read(life[0], &byte, 1) == 1) _exit(0);
    dup2(input, 0);
    lseek(0, 0, SEEK_SET);  // The other one has read it.
    _exit(RunProgram("", "destroy"));
  }
  dup2(input, 0);
  const int code = RunProgram("", command);
  if (write(life[1], "x", 1) != 1) return 90;
  return code;
}

int Main(const std::string& fault, const std::string& command) {
  if (fault == "launch-works-late" && command == "launch") {
    return LateLaunch(command);
  }
  if (fault == "wait-is-jealous" && command == "wait") {
    return JealousWait(command);
  }
  if (fault == "usage-leaves-a-process" && command == "usage" && fork() == 0) {
    setsid();
    for (;;) pause();
  }
  if (fault == "unknown-succeeds" && command == "no-such-command") return 0;
  if (fault == "agents-share") {
    const std::string shared =
        absl::StrCat(getenv("MESOS_WORK_DIRECTORY"), "/..");
    setenv("MESOS_WORK_DIRECTORY", shared.c_str(), 1);
  }
  // The faults of a record begin with the command.
  if (!absl::StartsWith(fault, command)) return RunProgram(fault, command);
  const int output = dup(1), written = FileWith("");
  dup2(written, 1);
  const int code = RunProgram(fault, command);
  lseek(written, 0, SEEK_SET);
  const std::string record = Distorted(fault, Contents(written));
  return write(output, record.data(), record.size()) < 0 ? 90 : code;
}

}  // namespace
}  // namespace external_containerizer

int main(int argc, char** argv) {
  namespace ec = external_containerizer;
  if (argc != 3) {
    fprintf(stderr, "usage: faulty_program FAULT COMMAND\n");
    return 98;
  }
  return ec::Main(argv[1], argv[2]);
}
