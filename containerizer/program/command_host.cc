// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/command_host.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "external_containerizer/containerizer/program/dispatch.h"
#include "external_containerizer/containerizer/program/error_line.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/program/program_transport.h"
#include "external_containerizer/containerizer/program/serve.h"
#include "external_containerizer/transport/record_io.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {
namespace {

// The largest record that an agent may send.
constexpr size_t kMaxRecord = 4 << 20;

constexpr char kCommands[] =
    "  launch      start a container               reads Launch\n"
    "  update      change what it may use          reads Update\n"
    "  usage       tell what it uses               reads Usage, writes "
    "ResourceStatistics\n"
    "  wait        tell when and how it has ended  reads Wait, writes "
    "Termination\n"
    "  destroy     end and forget it               reads Destroy\n"
    "  containers  list the containers             writes Containers\n"
    "  recover     an agent has started\n";

std::string Help(const std::string& program) {
  return absl::StrCat(
      "Usage: ", program,
      " COMMAND\n\n"
      "An external containerizer program: an agent runs it, once per command.\n"
      "Messages are read from stdin and written to stdout, in protobuf's wire\n"
      "format behind their length (4 bytes, little endian).\n\n",
      kCommands,
      "\n  serve --socket=PATH [--idle_exit=60s] [--drain_limit=30s]\n"
      "              serve agents at a Unix socket, all commands in this "
      "process\n");
}

void Print(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

std::optional<Command> CommandNamed(absl::string_view name) {
  for (const Command command :
       {Command::kLaunch, Command::kUpdate, Command::kUsage, Command::kWait,
        Command::kDestroy, Command::kContainers, Command::kRecover}) {
    if (CommandName(command) == name) return command;
  }
  return std::nullopt;
}

absl::StatusOr<std::string> ReadInput(Command command, int fd) {
  if (command == Command::kContainers || command == Command::kRecover) {
    return "";
  }
  absl::StatusOr<std::optional<std::string>> record =
      ReadRecord(fd, kMaxRecord);
  if (!record.ok()) return record.status();
  if (!record->has_value()) {
    return absl::InvalidArgumentError("stdin ended before a message came");
  }
  return **std::move(record);
}

HandlerResult Run(const CommandCall& call, Command command, Program& program) {
  const absl::StatusOr<std::string> input = ReadInput(command, call.input);
  if (!input.ok()) return input.status();
  Context context = MakeContext(call.environment);
  if (command != Command::kContainers && command != Command::kRecover) {
    const auto directory = call.environment.find("MESOS_DIRECTORY");
    const bool given =
        directory != call.environment.end() && !directory->second.empty();
    context.sandbox = given ? directory->second : call.directory;
  }
  HandlerResult result;
  absl::Notification replied;  // On whatever thread the program replies.
  Dispatch(command, *input, context, program, [&](HandlerResult reply) {
    result = std::move(reply);
    replied.Notify();
  });
  replied.WaitForNotification();
  return result;
}

void PrintError(const CommandCall& call, absl::string_view text) {
  Print(call.errors, ErrorLine(call.program, text) + "\n");
}

}  // namespace

int HostCommand(const CommandCall& call, Program& program) {
  if (call.arguments.size() == 1 &&
      (call.arguments[0] == "--help" || call.arguments[0] == "-h" ||
       call.arguments[0] == "help")) {
    Print(call.output, Help(call.program));
    return 0;
  }
  if (call.arguments.size() != 1) {
    PrintError(call, call.arguments.empty()
                         ? "no command given"
                         : absl::StrCat("one command expected, ",
                                        call.arguments.size(), " given"));
    Print(call.errors, Help(call.program));
    return 2;
  }
  const std::optional<Command> command = CommandNamed(call.arguments[0]);
  if (!command.has_value()) {
    PrintError(call, absl::StrCat("no such command: ", call.arguments[0]));
    Print(call.errors, Help(call.program));
    return 2;
  }
  HandlerResult result = Run(call, *command, program);
  absl::Status status = result.status();
  if (status.ok() && result->has_value()) {
    status = WriteRecord(call.output, **result);
  }
  if (status.ok()) return 0;
  PrintError(call, absl::StrCat(call.arguments[0], ": ", WithCode(status)));
  return ExitCodeOf(status).value_or(1);
}

int ProgramMain(int argc, char** argv, Program& program) {
  CommandCall call;
  call.program = argc > 0 ? argv[0] : "program";
  call.program.erase(0, call.program.rfind('/') + 1);
  for (int i = 1; i < argc; ++i) call.arguments.emplace_back(argv[i]);
  if (!call.arguments.empty() && call.arguments[0] == kServeArgument) {
    return ServeMain(call.program,
                     std::vector<std::string>(call.arguments.begin() + 1,
                                              call.arguments.end()),
                     [&call, &program](EventLoop& loop, const std::string&) {
                       return std::make_unique<ProgramTransport>(
                           loop, call.program, program);
                     });
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    call.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  if (char* directory = getcwd(nullptr, 0)) {
    call.directory = directory;
    free(directory);
  }
  return HostCommand(call, program);
}

}  // namespace external_containerizer
