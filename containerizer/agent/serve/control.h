// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How a standing agent is spoken to: ttrpc, on a Unix socket in its work_dir
// that only its user and root can reach.

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
// Answered when it has ended; as often as asked, until Destroy.
inline constexpr ttrpc::Method<v1::WaitRequest, v1::EndReply> kWait{kService,
                                                                    "Wait"};
inline constexpr ttrpc::Method<v1::UpdateRequest, v1::UpdateReply> kUpdate{
    kService, "Update"};
// Ends it if it runs, and forgets it, with the files in its sandbox.
inline constexpr ttrpc::Method<v1::DestroyRequest, v1::EndReply> kDestroy{
    kService, "Destroy"};
inline constexpr ttrpc::Method<v1::EventsRequest, v1::EventsReply> kEvents{
    kService, "Events"};

// At most so many bytes of containers, and so many of them, come in one
// ListReply.
inline constexpr size_t kListBytes = size_t{1} << 20;
inline constexpr size_t kListContainers = 1000;

inline std::string SocketPath(const std::string& work_dir) {
  return work_dir + "/control/socket";
}

}  // namespace control
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_CONTROL_H_
