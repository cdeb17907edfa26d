// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/dispatch.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/containerizer/wire/validate.h"

namespace external_containerizer {
namespace {

HandlerResult ToResult(absl::Status answer) {
  if (!answer.ok()) return answer;
  return std::optional<std::string>();
}

template <typename Message>
HandlerResult ToResult(absl::StatusOr<Message> answer) {
  if (!answer.ok()) return answer.status();
  absl::Status complete =
      wire::CheckComplete(*answer, absl::StatusCode::kDataLoss);
  if (!complete.ok()) return complete;
  return std::optional<std::string>(answer->SerializeAsString());
}

template <typename Message>
HandlerResult ToResult(absl::StatusOr<std::optional<Message>> answer) {
  if (!answer.ok()) return answer.status();
  if (!answer->has_value()) return std::optional<std::string>();
  return ToResult(absl::StatusOr<Message>(**std::move(answer)));
}

// `container` is empty for commands that are about none.
template <typename T>
Reply<T> MakeReply(HandlerDone done, std::string container) {
  return Reply<T>([done = std::move(done), container = std::move(container)](
                      typename Reply<T>::Answer answer) mutable {
    HandlerResult result = ToResult(std::move(answer));
    if (!result.ok() && !container.empty()) {
      result = WithMessage(result.status(),
                           absl::StrCat("container \"", container,
                                        "\": ", result.status().message()));
    }
    std::move(done)(std::move(result));
  });
}

template <typename Message>
absl::Status ParseRequest(absl::string_view input, Message* message) {
  if (!message->ParseFromArray(input.data(), static_cast<int>(input.size()))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the message is no ", std::string(Message::descriptor()->name())));
  }
  absl::Status status = wire::CheckComplete(*message);
  if (!status.ok()) return status;
  return wire::ValidateId("container id", message->container_id().value());
}

// A command about one container.
template <typename Message, typename T>
void Handle(absl::string_view input, const Context& context, Program& program,
            void (Program::*handler)(const Message&, const Context&, Reply<T>),
            HandlerDone done) {
  Message request;
  absl::Status status = ParseRequest(input, &request);
  if (!status.ok()) return std::move(done)(std::move(status));
  (program.*handler)(
      request, context,
      MakeReply<T>(std::move(done), request.container_id().value()));
}

}  // namespace

void Dispatch(Command command, absl::string_view input, const Context& context,
              Program& program, HandlerDone done) {
  switch (command) {
    case Command::kLaunch:
      return Handle(input, context, program, &Program::Launch, std::move(done));
    case Command::kUpdate:
      return Handle(input, context, program, &Program::Update, std::move(done));
    case Command::kUsage:
      return Handle(input, context, program, &Program::Usage, std::move(done));
    case Command::kWait:
      return Handle(input, context, program, &Program::Wait, std::move(done));
    case Command::kDestroy:
      return Handle(input, context, program, &Program::Destroy,
                    std::move(done));
    case Command::kContainers:
      return program.Containers(
          context, MakeReply<wire::Containers>(std::move(done), ""));
    case Command::kRecover:
      return program.Recover(context, MakeReply<void>(std::move(done), ""));
  }
}

Context MakeContext(std::map<std::string, std::string> environment) {
  Context context;
  context.environment = std::move(environment);
  const auto it = context.environment.find("MESOS_WORK_DIRECTORY");
  if (it != context.environment.end()) context.work_directory = it->second;
  return context;
}

}  // namespace external_containerizer
