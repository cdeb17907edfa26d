// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A connection to a helper, and whether that is still alive: one that says
// nothing while calls are outstanding is asked, and given up if it hangs.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_LINK_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_LINK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/unix_socket/connector.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/options.h"

namespace external_containerizer {

// On the loop's thread only.
class HelperLink {
 public:
  // `lost` is called once, from the loop, with why: the connection is gone, or
  // the helper hangs. Not by the destructor.
  HelperLink(EventLoop& loop, HelperConnection connection,
             const UnixSocketOptions& options,
             std::function<void(const std::string& why)> lost);
  ~HelperLink();
  HelperLink(const HelperLink&) = delete;
  HelperLink& operator=(const HelperLink&) = delete;

  const HelperConnection& helper() const { return helper_; }
  // Null when it is lost. Calls that end because it hangs end with CANCELLED.
  ttrpc::Client* client() const { return helper_.client.get(); }
  // For new commands.
  bool Usable() const;
  // Whether calls end because the connection is gone.
  bool Closed() const;
  // For calls that end because the connection is closed: calls `tell` in a
  // moment, from the loop, with why. Not called if the link is destroyed first.
  void TellWhyLost(absl::AnyInvocable<void(const std::string&) &&> tell);

  // The helper said that it serves no more commands.
  void ShutsDown() { shuts_down_ = true; }
  // It said something.
  void Heard() { ++heard_; }
  // To be called after each call: from now on it should say something.
  void Probe();

 private:
  void Ask();
  void Judge();
  void Lost(const std::string& why);

  // Only while we are there.
  template <typename F>
  auto Guarded(F f) {
    return [f = std::move(f),
            alive = std::weak_ptr<bool>(alive_)](auto... arguments) mutable {
      if (!alive.expired()) f(std::move(arguments)...);
    };
  }

  EventLoop& loop_;
  HelperConnection helper_;
  const absl::Duration probe_interval_;
  const absl::Duration probe_timeout_;
  const std::function<void(const std::string& why)> lost_;
  bool shuts_down_ = false;
  // Asked together: there may be very many calls.
  std::vector<absl::AnyInvocable<void(const std::string&) &&>> asked_;
  uint64_t heard_ = 0;
  uint64_t heard_before_ = 0;  // Of `heard_`, when it was last looked at.
  EventLoop::TimerId timer_ = 0;
  bool asking_ = false;
  ttrpc::Client::CallId ping_ = 0;  // While `asking_`.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_LINK_H_
