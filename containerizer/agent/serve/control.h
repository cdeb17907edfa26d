// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The methods with which clients speak to a standing agent: ttrpc, on a Unix
// socket in its work_dir that only its user and root can reach. control.proto
// says what the messages mean.
//
//   const auto client = ttrpc::Client::Connect(loop, SocketPath(work_dir));
//   ttrpc::Call(**client, control::kWait, request, {}, done);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/agent/serve/control.pb.h"
#include "external_containerizer/transport/ttrpc/method.h"

namespace external_containerizer {
namespace control {

namespace v1 = ::external_containerizer::agent::v1;

inline constexpr absl::string_view kService =
    "external_containerizer.agent.v1.Control";

inline constexpr ttrpc::Method<v1::LaunchRequest, v1::LaunchReply> kLaunch{
    kService, "Launch"};
inline constexpr ttrpc::Method<v1::ListRequest, v1::ListReply> kList{kService,
                                                                     "List"};
// Is answered when the container has ended. May be called again until Destroy.
inline constexpr ttrpc::Method<v1::WaitRequest, v1::EndReply> kWait{kService,
                                                                    "Wait"};
inline constexpr ttrpc::Method<v1::UpdateRequest, v1::UpdateReply> kUpdate{
    kService, "Update"};
// Ends the container if it runs, removes its sandbox, and forgets it.
inline constexpr ttrpc::Method<v1::DestroyRequest, v1::EndReply> kDestroy{
    kService, "Destroy"};
inline constexpr ttrpc::Method<v1::EventsRequest, v1::EventsReply> kEvents{
    kService, "Events"};

// A ListReply ends after so many bytes or containers, with `more` set.
inline constexpr size_t kListBytes = size_t{1} << 20;
inline constexpr size_t kListContainers = 1000;

// Returns the path of the socket of the agent of `work_dir`.
inline std::string SocketPath(const std::string& work_dir) {
  return work_dir + "/control/socket";
}

}  // namespace control
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_H_
