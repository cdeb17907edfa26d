// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A complete server and client. Here they share a process, and so a loop; apart
// they do the same, each with a loop of its own.

#include <stdlib.h>

#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/example.pb.h"
#include "external_containerizer/transport/ttrpc/method.h"

namespace ec = external_containerizer;
namespace ttrpc = external_containerizer::ttrpc;
using example::v1::GreetReply;
using example::v1::GreetRequest;

// Declared once, for both sides.
constexpr ttrpc::Method<GreetRequest, GreetReply> kGreet{"example.v1.Greeter",
                                                         "Greet"};

absl::Status Serve(ttrpc::Server& server, const std::string& path) {
  ttrpc::AddHandler(
      server, kGreet,
      [](const ttrpc::CallContext&, GreetRequest request,
         ttrpc::TypedResponder<GreetReply> responder) {
        if (request.name().empty()) {
          return responder.Fail(absl::InvalidArgumentError("greet whom?"));
        }
        GreetReply reply;
        reply.set_text("Hello, " + request.name() + "!");
        responder.Finish(reply);
      });
  const absl::StatusOr<int> listener = ttrpc::ListenUnix(path);
  return listener.ok() ? server.Listen(*listener) : listener.status();
}

int Fail(const absl::Status& status) {
  std::cerr << status << "\n";
  return EXIT_FAILURE;
}

int main(int argc, char** argv) {
  const char* const directory = getenv("TEST_TMPDIR");
  const std::string path =
      argc > 1 ? argv[1]
               : std::string(directory != nullptr ? directory : ".") +
                     "/example/socket";
  auto loop = ec::EventLoop::Create();
  if (!loop.ok()) return Fail(loop.status());

  ttrpc::Server server(**loop);
  const absl::Status serving = Serve(server, path);
  if (!serving.ok()) return Fail(serving);

  auto client = ttrpc::Client::Connect(**loop, path);
  if (!client.ok()) return Fail(client.status());
  GreetRequest request;
  request.set_name("world");
  absl::Status status;
  ttrpc::Call(**client, kGreet, request, {absl::Seconds(5), {}},
              [&](ttrpc::CallResult<GreetReply> result) {
                status = result.reply.status();
                if (status.ok()) std::cout << result.reply->text() << "\n";
                (*loop)->Stop();
              });
  (*loop)->Run();
  return status.ok() ? EXIT_SUCCESS : Fail(status);
}
