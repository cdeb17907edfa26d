// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Calls and handlers with protobuf messages instead of bytes. Client and server
// share one declaration of a method:
//
//   inline constexpr Method<PingRequest, PingReply> kPing{"my.v1.Helper",
//                                                         "Ping"};
//
//   Call(client, kPing, request, {absl::Seconds(5)},
//        [](CallResult<PingReply> result) {
//          if (!result.reply.ok()) return Log(result.reply.status());
//          Use(*result.reply);
//        });
//
//   AddHandler(server, kPing,
//              [](const CallContext&, PingRequest request,
//                 TypedResponder<PingReply> responder) {
//                responder.Finish(PingReply());
//              });

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METHOD_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METHOD_H_

#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/responder.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "google/protobuf/message_lite.h"

namespace external_containerizer {
namespace ttrpc {

// One method of a service, with the types of its messages.
template <typename Request, typename Reply>
struct Method {
  absl::string_view service;  // The full name: "package.Service".
  absl::string_view name;     // The name within the service: "Ping".
};

namespace internal {
// Keeps a parameter out of template argument deduction.
template <typename T>
struct Exactly {
  using Type = T;
};

// Serialize a message and parse it. Neither prints to stderr if a required
// field is missing.
inline std::string Serialize(const google::protobuf::MessageLite& message) {
  return message.SerializePartialAsString();
}
inline absl::Status Parse(absl::string_view bytes,
                          google::protobuf::MessageLite& message) {
  if (message.ParsePartialFromArray(bytes.data(),
                                    static_cast<int>(bytes.size())) &&
      message.IsInitialized()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("ttrpc: the payload is no ", message.GetTypeName()));
}
}  // namespace internal

// As Client::Call(). `done` is called once, with a CallResult<Reply>. If the
// bytes of a reply cannot be parsed as a Reply, the call ends with INTERNAL and
// kUnknown.
template <typename Request, typename Reply, typename Done>
Client::CallId Call(Client& client, const Method<Request, Reply>& method,
                    const Request& request, CallOptions options, Done done) {
  return client.Call(
      method.service, method.name, internal::Serialize(request),
      std::move(options),
      [done = std::move(done)](CallResult<std::string> result) mutable {
        using Result = CallResult<Reply>;
        if (!result.reply.ok()) {
          std::move(done)(Result{result.reply.status(), result.outcome});
          return;
        }
        Reply reply;
        absl::Status status = internal::Parse(*result.reply, reply);
        if (!status.ok()) {
          std::move(done)(
              Result{absl::InternalError(status.message()), Outcome::kUnknown});
          return;
        }
        std::move(done)(Result{std::move(reply), result.outcome});
      });
}

// A Responder whose reply is a message. It may be moved, and used from any
// thread.
template <typename Reply>
class TypedResponder : public Responder {
 public:
  explicit TypedResponder(Responder responder)
      : Responder(std::move(responder)) {}

  // As Responder::Finish().
  void Finish(const Reply& reply) {
    Responder::Finish(internal::Serialize(reply));
  }
  // Answers with an error. OK becomes UNKNOWN.
  void Fail(absl::Status status) {
    if (status.ok()) status = absl::UnknownError("ttrpc: failed with OK");
    Responder::Finish(std::move(status));
  }
};

// As Server::AddHandler(). A request that cannot be parsed as a Request is
// answered with INVALID_ARGUMENT, and the handler is not called. The handler
// runs on the loop and must not block; it may keep the responder.
template <typename Request, typename Reply>
void AddHandler(
    Server& server, const Method<Request, Reply>& method,
    typename internal::Exactly<absl::AnyInvocable<void(
        const CallContext&, Request, TypedResponder<Reply>)>>::Type handler) {
  server.AddHandler(method.service, method.name,
                    [handler = std::move(handler)](
                        const CallContext& context, absl::string_view bytes,
                        Responder responder) mutable {
                      Request request;
                      absl::Status status = internal::Parse(bytes, request);
                      if (!status.ok())
                        return responder.Finish(std::move(status));
                      handler(context, std::move(request),
                              TypedResponder<Reply>(std::move(responder)));
                    });
}

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METHOD_H_
