// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// helper.proto in C++: its methods, for both sides, and conversions of
// Invocation and Answer.
//
//   v1::CommandRequest request = ToRequest(std::move(invocation));
//   request.set_key(7);
//   ttrpc::Call(client, MethodOf(Command::kLaunch), request, {},
//               [](ttrpc::CallResult<v1::CommandReply> result) {
//                 Answer answer = ToAnswer(*std::move(result.reply));
//               });

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

// The version of the protocol that this code speaks.
inline constexpr uint32_t kVersion = 1;

// HelloReply.capabilities
inline constexpr char kCancelCapability[] = "cancel";
inline constexpr char kUploadCapability[] = "upload";
inline constexpr char kFetchCapability[] = "fetch";
inline constexpr char kShutdownCapability[] = "shutdown";

// A helper's exit code if another helper serves at the same socket.
inline constexpr int kAlreadyServed = 3;
// The explanation of that, for messages.
inline constexpr char kWhyLocked[] =
    "it lets its last commands end, or hangs; ask again, or end it";

// The part of Limits::max_commands that an agent does not use for waits.
inline constexpr size_t kNotForWaits = 1'024;

// The largest request or output that fits into a frame with the fields around
// it.
inline constexpr size_t kMaxInFrame = (4u << 20) - (1u << 10);
// The size of the parts of a larger one.
inline constexpr size_t kPartBytes = 1u << 20;
// The largest command that can be uploaded: the largest input, and an
// environment of the size that execve() takes.
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

// Converts an invocation, without a key.
v1::CommandRequest ToRequest(Invocation invocation);
// Converts a request. The request's variables win over `environment`, which is
// the connection's.
Invocation ToInvocation(Command command, const Environment& environment,
                        v1::CommandRequest request);

// Converts an answer. The reply has the whole output.
v1::CommandReply ToReply(Answer answer);
// Converts a reply. An error of the program becomes INTERNAL, as it does with
// fork_exec, but UNAVAILABLE or RESOURCE_EXHAUSTED if its kind is RETRY.
// Messages are escaped and cut.
Answer ToAnswer(v1::CommandReply reply);

// Returns untrusted text in one line that moves no cursor: other bytes than
// printable ASCII are escaped, and the text is cut after 8 KiB.
std::string Printable(absl::string_view text);

// Returns advice about a helper that hangs. `pid` is 0 or 1 if it is not known.
std::string WhatToDoAboutAHung(pid_t pid);

}  // namespace helper
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_H_
