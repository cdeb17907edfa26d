// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// helper.proto as C++: its methods, for both sides, and how an Answer and an
// Invocation travel.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/unix_socket/helper.pb.h"

namespace external_containerizer {
namespace helper {

inline constexpr uint32_t kVersion = 1;

inline constexpr char kCancelCapability[] = "cancel";
inline constexpr char kUploadCapability[] = "upload";
inline constexpr char kFetchCapability[] = "fetch";
inline constexpr char kShutdownCapability[] = "shutdown";

// A helper's exit code when another one serves at the same socket.
inline constexpr int kAlreadyServed = 3;
inline constexpr char kWhyLocked[] =
    "it lets its last commands end, or hangs; ask again, or end it";

// Of Limits::max_commands: what an agent leaves to commands other than wait.
inline constexpr size_t kNotForWaits = 1'024;

// What goes into one frame, with some room for what is around it.
inline constexpr size_t kMaxInFrame = (4u << 20) - (1u << 10);
// The parts of what does not.
inline constexpr size_t kPartBytes = 1u << 20;
// A command, uploaded: as much as execve() might take beside the largest input.
inline constexpr size_t kMaxCommandBytes = kMaxInputBytes + (4u << 20);
inline constexpr size_t kMaxOutputBytes = 16u << 20;

inline constexpr absl::string_view kService =
    "external_containerizer.helper.v1.Helper";

inline constexpr ttrpc::Method<v1::HelloRequest, v1::HelloReply> kHello{
    kService, "Hello"};
inline constexpr ttrpc::Method<v1::PingRequest, v1::PingReply> kPing{kService,
                                                                     "Ping"};
inline constexpr ttrpc::Method<v1::CancelRequest, v1::CancelReply> kCancel{
    kService, "Cancel"};
inline constexpr ttrpc::Method<v1::UploadRequest, v1::UploadReply> kUpload{
    kService, "Upload"};
inline constexpr ttrpc::Method<v1::FetchRequest, v1::FetchReply> kFetch{
    kService, "Fetch"};
inline constexpr ttrpc::Method<v1::ShutdownRequest, v1::ShutdownReply>
    kShutdown{kService, "Shutdown"};

using CommandMethod = ttrpc::Method<v1::CommandRequest, v1::CommandReply>;
CommandMethod MethodOf(Command command);

inline constexpr Command kCommands[] = {
    Command::kLaunch,  Command::kUpdate,     Command::kUsage,  Command::kWait,
    Command::kDestroy, Command::kContainers, Command::kRecover};

// All but the key, and what goes into it as the connection's environment.
v1::CommandRequest ToRequest(Invocation invocation);
// `environment` is the connection's.
Invocation ToInvocation(Command command, const Environment& environment,
                        v1::CommandRequest request);

// The whole output is in `output`.
v1::CommandReply ToReply(Answer answer);
// What the program answered with, FATAL or GONE, is INTERNAL, as it is where
// only an exit status tells of it, and RETRY is UNAVAILABLE. Messages are made
// fit for a terminal, and cut.
Answer ToAnswer(v1::CommandReply reply);

// `text`, of a stranger, in one line that moves no cursor; what is printable
// stays as it is.
std::string Printable(absl::string_view text);

// About a helper that hangs; `pid` may be 0 or 1 if it is not known.
std::string WhatToDoAboutAHung(pid_t pid);

}  // namespace helper
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_H_
