// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/command_host.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace {

// What an agent may send.
constexpr size_t kMaxRecord = 4 << 20;

// Of a line on stderr: an agent shows the last few.
constexpr size_t kMaxLine = 4096;

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
      kCommands);
}

void Print(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

// How a command ended: a record to write, none, or an error.
using Result = absl::StatusOr<std::optional<std::string>>;

Result ToResult(absl::Status answer) {
  if (!answer.ok()) return answer;
  return std::optional<std::string>();
}

template <typename Message>
Result ToResult(absl::StatusOr<Message> answer) {
  if (!answer.ok()) return answer.status();
  if (absl::Status complete = wire::CheckComplete(*answer); !complete.ok()) {
    return complete;
  }
  return std::optional<std::string>(answer->SerializeAsString());
}

template <typename Message>
Result ToResult(absl::StatusOr<std::optional<Message>> answer) {
  if (!answer.ok()) return answer.status();
  if (!answer->has_value()) return std::optional<std::string>();
  return ToResult(absl::StatusOr<Message>(**std::move(answer)));
}

// Where a reply, from whatever thread, meets the thread that waits for it.
class Mailbox {
 public:
  template <typename T>
  static Reply<T> MakeReply(const std::shared_ptr<Mailbox>& mailbox) {
    return Reply<T>([mailbox](typename Reply<T>::Answer answer) {
      mailbox->Put(ToResult(std::move(answer)));
    });
  }

  Result Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    arrived_.wait(lock, [this] { return result_.has_value(); });
    return *std::move(result_);
  }

 private:
  void Put(Result result) {
    const std::lock_guard<std::mutex> lock(mutex_);
    result_ = std::move(result);
    arrived_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Result> result_;
};

std::string ValueOf(const std::map<std::string, std::string>& environment,
                    const std::string& name) {
  const auto it = environment.find(name);
  return it == environment.end() ? "" : it->second;
}

template <typename Message>
absl::StatusOr<Message> ReadRequest(int fd) {
  absl::StatusOr<std::optional<std::string>> record =
      ReadRecord(fd, kMaxRecord);
  if (!record.ok()) return record.status();
  if (!record->has_value()) {
    return absl::InvalidArgumentError("stdin ended before a message came");
  }
  Message message;
  if (!message.ParseFromString(**record)) {
    return absl::InvalidArgumentError(
        absl::StrCat("what came on stdin is no ",
                     std::string(Message::descriptor()->name())));
  }
  if (absl::Status status = wire::CheckComplete(message); !status.ok()) {
    return status;
  }
  if (absl::Status status =
          wire::ValidateId("container id", message.container_id().value());
      !status.ok()) {
    return status;
  }
  return message;
}

// A command about one container: reads its message, calls `handler`.
template <typename Message, typename T>
Result Handle(const CommandCall& call, Context context, Program& program,
              void (Program::*handler)(const Message&, const Context&,
                                       Reply<T>),
              std::string* container) {
  absl::StatusOr<Message> request = ReadRequest<Message>(call.input);
  if (!request.ok()) return request.status();
  *container = request->container_id().value();
  const std::string directory = ValueOf(call.environment, "MESOS_DIRECTORY");
  context.sandbox = directory.empty() ? call.directory : directory;
  const auto mailbox = std::make_shared<Mailbox>();
  (program.*handler)(*request, context, Mailbox::MakeReply<T>(mailbox));
  return mailbox->Take();
}

template <typename T>
Result Handle(const Context& context, Program& program,
              void (Program::*handler)(const Context&, Reply<T>)) {
  const auto mailbox = std::make_shared<Mailbox>();
  (program.*handler)(context, Mailbox::MakeReply<T>(mailbox));
  return mailbox->Take();
}

// nullopt: there is no such command.
std::optional<Result> Dispatch(const CommandCall& call, Program& program,
                               std::string* container) {
  Context context;
  context.environment = call.environment;
  context.work_directory = ValueOf(call.environment, "MESOS_WORK_DIRECTORY");
  context.libexec_directory =
      ValueOf(call.environment, "MESOS_LIBEXEC_DIRECTORY");

  const std::string& command = call.arguments[0];
  if (command == "launch") {
    return Handle(call, context, program, &Program::Launch, container);
  }
  if (command == "update") {
    return Handle(call, context, program, &Program::Update, container);
  }
  if (command == "usage") {
    return Handle(call, context, program, &Program::Usage, container);
  }
  if (command == "wait") {
    return Handle(call, context, program, &Program::Wait, container);
  }
  if (command == "destroy") {
    return Handle(call, context, program, &Program::Destroy, container);
  }
  if (command == "containers") {
    return Handle(context, program, &Program::Containers);
  }
  if (command == "recover") {
    return Handle(context, program, &Program::Recover);
  }
  return std::nullopt;
}

// One line that is safe for a terminal; quotes stay readable.
void PrintError(const CommandCall& call, absl::string_view text) {
  std::string line = absl::StrReplaceAll(
      absl::CHexEscape(absl::StrCat(call.program, ": ", text)),
      {{"\\\"", "\""}, {"\\'", "'"}});
  if (line.size() > kMaxLine) line = line.substr(0, kMaxLine) + "...";
  Print(call.errors, line + "\n");
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
  const std::string& command = call.arguments[0];
  std::string container;
  std::optional<Result> result = Dispatch(call, program, &container);
  if (!result.has_value()) {
    PrintError(call, absl::StrCat("no such command: ", command));
    Print(call.errors, Help(call.program));
    return 2;
  }
  absl::Status status = result->status();
  if (status.ok() && (*result)->has_value()) {
    status = WriteRecord(call.output, ***result);
  }
  if (status.ok()) return 0;
  PrintError(call,
             absl::StrCat(command, ": ",
                          container.empty()
                              ? ""
                              : absl::StrCat("container \"", container, "\": "),
                          std::string(status.message()), " (",
                          absl::StatusCodeToString(status.code()), ")"));
  return 1;
}

int ProgramMain(int argc, char** argv, Program& program) {
  CommandCall call;
  call.program = argc > 0 ? argv[0] : "program";
  call.program.erase(0, call.program.rfind('/') + 1);
  for (int i = 1; i < argc; ++i) call.arguments.emplace_back(argv[i]);
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
