// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/container_commands.h"

#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/client/client_command.h"
#include "external_containerizer/containerizer/agent/client/control_client.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/resources.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/task_flags.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/transport/linux/random_name.h"

namespace external_containerizer {
namespace {

// For the agent to be started again.
constexpr absl::Duration kAgentAway = absl::Minutes(1);

template <typename Request, typename Reply>
absl::StatusOr<Reply> CallOnce(const ClientCall& call,
                               const ttrpc::Method<Request, Reply>& method,
                               const Request& request) {
  const auto client = ControlClient::Connect(call.work_dir);
  if (!client.ok()) return client.status();
  return (*client)->Call(method, request);
}

void SayUnknown(const Resources& resources) {
  const std::string text = UnknownResourcesText(resources);
  if (!text.empty()) fprintf(stderr, "agent: %s\n", text.c_str());
}

int Launch(const ClientCall& call) {
  const auto usage_error = [](const absl::Status& status) {
    return UsageError("launch", std::string(status.message()));
  };
  const absl::StatusOr<TaskCommand> command =
      TaskCommandOf(call.surroundings, call.flags, "launch");
  if (!command.ok()) return usage_error(command.status());
  const absl::StatusOr<Resources> resources = ResourcesOf(call.flags);
  if (!resources.ok()) return usage_error(resources.status());
  SayUnknown(*resources);

  // Made up here, so that it can be told whatever happens to the agent.
  control::v1::LaunchRequest request;
  request.set_id(call.flags.Value("name", absl::StrCat("c-", RandomName())));
  if (request.id().empty()) {
    return usage_error(absl::InvalidArgumentError("--name is empty"));
  }
  request.set_program(command->program);
  if (command->shell) request.set_shell(true);
  if (!command->user.empty()) request.set_user(command->user);
  for (const std::string& argument : command->arguments) {
    request.add_arguments(argument);
  }
  for (const auto& [name, value] : command->environment) {
    auto& variable = *request.add_environment();
    variable.set_name(name);
    variable.set_value(value);
  }
  for (const wire::Resource& resource : *resources) {
    *request.add_resources() = resource;
  }
  const auto client = ControlClient::Connect(call.work_dir);
  if (!client.ok()) return Fail(call, client.status());
  const auto reply = (*client)->Call(control::kLaunch, request);
  if (!reply.ok()) {
    return Fail(call, absl::IsUnavailable(reply.status())
                          ? absl::UnavailableError(absl::StrCat(
                                reply.status().message(),
                                "; the container's name is ", request.id()))
                          : reply.status());
  }
  if (!Print(absl::StrCat(reply->id(), "\n"))) {
    fprintf(stderr, "agent: container %s runs\n", OneLine(reply->id()).c_str());
  }
  return 0;
}

// Says how it ended; the exit status is the caller's.
void ShowEnd(const ClientCall& call, const control::v1::EndReply& reply) {
  const std::string& name = reply.has_name() ? reply.name() : call.ids()[0];
  if (call.flags.On("json")) {
    Print(absl::StrCat(
        JsonObject()
            .Text("type", "end")
            .Text("container", name)
            .Text("id", reply.has_container_id() ? reply.container_id() : name)
            .Append(EndedJson(reply.end()))
            .ToString(),
        "\n"));
  } else {
    fprintf(stderr, "agent: %s %s\n", OneLine(name).c_str(),
            EndedText(reply.end()).c_str());
  }
}

int Wait(const ClientCall& call) {
  const auto away = [](const absl::Status& why) {
    fprintf(stderr, "agent: %s; waiting for it to come back\n",
            OneLine(why.message()).c_str());
  };
  // By its id: while the agent is away another may get its name.
  control::v1::ListRequest list;
  list.add_ids(call.ids()[0]);
  const auto listed =
      CallPatiently(call.work_dir, control::kList, list, kAgentAway, away);
  if (!listed.ok()) return Fail(call, listed.status());
  control::v1::WaitRequest request;
  request.set_id(call.ids()[0]);
  if (listed->containers_size() > 0 &&
      listed->containers(0).has_container_id()) {
    request.set_id(listed->containers(0).container_id());
  }
  const auto reply =
      CallPatiently(call.work_dir, control::kWait, request, kAgentAway, away);
  if (absl::IsNotFound(reply.status())) {
    return Fail(call, absl::NotFoundError(absl::StrCat(
                          "container \"", call.ids()[0],
                          "\" was destroyed, and its agent does not know any "
                          "more how it ended")));
  }
  if (!reply.ok()) return Fail(call, reply.status());
  ShowEnd(call, *reply);
  return ExitStatusOf(reply->end());
}

int Update(const ClientCall& call) {
  if (call.flags.Values("resources").empty()) {
    return UsageError("update",
                      "say what it may use: --resources='cpus:1;mem:64'");
  }
  const absl::StatusOr<Resources> resources = ResourcesOf(call.flags);
  if (!resources.ok()) {
    return UsageError("update", std::string(resources.status().message()));
  }
  SayUnknown(*resources);
  control::v1::UpdateRequest request;
  request.set_id(call.ids()[0]);
  for (const wire::Resource& resource : *resources) {
    *request.add_resources() = resource;
  }
  const auto reply = CallOnce(call, control::kUpdate, request);
  return reply.ok() ? 0 : Fail(call, reply.status());
}

int Destroy(const ClientCall& call) {
  control::v1::DestroyRequest request;
  request.set_id(call.ids()[0]);
  const auto reply = CallOnce(call, control::kDestroy, request);
  if (!reply.ok()) return Fail(call, reply.status());
  ShowEnd(call, *reply);
  return 0;
}

const ClientCommand& LaunchCommand() {
  static const auto& command = *new ClientCommand{
      "launch",
      "-- COMMAND [ARGUMENT ...]",
      "Starts a command as a container of a standing agent, and prints the "
      "container's\nname when it runs. Its output is in its sandbox, which "
      "`agent list --json` names,\nas it does the id, which is new for each "
      "launch. Other commands take either.\n",
      Joined({TaskFlags(),
              {{"name", "ID",
                "The container's id; a name that no other of this agent has. "
                "Default: "
                "one that is made up."}}}),
      0,
      std::numeric_limits<size_t>::max()};
  return command;
}

const ClientCommand& WaitCommand() {
  static const auto& command = *new ClientCommand{
      "wait",
      "CONTAINER",
      "Waits until a container has ended, and says how; also if the agent is "
      "killed and\nstarted again meanwhile, or if it ended long ago.\n\nExit "
      "status: the container's; 128+N if signal N ended it; 125 if that is "
      "not\nknown.\n",
      {JsonFlag("Says it as one JSON object on stdout.")},
      1,
      1};
  return command;
}

const ClientCommand& UpdateCommand() {
  static const auto& command =
      *new ClientCommand{"update",
                         "CONTAINER",
                         "Changes what a container may use. What --resources "
                         "does not name stays as it is.\n",
                         {ResourcesFlag()},
                         1,
                         1};
  return command;
}

const ClientCommand& DestroyCommand() {
  static const auto& command = *new ClientCommand{
      "destroy",
      "CONTAINER",
      "Ends a container, if it runs, says how it ended, and forgets it, with "
      "the files\nin its sandbox.\n",
      {JsonFlag("Says it as one JSON object on stdout.")},
      1,
      1};
  return command;
}

}  // namespace

Subcommand LaunchSubcommand() {
  return {"launch", "Starts a command as a container of a standing agent.",
          [](const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
            return RunClientCommand(LaunchCommand(), surroundings, arguments,
                                    Launch);
          }};
}

Subcommand WaitSubcommand() {
  return {"wait", "Waits until a container has ended.",
          [](const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
            return RunClientCommand(WaitCommand(), surroundings, arguments,
                                    Wait);
          }};
}

Subcommand UpdateSubcommand() {
  return {"update", "Changes what a container may use.",
          [](const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
            return RunClientCommand(UpdateCommand(), surroundings, arguments,
                                    Update);
          }};
}

Subcommand DestroySubcommand() {
  return {"destroy", "Ends a container and forgets it.",
          [](const Surroundings& surroundings,
             const std::vector<std::string>& arguments) {
            return RunClientCommand(DestroyCommand(), surroundings, arguments,
                                    Destroy);
          }};
}

}  // namespace external_containerizer
