// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A stream of ttrpc goes to a server as its requests, and to a client as its
// replies, over socket pairs.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/fuzz/decisions.h"
#include "external_containerizer/testing/fuzz/fuzz_target.h"
#include "external_containerizer/testing/fuzz/streams.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

// Turns of the loop. Everything that must happen has happened by then.
constexpr int kPatience = 5000;

class Loop {
 public:
  void Turn() {
    loop_->Post([this] { loop_->Stop(); });
    loop_->Run();
  }
  EventLoop& operator*() { return *loop_; }

 private:
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
};

class ServerUnderTest {
 public:
  ServerUnderTest(Loop& loop, Decisions& next)
      : next_(next), server_(*loop, Options(next)) {
    Handle("Echo", [](absl::string_view request, Responder responder) {
      responder.Finish(std::string(request));
    });
    Handle("Fail", [](absl::string_view, Responder responder) {
      responder.Finish(absl::AbortedError("bad \xff byte"));
    });
    Handle("Keep", [this](absl::string_view, Responder responder) {
      kept_.push_back(std::move(responder));
    });
    // Ends as soon as nobody waits for it.
    Handle("Stop", [this](absl::string_view, Responder responder) {
      auto shared = std::make_shared<Responder>(std::move(responder));
      shared->WhenCancelled(
          [shared](absl::Status why) { shared->Finish(std::move(why)); });
      stopping_.push_back(shared);
    });
  }

  void AnswerOne() {
    if (!stopping_.empty() && next_.Below(2) == 0) {
      if (const auto responder = stopping_.back().lock()) {
        responder->Finish("stopped");
      }
      stopping_.pop_back();
    } else if (!kept_.empty()) {
      std::swap(kept_[next_.Below(kept_.size())], kept_.back());
      if (next_.Below(4) != 0) kept_.back().Finish("kept");
      kept_.pop_back();
    }
  }
  void AnswerAll() {
    while (!stopping_.empty() || !kept_.empty()) AnswerOne();
  }

  Server& server() { return server_; }

 private:
  static ServerOptions Options(Decisions& next) {
    ServerOptions options;
    options.max_in_flight = 1 + next.Below(8);
    options.stop_reading_above = next.Below(3000);
    return options;
  }

  void Handle(const char* method,
              absl::AnyInvocable<void(absl::string_view, Responder)> handler) {
    server_.AddHandler(kFuzzService, method,
                       [handler = std::move(handler)](
                           const CallContext&, absl::string_view request,
                           Responder responder) mutable {
                         handler(request, std::move(responder));
                       });
  }

  Decisions& next_;
  std::vector<Responder> kept_;
  std::vector<std::weak_ptr<Responder>> stopping_;
  Server server_;
};

void FuzzServer(const std::string& stream, const Contents& expected,
                Decisions next) {
  Loop loop;
  ServerUnderTest under_test(loop, next);
  Server& server = under_test.server();
  RawPeer bystander;
  RawPeer peer;
  Require(server.Adopt(bystander.TakeOther()).ok() &&
              server.Adopt(peer.TakeOther()).ok(),
          "connections are served", stream);
  std::map<uint32_t, int> replies;
  const auto take_replies = [&] {
    while (peer.Poll()) {
      const SeenFrame reply = peer.Read(*loop);
      if (reply.type != FrameType::kResponse) return peer.AtEnd();
      wire::Response response;
      Require(response.ParseFromString(reply.body), "replies are readable",
              stream);
      ++replies[reply.id];
    }
    return false;
  };
  const auto all_answered = [&] {
    for (const auto& [id, count] : expected.questions) {
      if (replies.count(id) == 0) return false;
    }
    return true;
  };
  absl::string_view rest = stream;
  bool closed = false;
  for (int i = 0; i < kPatience && !closed && !rest.empty(); ++i) {
    rest.remove_prefix(
        peer.WriteSome(rest.substr(0, SomeCut(rest.size(), next))));
    if (next.Below(3) == 0) under_test.AnswerOne();
    loop.Turn();
    closed = take_replies();
    if (next.done()) under_test.AnswerAll();
  }
  for (int i = 0; i < kPatience && !closed; ++i) {
    if (all_answered() && !expected.corrupt) break;
    under_test.AnswerAll();
    loop.Turn();
    closed = take_replies();
  }
  Require(closed == expected.corrupt,
          "a connection is closed if its stream is corrupt, and only then",
          stream);
  Require(closed || all_answered(), "every request is answered", stream);
  for (int i = 0; i < 3; ++i) {
    loop.Turn();
    take_replies();
  }
  for (const auto& [id, count] : replies) {
    const auto asked = expected.questions.find(id);
    Require(asked != expected.questions.end() && count <= asked->second,
            "nothing is answered twice, or unasked", stream);
  }
  peer.Close();
  for (int i = 0; i < kPatience && server.connections() > 1; ++i) loop.Turn();
  Require(server.connections() == 1 && server.in_flight() == 0,
          "a lost connection is forgotten", stream);
  bystander.WriteSome(RequestFrame(1, kFuzzService, "Echo", "ping"));
  for (int i = 0; i < kPatience && !bystander.Poll(); ++i) loop.Turn();
  Require(bystander.Poll() && bystander.Read(*loop).id == 1,
          "other connections are served on", stream);
}

