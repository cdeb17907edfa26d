// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/control_server.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/containerizer/program/exit_code.h"

namespace external_containerizer {
namespace {

using control::v1::DestroyRequest;
using control::v1::EndReply;
using control::v1::EventsReply;
using control::v1::EventsRequest;
using control::v1::LaunchReply;
using control::v1::ListReply;
using control::v1::ListRequest;
using control::v1::UpdateReply;
using control::v1::UpdateRequest;
using control::v1::WaitRequest;
using ttrpc::CallContext;
using ttrpc::TypedResponder;

StandingAgent::LaunchSpec SpecOf(const control::v1::LaunchRequest& request) {
  StandingAgent::LaunchSpec spec;
  spec.name = request.id();
  spec.command.program = request.program();
  spec.command.arguments.assign(request.arguments().begin(),
                                request.arguments().end());
  for (const control::v1::LaunchRequest::Variable& variable :
       request.environment()) {
    spec.command.environment.emplace_back(variable.name(), variable.value());
  }
  spec.resources.assign(request.resources().begin(), request.resources().end());
  spec.command.user = request.user();
  spec.command.shell = request.shell();
  return spec;
}

// `which` is the name or the id in the request.
Done<wire::Termination> AnswerWithEnd(const StandingAgent& agent,
                                      const std::string& which,
                                      TypedResponder<EndReply> responder) {
  const absl::StatusOr<StandingAgent::ContainerInfo> found = agent.Find(which);
  EndReply reply;
  if (found.ok()) {
    reply.set_name(found->name);
    reply.set_container_id(found->id);
  }
  return [reply = std::move(reply), responder = std::move(responder)](
             absl::StatusOr<wire::Termination> end) mutable {
    if (!end.ok()) return responder.Fail(end.status());
    *reply.mutable_end() = *std::move(end);
    responder.Finish(reply);
  };
}

// A page of the list that waits for the usage of its containers.
struct Page {
  ListReply reply;
  TypedResponder<ListReply> responder;
  std::set<int> unanswered =
      {};              // The containers whose usage is not known yet.
  bool asked = false;  // All usages were asked for.
  EventLoop::TimerId timer = 0;
  bool sent = false;

