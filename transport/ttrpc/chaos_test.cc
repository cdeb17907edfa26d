// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A client and a server with a wire between them that cuts the stream anywhere,
// stalls and breaks, while calls are cancelled, time out and are answered in
// any order. Whatever happens, each call ends once, and with the truth.

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

void MakePair(int (&fds)[2]) {
  ASSERT_EQ(
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
      0);
}

// Carries bytes from one descriptor to another, some at a time.
class Wire {
 public:
  // False once it is broken.
  bool Carry(int from, int to, size_t most) {
    if (pending_.empty() && most > 0) {
      std::string buffer(most, 0);
      const ssize_t n = recv(from, buffer.data(), buffer.size(), 0);
      if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
      pending_ = buffer.substr(0, n < 0 ? 0 : static_cast<size_t>(n));
    }
    if (pending_.empty()) return true;
    const ssize_t n = send(to, pending_.data(), pending_.size(), MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    pending_.erase(0, static_cast<size_t>(n));
    return true;
  }

 private:
  std::string pending_;
};

class Chaos {
 public:
  explicit Chaos(uint32_t seed) : random_(seed) {}

  void Run() {
    int near[2], far[2];
    MakePair(near);
    MakePair(far);
    ServerOptions options;
    options.max_in_flight = 1 + Below(40);
    options.stop_reading_above = 1 + Below(200'000);
    Server server(*loop_, options);
    server.AddHandler(
        "s", "m",
        [this](const CallContext&, absl::string_view request,
               Responder responder) { Handle(request, std::move(responder)); });
    ASSERT_THAT(server.Adopt(far[1]), IsOk());
    client_ = *Client::Create(*loop_, near[0]);
    const uint32_t steps = 20 + Below(400);
    const uint32_t appetite = 1 + Below(3) * Below(100'000);
    bool whole = true;
    for (uint32_t step = 0; step < steps; ++step) {
      Act();
      if (Below(4) != 0) {
        whole = whole && there_.Carry(near[1], far[0], Below(appetite)) &&
                back_.Carry(far[0], near[1], Below(appetite));
      }
      Turn();
    }
    bool lost = Below(2) == 0;
    if (lost) {
      close(near[1]);
      close(far[0]);
    }
    while (calls_made_ > ends_.size()) {
      if (!lost) {
        whole = whole && there_.Carry(near[1], far[0], 1 << 20) &&
                back_.Carry(far[0], near[1], 1 << 20);
      }
      if (!held_.empty()) Answer();
      Turn();
    }
    if (!lost) {
      close(near[1]);
      close(far[0]);
    }
    // A call that was half written when its time ended is as good a reason.
    if (half_written_) lost = true;
    EXPECT_TRUE(whole || half_written_);
    Check(lost);
    if (!lost) {
      EXPECT_THAT(client_->status(), IsOk());
    }
    client_ = nullptr;
    for (int i = 0; i < 5; ++i) Turn();
    held_.clear();
    EXPECT_EQ(server.connections(), 0u);
  }

 private:
  struct End {
    absl::Status status;
    Outcome outcome;
  };

  uint32_t Below(size_t bound) {
    return static_cast<uint32_t>(random_() % bound);
  }

  void Turn() {
    loop_->Post([this] { loop_->Stop(); });
    loop_->Run();
  }

  void Act() {
    switch (Below(4)) {
      case 0:
        for (uint32_t n = Below(8); n > 0; --n) MakeCall();
        break;
      case 1:
        if (!ids_.empty()) client_->Cancel(ids_[Below(ids_.size())]);
        break;
      default:
        for (uint32_t n = Below(6); n > 0 && !held_.empty(); --n) Answer();
    }
  }

  void MakeCall() {
    const std::string name = absl::StrCat("call ", calls_made_++, ":");
    const uint32_t size = Below(20) == 0 ? Below(300'000) : Below(300);
    CallOptions options;
    if (Below(10) == 0) options.timeout = absl::Microseconds(Below(50));
    if (size > 300) options.timeout = absl::InfiniteDuration();
    const auto id = client_->Call(
        "s", "m", name + std::string(size, 'x'), options,
        [this, name](CallResult<std::string> result) {
          if (result.reply.ok()) {
            EXPECT_EQ(result.reply->substr(0, name.size()), name);
            EXPECT_EQ(result.outcome, Outcome::kAnswered);
          }
          if (absl::IsUnavailable(result.reply.status()) &&
              absl::StrContains(result.reply.status().message(), "middle")) {
            half_written_ = true;
          }
          const bool first =
              ends_.emplace(name, End{result.reply.status(), result.outcome})
                  .second;
          EXPECT_TRUE(first) << name << " ended twice";
        });
    if (id != 0) ids_.push_back(id);
  }

  void Handle(absl::string_view request, Responder responder) {
    const std::string name(request.substr(0, request.find(':') + 1));
    EXPECT_TRUE(seen_.insert(name).second) << name << " came twice";
    if (Below(3) == 0) {
      responder.Finish(std::string(request));
    } else {
      held_.emplace_back(std::string(request), std::move(responder));
    }
  }

  void Answer() {
    const size_t i = Below(held_.size());
    std::swap(held_[i], held_.back());
    auto [request, responder] = std::move(held_.back());
    held_.pop_back();
    if (Below(10) == 0) return;  // INTERNAL, by the responder itself.
    responder.Finish(std::move(request));
  }

  void Check(bool lost) {
    for (const auto& [name, end] : ends_) {
      if (end.outcome == Outcome::kNotSent) {
        EXPECT_EQ(seen_.count(name), 0u)
            << name << " was acted on: " << end.status;
      }
      if (end.outcome == Outcome::kAnswered && end.status.ok()) {
        EXPECT_EQ(seen_.count(name), 1u) << name;
      }
      if (!lost) {
        EXPECT_FALSE(absl::IsUnavailable(end.status)) << name << end.status;
      }
    }
  }

  std::mt19937 random_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Client> client_;
  Wire there_, back_;
  bool half_written_ = false;
  uint32_t calls_made_ = 0;
  std::vector<Client::CallId> ids_;
  std::map<std::string, End> ends_;
  std::set<std::string> seen_;
  std::vector<std::pair<std::string, Responder>> held_;
};

TEST(ChaosTest, EveryCallEndsOnceAndWithTheTruth) {
  for (uint32_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    Chaos(seed).Run();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer
