// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/container_commands.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/client/client_command.h"
#include "external_containerizer/containerizer/agent/client/control_client.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/resources.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/task_flags.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/transport/linux/random_name.h"

namespace external_containerizer {
namespace {

// How long `wait` waits for an agent that is away to be started again.
constexpr absl::Duration kAgentAway = absl::Minutes(1);

void SayUnknown(const Resources& resources) {
  const std::string text = UnknownResourcesText(resources);
  if (!text.empty()) fprintf(stderr, "agent: %s\n", text.c_str());
}

absl::StatusOr<int> Launch(const Call& call) {
  const absl::StatusOr<TaskCommand> command = TaskCommandOf(call, "launch");
  if (!command.ok()) return command.status();
  const absl::StatusOr<Resources> resources = ResourcesOf(call);
  if (!resources.ok()) return resources.status();
  SayUnknown(*resources);

  // The client makes the name up, so that it knows it whatever happens to the
  // agent.
  control::v1::LaunchRequest request;
  request.set_id(call.flags.Value("name", absl::StrCat("c-", RandomName())));
  if (request.id().empty()) {
    return absl::InvalidArgumentError("--name is empty");
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
  request.set_refusal_in_reply(true);
  const auto client = Connect(call);
  if (!client.ok()) return Fail(call, client.status());
  const auto reply = (*client)->Call(control::kLaunch, request);
  if (!reply.ok()) {
    return Fail(call, absl::IsUnavailable(reply.status())
                          ? absl::UnavailableError(absl::StrCat(
                                reply.status().message(),
                                "; the container's name is ", request.id()))
                          : reply.status());
  }
  if (reply->has_refusal()) {
    Fail(call, absl::InternalError(reply->refusal()));
    return static_cast<int>(reply->exit_status());
  }
  if (!Print(absl::StrCat(reply->id(), "\n"))) {
    fprintf(stderr, "agent: container %s runs\n", OneLine(reply->id()).c_str());
  }
  return 0;
}

// Shows how the container ended.
void ShowEnd(const Call& call, const control::v1::EndReply& reply) {
  const std::string& name =
      reply.has_name() ? reply.name() : call.arguments()[0];
  if (call.flags.On("json")) {
    Print(absl::StrCat(
        JsonObject()
            .Text("type", "end")
            .Text("container", name)
            .Text("id", reply.has_container_id() ? reply.container_id() : name)
            .Append(TerminationJson(reply.end()))
            .ToString(),
        "\n"));
  } else {
    fprintf(stderr, "agent: %s %s\n", OneLine(name).c_str(),
            TerminationText(reply.end()).c_str());
  }
}

absl::StatusOr<int> Wait(const Call& call) {
  const absl::StatusOr<std::string> work_dir = WorkDirectoryOf(call);
  if (!work_dir.ok()) return work_dir.status();
  const auto away = [](const absl::Status& why) {
    fprintf(stderr, "agent: %s; waiting for it to come back\n",
            OneLine(why.message()).c_str());
  };
  // The request has the id: while the agent is away, another container may get
  // the name.
  control::v1::ListRequest list;
  list.add_ids(call.arguments()[0]);
  const auto listed =
      CallPatiently(*work_dir, control::kList, list, kAgentAway, away);
  if (!listed.ok()) return Fail(call, listed.status());
  control::v1::WaitRequest request;
  request.set_id(call.arguments()[0]);
  if (listed->containers_size() > 0 &&
      listed->containers(0).has_container_id()) {
    request.set_id(listed->containers(0).container_id());
  }
  const auto reply =
      CallPatiently(*work_dir, control::kWait, request, kAgentAway, away);
  if (absl::IsNotFound(reply.status())) {
    return Fail(call, absl::NotFoundError(absl::StrCat(
                          "container \"", call.arguments()[0],
                          "\" was destroyed, and its agent does not know any "
                          "more how it ended")));
  }
  if (!reply.ok()) return Fail(call, reply.status());
  ShowEnd(call, *reply);
  return ExitStatusOf(wire::ExitOf(reply->end()));
}

absl::StatusOr<int> Update(const Call& call) {
  const std::vector<std::string> removed = call.flags.Values("remove");
  if (call.flags.Values("resources").empty() && removed.empty()) {
    return absl::InvalidArgumentError(
        "say what it may use: --resources='cpus:1;mem:64', or --remove=mem");
  }
  const absl::StatusOr<Resources> resources = ResourcesOf(call);
  if (!resources.ok()) return resources.status();
  SayUnknown(*resources);
  control::v1::UpdateRequest request;
  request.set_id(call.arguments()[0]);
  for (const wire::Resource& resource : *resources) {
    *request.add_resources() = resource;
  }
  for (const std::string& name : removed) request.add_removed(name);
  const auto reply = CallAgent(call, control::kUpdate, request);
  return reply.ok() ? 0 : Fail(call, reply.status());
}

absl::StatusOr<int> Destroy(const Call& call) {
  control::v1::DestroyRequest request;
  request.set_id(call.arguments()[0]);
  const auto reply = CallAgent(call, control::kDestroy, request);
  if (!reply.ok()) return Fail(call, reply.status());
  ShowEnd(call, *reply);
  return 0;
}

}  // namespace

Subcommand LaunchSubcommand() {
  Subcommand launch = {"launch",
                       "Starts a command as a container of a standing agent."};
  launch.usage = "-- COMMAND [ARGUMENT ...]";
  launch.description =
      "Starts a command as a container of a standing agent, and prints the "
      "container's\nname when it runs. Its output is in its sandbox, which "
      "`agent list --json` names,\nas it does the id, which is new for each "
      "launch. Other commands take either.\n";
  launch.flags = ClientFlags(
      JoinFlags({TaskFlags(),
                 {{"name", "NAME",
                   "What the container is called; no other of this agent may "
                   "have the name. Default: one that is made up."}}}));
  launch.notes =
      "Exit status: 0 when it runs; 127 if there is no such command, and 126 "
      "if it cannot\nbe executed, where the program says so, as posix does; "
      "125 for all else.\n";
  launch.max_arguments = Subcommand::kCommand;
  launch.run = Launch;
  return launch;
}

Subcommand WaitSubcommand() {
  Subcommand wait = {"wait", "Waits until a container has ended."};
  wait.usage = "CONTAINER";
  wait.description =
      "Waits until a container has ended, and says how; also if the agent is "
      "killed and\nstarted again meanwhile, or if it ended long ago.\n";
  wait.flags = ClientFlags({JsonFlag("Says it as one JSON object on stdout.")});
  wait.notes =
      "Exit status: the container's; 128+N if signal N ended it; 125 if that "
      "is not\nknown.\n";
  wait.min_arguments = wait.max_arguments = 1;
  wait.run = Wait;
  return wait;
}

Subcommand UpdateSubcommand() {
  Subcommand update = {"update", "Changes what a container may use."};
  update.usage = "CONTAINER";
  update.description =
      "Changes what a container may use. What neither --resources nor --remove "
      "names\nstays as it is.\n";
  update.flags = ClientFlags(
      {ResourcesFlag(),
       {"remove", "NAME",
        "Takes the limit on NAME away; as often as needed: --remove=mem "
        "--remove=cpus."}});
  update.min_arguments = update.max_arguments = 1;
  update.run = Update;
  return update;
}

Subcommand DestroySubcommand() {
  Subcommand destroy = {"destroy", "Ends a container and forgets it."};
  destroy.usage = "CONTAINER";
  destroy.description =
      "Ends a container, if it runs, says how it ended, and forgets it, with "
      "the files\nin its sandbox.\n";
  destroy.flags =
      ClientFlags({JsonFlag("Says it as one JSON object on stdout.")});
  destroy.min_arguments = destroy.max_arguments = 1;
  destroy.run = Destroy;
  return destroy;
}

}  // namespace external_containerizer
