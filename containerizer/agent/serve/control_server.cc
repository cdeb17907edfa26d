// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/control_server.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/agent/serve/control.h"

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
  spec.id = request.id();
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

Done<wire::Termination> AnswerWithEnd(TypedResponder<EndReply> responder) {
  return [responder = std::move(responder)](
             absl::StatusOr<wire::Termination> end) mutable {
    if (!end.ok()) return responder.Fail(end.status());
    EndReply reply;
    *reply.mutable_end() = *std::move(end);
    responder.Finish(reply);
  };
}

// One page of a list, on its way.
struct Page {
  ListReply reply;
  TypedResponder<ListReply> responder;
  size_t missing = 0;  // Answers about usage.
  EventLoop::TimerId timer = 0;
  bool sent = false;

  void Send(EventLoop& loop) {
    if (std::exchange(sent, true)) return;
    loop.CancelTimer(timer);
    responder.Finish(reply);
  }
};

constexpr absl::string_view kNoAnswer =
    "what it uses could not be learnt in time";

void AskUsage(EventLoop& loop, StandingAgent& agent,
              const std::shared_ptr<Page>& page) {
  page->missing = 1;
  for (int i = 0; i < page->reply.containers_size(); ++i) {
    ListReply::Container& container = *page->reply.mutable_containers(i);
    if (container.state() != "running") continue;
    if (!container.has_problem()) container.set_problem(std::string(kNoAnswer));
    ++page->missing;
    agent.Usage(
        container.id(),
        [&loop, page,
         i](absl::StatusOr<std::optional<wire::ResourceStatistics>> usage) {
          if (page->sent) return;
          ListReply::Container& asked = *page->reply.mutable_containers(i);
          if (asked.problem() == kNoAnswer) asked.clear_problem();
          if (!usage.ok()) {
            asked.set_problem(std::string(usage.status().message()));
          } else if (usage->has_value()) {
            *asked.mutable_usage() = **std::move(usage);
          }
          if (--page->missing == 0) page->Send(loop);
        });
  }
  if (--page->missing == 0) return page->Send(loop);
  page->timer =
      loop.RunAfter(kListUsageTime, [&loop, page] { page->Send(loop); });
}

void Add(StandingAgent::Listed listed, ListReply& reply) {
  ListReply::Container& container = *reply.add_containers();
  container.set_id(std::move(listed.id));
  container.set_state(std::move(listed.state));
  container.set_command(std::move(listed.command));
  container.set_sandbox(std::move(listed.sandbox));
  if (listed.end) *container.mutable_end() = *std::move(listed.end);
  if (!listed.problem.empty()) container.set_problem(std::move(listed.problem));
}

absl::Status FillPage(const StandingAgent& agent, const ListRequest& request,
                      ListReply& reply) {
  std::vector<StandingAgent::Listed> listed;
  if (request.ids_size() > 0) {
    const std::set<std::string> ids(request.ids().begin(), request.ids().end());
    for (const std::string& id : ids) {
      absl::StatusOr<StandingAgent::Listed> found = agent.Find(id);
      if (!found.ok()) return found.status();
      if (id > request.after()) listed.push_back(*std::move(found));
    }
  } else {
    listed = agent.List(request.after(), control::kListContainers + 1);
  }
  size_t bytes = 0;
  for (StandingAgent::Listed& container : listed) {
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
        agent.Launch(SpecOf(request),
                     [responder = std::move(responder)](
                         absl::StatusOr<ContainerId> id) mutable {
                       if (!id.ok()) return responder.Fail(id.status());
                       LaunchReply reply;
                       reply.set_id(*std::move(id));
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
               // Who does not wait any more is not kept.
               auto wait = std::make_shared<uint64_t>(0);
               responder.WhenCancelled(
                   [&agent, id = request.id(), wait](absl::Status) {
                     agent.CancelWait(id, *wait);
                   });
               *wait = agent.Wait(request.id(),
                                  AnswerWithEnd(std::move(responder)));
             });
  AddHandler(
      server, control::kUpdate,
      [&agent](const CallContext&, const UpdateRequest& request,
               TypedResponder<UpdateReply> responder) {
        agent.Update(
            request.id(),
            {request.resources().begin(), request.resources().end()},
            [responder = std::move(responder)](absl::Status status) mutable {
              if (!status.ok()) return responder.Fail(status);
              responder.Finish(UpdateReply());
            });
      });
  AddHandler(server, control::kDestroy,
             [&agent](const CallContext&, const DestroyRequest& request,
                      TypedResponder<EndReply> responder) {
               agent.Destroy(request.id(), AnswerWithEnd(std::move(responder)));
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