void FuzzClient(const std::string& stream, const Contents& expected,
                Decisions next) {
  Loop loop;
  RawPeer peer;
  std::unique_ptr<Client> client = *Client::Create(*loop, peer.TakeOther());
  const size_t destroyer = next.Below(3 * kMaxFuzzCalls);
  const size_t calls = 1 + next.Below(kMaxFuzzCalls);
  std::vector<int> ends(calls, 0);
  size_t ended = 0;
  std::vector<Client::CallId> ids;
  for (size_t i = 0; i < calls; ++i) {
    CallOptions options;
    if (next.Below(8) == 7) options.timeout = absl::Nanoseconds(1);
    const uint32_t id = static_cast<uint32_t>(2 * i + 1);
    ids.push_back(client->Call(
        kFuzzService, "Echo", std::string(next.Below(100), 'x'), options,
        [&, i, id](CallResult<std::string> result) {
          ++ended;
          Require(++ends[i] == 1, "no call ends twice", stream);
          Require(result.outcome != Outcome::kAnswered ||
                      expected.replies.count(id) > 0,
                  "what is answered has a reply", stream);
          Require(!result.reply.ok() || result.outcome == Outcome::kAnswered,
                  "a reply is an answer", stream);
          if (i == destroyer) client = nullptr;
        }));
    Require(ids.back() == id, "ids are odd and rise", stream);
  }
  if (client != nullptr) {
    client->WhenClosed([&](absl::Status) {
      Require(ended == calls, "the connection ends after its calls", stream);
    });
  }
  absl::string_view rest = stream;
  for (int i = 0; i < kPatience && !rest.empty() && !peer.AtEnd(); ++i) {
    if (next.Below(4) != 0) loop.Turn();
    if (client != nullptr && next.Below(16) == 15) {
      client->Cancel(ids[next.Below(ids.size())]);
    }
    rest.remove_prefix(
        peer.WriteSome(rest.substr(0, SomeCut(rest.size(), next))));
    if (next.done()) loop.Turn();
  }
  loop.Turn();
  peer.Close();
  for (int i = 0; i < kPatience && ended < calls; ++i) loop.Turn();
  Require(ended == calls, "every call ends", stream);
  Require(client == nullptr || client->outstanding() == 0, "no call is left",
          stream);
  client = nullptr;
  for (int i = 0; i < 3; ++i) loop.Turn();
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace external_containerizer::ttrpc;  // NOLINT
  external_containerizer::Decisions next(data, size / 2);
  const std::string stream = SomeStream(next);
  const Contents expected = ContentsOf(stream);
  // Both decide with the same second half.
  const external_containerizer::Decisions rest(data + size / 2,
                                               size - size / 2);
  FuzzServer(stream, expected, rest);
  FuzzClient(stream, expected, rest);
  return 0;
}
