// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// posix as a helper with one fault, which is the first argument:
//
//   faulty_helper FAULT serve --socket=PATH
//
// The faults are in faults_test.cc, with the checks that find them.

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/posix_program.h"
#include "external_containerizer/containerizer/program/program_transport.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/testing/conformance/posix_supervisor.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/unix_socket/helper.h"

namespace external_containerizer {
namespace {

class FaultyHelper {
 public:
  FaultyHelper(EventLoop& loop, ttrpc::Server& server, std::string fault)
      : fault_(std::move(fault)), transport_(loop, "faulty_helper", posix_) {
    namespace v1 = helper::v1;
    ttrpc::AddHandler(
        server, helper::kHello,
        [this](const ttrpc::CallContext&, v1::HelloRequest request,
               ttrpc::TypedResponder<v1::HelloReply> responder) {
          responder.Finish(Hello(request));
        });
    ttrpc::AddHandler(server, helper::kPing,
                      [this](const ttrpc::CallContext&, v1::PingRequest,
                             ttrpc::TypedResponder<v1::PingReply> responder) {
                        if (Is("ping-waits") && !keys_.empty()) {
                          return pings_.push_back(std::move(responder));
                        }
                        responder.Finish(v1::PingReply());
                      });
    ttrpc::AddHandler(
        server, helper::kCancel,
        [this](const ttrpc::CallContext&, v1::CancelRequest request,
               ttrpc::TypedResponder<v1::CancelReply> responder) {
          v1::CancelReply reply;
          const auto found = keys_.find(request.key());
          if (found != keys_.end() && !Is("cancel-does-nothing")) {
            transport_.Cancel(found->second);
          }
          responder.Finish(reply);
        });
    for (const Command command : helper::kCommands) {
      ttrpc::AddHandler(
          server, helper::MethodOf(command),
          [this, command](const ttrpc::CallContext&, v1::CommandRequest request,
                          ttrpc::TypedResponder<v1::CommandReply> responder) {
            queue_.push_back([this, command, request = std::move(request),
                              responder = std::move(responder)]() mutable {
              Run(command, std::move(request), std::move(responder));
            });
            RunNext();
          });
    }
  }

 private:
  bool Is(absl::string_view fault) const { return fault_ == fault; }

  helper::v1::HelloReply Hello(const helper::v1::HelloRequest& request) const {
    helper::v1::HelloReply reply;
    const bool common = request.oldest_version() <= helper::kVersion &&
                        request.newest_version() >= helper::kVersion;
    reply.set_version(common ? helper::kVersion : 0);
    if (Is("hello-has-another-version") && common) reply.set_version(2);
    if (Is("hello-agrees") && !common) {
      reply.set_version(request.newest_version());
    }
    reply.set_oldest_version(helper::kVersion);
    reply.set_newest_version(helper::kVersion);
    reply.add_capabilities(helper::kCancelCapability);
    return reply;
  }

  void RunNext() {
    while (!queue_.empty() && (!Is("one-at-a-time") || keys_.empty())) {
      auto next = std::move(queue_.front());
      queue_.pop_front();
      std::move(next)();
    }
  }

  void Run(Command command, helper::v1::CommandRequest request,
           ttrpc::TypedResponder<helper::v1::CommandReply> responder) {
    const uint64_t key = request.key();
    wire::Launch launch;
    if (command == Command::kLaunch &&
        launch.ParseFromString(request.message())) {
      launched_.insert(launch.container_id().value());
    }
    Invocation invocation =
        helper::ToInvocation(command, {}, std::move(request));
    keys_[key] = transport_.Invoke(
        std::move(invocation),
        [this, command, key,
         responder = std::move(responder)](Answer answer) mutable {
          if (Is("memory-alone") && command == Command::kContainers) {
            answer.output = Remembered(answer.output.value_or(""));
          }
          keys_.erase(key);
          responder.Finish(helper::ToReply(std::move(answer)));
          RunNext();
        });
  }

  // The containers in `answer` that this process has launched.
  std::string Remembered(const std::string& answer) const {
    wire::Containers all, known;
    all.ParseFromString(answer);
    for (const wire::ContainerID& id : all.containers()) {
      if (launched_.count(id.value()) != 0) *known.add_containers() = id;
    }
    return known.SerializeAsString();
  }

  const std::string fault_;
  PosixProgram posix_{PosixBesideUs()};
  ProgramTransport transport_;
  std::map<uint64_t, InvocationId> keys_;  // Under way.
  std::deque<absl::AnyInvocable<void() &&>> queue_;
  std::deque<ttrpc::TypedResponder<helper::v1::PingReply>> pings_;
  std::set<std::string> launched_;
};

int Main(const std::string& fault, absl::string_view socket) {
  if (!absl::ConsumePrefix(&socket, "--socket=")) return 98;
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  absl::StatusOr<int> listener = ttrpc::ListenUnix(std::string(socket));
  // A child of one that was killed may hold its socket until it executes.
  const Deadline deadline(absl::Seconds(5));
  while (absl::IsAlreadyExists(listener.status()) && !deadline.Expired()) {
    poll(nullptr, 0, 5);
    listener = ttrpc::ListenUnix(std::string(socket));
  }
  if (!loop.ok() || !listener.ok()) return 90;
  ttrpc::Server server(**loop);
  FaultyHelper helper(**loop, server, fault);
  if (!server.Listen(*listener).ok()) return 90;
  (*loop)->Run();  // Until it is killed.
  return 0;
}

}  // namespace
}  // namespace external_containerizer

int main(int argc, char** argv) {
  namespace ec = external_containerizer;
  if (argc != 4) {
    fprintf(stderr, "usage: faulty_helper FAULT serve --socket=PATH\n");
    return 98;
  }
  return ec::Main(argv[1], argv[3]);
}
