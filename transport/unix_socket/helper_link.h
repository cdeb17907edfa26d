// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A connection to a helper, and a watch over it: a helper that sends nothing
// while calls are outstanding gets a Ping, and is given up if it does not
// answer.
//
//   HelperLink link(loop, std::move(connection), options,
//                   [](const HelperLink*, const std::string& why) { ... });
//   ttrpc::Call(*link.client(), ...);
//   link.Probe();

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_LINK_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_LINK_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/alive.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/unix_socket/connector.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/options.h"

namespace external_containerizer {

// On the loop's thread only.
class HelperLink {
 public:
  // `lost` is called once, from the loop, with the reason, when the connection
  // is lost or the helper hangs. All calls end before it, up to 50 ms. The
  // destructor does not call it.
  HelperLink(EventLoop& loop, HelperConnection connection,
             const UnixSocketOptions& options,
             std::function<void(const HelperLink*, const std::string&)> lost);
  ~HelperLink();
  HelperLink(const HelperLink&) = delete;
  HelperLink& operator=(const HelperLink&) = delete;

  const HelperConnection& helper() const { return helper_; }
  // Null when the helper hangs: then its calls end with CANCELLED. If the
  // connection is lost they end with UNAVAILABLE.
  ttrpc::Client* client() const { return helper_.client.get(); }
  // Whether new commands may be sent.
  bool Usable() const;
  // Whether the connection is lost, or was given up.
  bool Closed() const;

  // To be called when the helper refuses a command because it shuts down.
  void ShutsDown() { shuts_down_ = true; }
  // To be called for every reply of the helper.
  void Heard() { heard_ = true; }
  // To be called after every call to the helper: from now on it has to reply.
  void Probe();

 private:
  void Ask();
  void GiveUp();
  void OnClosed(const absl::Status& why);

  EventLoop& loop_;
  HelperConnection helper_;
  const absl::Duration probe_interval_;
  const absl::Duration probe_timeout_;
  const std::function<void(const HelperLink*, const std::string&)> lost_;
  bool shuts_down_ = false;
  bool heard_ = false;   // A reply has come since the last Probe().
  bool asking_ = false;  // A Ping is under way.
  EventLoop::TimerId timer_ = 0;
  const Alive alive_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_LINK_H_