  void Send(EventLoop& loop) {
    if (std::exchange(sent, true)) return;
    loop.CancelTimer(timer);
    for (const int i : unanswered) {
      ListReply::Container& container = *reply.mutable_containers(i);
      if (container.has_problem()) continue;
      container.set_problem("what it uses could not be learnt in time");
    }
    responder.Finish(reply);
  }
};

void AskUsage(EventLoop& loop, StandingAgent& agent,
              const std::shared_ptr<Page>& page) {
  for (int i = 0; i < page->reply.containers_size(); ++i) {
    const ListReply::Container& container = page->reply.containers(i);
    if (container.state() != "running") continue;
    page->unanswered.insert(i);
    agent.Usage(
        container.container_id(),
        [&loop, page,
         i](absl::StatusOr<std::optional<wire::ResourceStatistics>> usage) {
          if (page->sent) return;
          ListReply::Container& asked = *page->reply.mutable_containers(i);
          page->unanswered.erase(i);
          if (!usage.ok()) {
            asked.set_problem(std::string(usage.status().message()));
          } else if (usage->has_value()) {
            *asked.mutable_usage() = **std::move(usage);
          }
          if (page->asked && page->unanswered.empty()) page->Send(loop);
        });
  }
  page->asked = true;
  if (page->unanswered.empty()) return page->Send(loop);
  page->timer =
      loop.RunAfter(kListUsageTime, [&loop, page] { page->Send(loop); });
}

void Add(StandingAgent::ContainerInfo listed, ListReply& reply) {
  ListReply::Container& container = *reply.add_containers();
  container.set_id(std::move(listed.name));
  container.set_container_id(std::move(listed.id));
  container.set_state(std::move(listed.state));
  container.set_command(absl::StrJoin(listed.command, " "));
  for (std::string& argument : listed.command) {
    container.add_arguments(std::move(argument));
  }
  container.set_sandbox(std::move(listed.sandbox));
  if (listed.end) *container.mutable_end() = *std::move(listed.end);
  if (!listed.problem.empty()) container.set_problem(std::move(listed.problem));
}

absl::Status FillPage(const StandingAgent& agent, const ListRequest& request,
                      ListReply& reply) {
  std::vector<StandingAgent::ContainerInfo> listed;
  if (request.ids_size() > 0) {
    std::map<std::string, StandingAgent::ContainerInfo> named;
    for (const std::string& id : request.ids()) {
      absl::StatusOr<StandingAgent::ContainerInfo> found = agent.Find(id);
      if (!found.ok()) return found.status();
      named.emplace(found->name, *found);
    }
    for (auto& [name, found] : named) {
      if (name > request.after()) listed.push_back(std::move(found));
    }
  } else {
    listed = agent.List(request.after(), control::kListContainers + 1);
  }
  size_t bytes = 0;
  for (StandingAgent::ContainerInfo& container : listed) {
    const size_t count = static_cast<size_t>(reply.containers_size());
    if (count == control::kListContainers || bytes > control::kListBytes) {
      reply.set_more(true);
      break;
    }
    Add(std::move(container), reply);
    bytes += reply.containers(static_cast<int>(count)).ByteSizeLong();
  }
  return absl::OkStatus();
}

}  // namespace

void AddControlHandlers(ttrpc::Server& server, EventLoop& loop,
                        StandingAgent& agent, EventLog& events) {
  AddHandler(
      server, control::kLaunch,
      [&agent](const CallContext&, const control::v1::LaunchRequest& request,
               TypedResponder<LaunchReply> responder) {
        agent.Launch(
            SpecOf(request), [responder = std::move(responder), request](
                                 absl::StatusOr<Identity> launched) mutable {
              LaunchReply reply;
              if (launched.ok()) {
                reply.set_id(launched->name);
                reply.set_container_id(launched->id);
                return responder.Finish(reply);
              }
              const std::optional<int> exit = ExitCodeOf(launched.status());
              if (!exit.has_value() || !request.refusal_in_reply()) {
                return responder.Fail(launched.status());
              }
              reply.set_id(request.id());
              reply.set_refusal(std::string(launched.status().message()));
              reply.set_exit_status(static_cast<uint32_t>(*exit));
              responder.Finish(reply);
            });
      });
  AddHandler(server, control::kList,
             [&loop, &agent](const CallContext&, const ListRequest& request,
                             TypedResponder<ListReply> responder) {
               auto page = std::make_shared<Page>(
                   Page{ListReply(), std::move(responder)});
               absl::Status filled = FillPage(agent, request, page->reply);
               if (!filled.ok()) {
                 page->responder.Fail(std::move(filled));
               } else if (request.with_usage()) {
                 AskUsage(loop, agent, page);
               } else {
                 page->Send(loop);
               }
             });
  AddHandler(server, control::kWait,
             [&agent](const CallContext&, const WaitRequest& request,
                      TypedResponder<EndReply> responder) {
               // A client that goes away must not stay among those that wait.
               auto wait = std::make_shared<uint64_t>(0);
               responder.WhenCancelled(
                   [&agent, id = request.id(), wait](absl::Status) {
                     agent.CancelWait(id, *wait);
                   });
               *wait = agent.Wait(
                   request.id(),
                   AnswerWithEnd(agent, request.id(), std::move(responder)));
             });
  AddHandler(
      server, control::kUpdate,
      [&agent](const CallContext&, const UpdateRequest& request,
               TypedResponder<UpdateReply> responder) {
        agent.Update(
            request.id(),
            {{request.resources().begin(), request.resources().end()},
             {request.removed().begin(), request.removed().end()}},
            [responder = std::move(responder)](absl::Status status) mutable {
              if (!status.ok()) return responder.Fail(status);
              responder.Finish(UpdateReply());
            });
      });
  AddHandler(server, control::kDestroy,
             [&agent](const CallContext&, const DestroyRequest& request,
                      TypedResponder<EndReply> responder) {
               agent.Destroy(request.id(), AnswerWithEnd(agent, request.id(),
                                                         std::move(responder)));
             });
  AddHandler(server, control::kEvents,
             [&events](const CallContext&, const EventsRequest& request,
                       TypedResponder<EventsReply> responder) {
               events.Next(request, [responder = std::move(responder)](
                                        EventsReply reply) mutable {
                 responder.Finish(reply);
               });
             });
}

}  // namespace external_containerizer
