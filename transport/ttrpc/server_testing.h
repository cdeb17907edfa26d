// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A server in this thread, and hand-made peers that write to it what they like.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_TESTING_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_TESTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {

inline constexpr char kService[] = "ec.v1.Helper";

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { Start({}); }

  // `Echo` answers with its request, `Keep` keeps its responder in kept_.
  void Start(ServerOptions options) {
    server_ = std::make_unique<Server>(*loop_, std::move(options));
    server_->AddHandler(kService, "Echo",
                        [this](const CallContext&, absl::string_view request,
                               Responder responder) {
                          ++echoes_;
                          responder.Finish(std::string(request));
                        });
    server_->AddHandler(
        kService, "Keep",
        [this](const CallContext&, absl::string_view, Responder responder) {
          kept_.push_back(std::move(responder));
        });
  }

  RawPeer Connect() {
    RawPeer peer;
    EXPECT_THAT(server_->Adopt(peer.TakeOther()), IsOk());
    return peer;
  }

  void ExpectEcho(RawPeer& peer, uint32_t id) {
    peer.Write(*loop_, RequestFrame(id, kService, "Echo", "ping"));
    const SeenFrame seen = peer.Read(*loop_);
    EXPECT_EQ(seen.id, id);
    EXPECT_EQ(std::string(seen.AsResponse().payload()), "ping");
  }

  SeenFrame ReadWhileWriting(RawPeer& peer, absl::string_view& rest) {
    RunUntil(*loop_, [&] {
      const size_t n = peer.WriteSome(rest);
      rest.remove_prefix(n);
      return n == 0 && peer.Poll();
    });
    return peer.Read(*loop_);
  }

  void ExpectError(RawPeer& peer, uint32_t id, absl::StatusCode code,
                   absl::string_view message) {
    const SeenFrame seen = peer.Read(*loop_);
    EXPECT_EQ(seen.id, id);
    const wire::Response response = seen.AsResponse();
    EXPECT_EQ(response.status().code(), static_cast<int>(code));
    EXPECT_THAT(std::string(response.status().message()),
                ::testing::HasSubstr(std::string(message)));
  }

  void Turn() {
    loop_->Post([&] { loop_->Stop(); });
    loop_->Run();
  }

  void ExpectClosed(RawPeer& peer) {
    RunUntil(*loop_, [&] { return peer.AtEnd(); });
  }

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  int echoes_ = 0;
  std::vector<Responder> kept_;
  std::unique_ptr<Server> server_;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_TESTING_H_
