// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/helper_server.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {
namespace {

namespace v1 = helper::v1;

// Calls such as Ping and Cancel, beside the largest number of commands.
constexpr size_t kSpareCalls = 64;

v1::CommandReply Refusal(absl::Status status) {
  Answer answer;
  answer.outcome = Outcome::kNotStarted;
  answer.status = std::move(status);
  return helper::ToReply(std::move(answer));
}

absl::Status NotGreeted() {
  return absl::FailedPreconditionError("Hello comes first on a connection");
}

// Reduces max_commands to the number of waits that the transport has room for.
HelperOptions Fit(HelperOptions options, const Transport& transport) {
  options.max_commands = std::min(options.max_commands,
                                  transport.MaxWaits() + helper::kNotForWaits);
  return options;
}

ttrpc::ServerOptions ToServerOptions(const HelperOptions& options) {
  ttrpc::ServerOptions server;
  server.max_connections = options.max_connections;
  server.max_in_flight = options.max_commands + kSpareCalls;
  server.methods_in_shutdown = {std::string(helper::kCancel.name),
                                std::string(helper::kPing.name)};
  return server;
}

}  // namespace

HelperServer::HelperServer(EventLoop& loop,
                           std::unique_ptr<Transport> transport,
                           HelperOptions options)
    : loop_(loop),
      options_(Fit(std::move(options), *transport)),
      transport_(std::move(transport)),
      server_(
          std::make_unique<ttrpc::Server>(loop, ToServerOptions(options_))) {
  AddHandlers();
  server_->WhenDisconnected([this](uint64_t id) { OnDisconnected(id); });
}

HelperServer::~HelperServer() {
  // First: its handlers use this object.
  server_.reset();
  transport_.reset();
}

template <typename Request, typename Reply>
void HelperServer::AddHandler(
    const ttrpc::Method<Request, Reply>& method,
    absl::StatusOr<Reply> (HelperServer::*handle)(Connection&, Request)) {
  ttrpc::AddHandler(
      *server_, method,
      [this, handle](const ttrpc::CallContext& context, Request request,
                     ttrpc::TypedResponder<Reply> responder) {
        Connection* const connection = FindConnection(context.connection);
        if (connection == nullptr) return responder.Fail(NotGreeted());
        const absl::StatusOr<Reply> reply =
            (this->*handle)(*connection, std::move(request));
        if (!reply.ok()) return responder.Fail(reply.status());
        responder.Finish(*reply);
      });
}

void HelperServer::AddHandlers() {
  using ttrpc::CallContext;
  using ttrpc::TypedResponder;
  ttrpc::AddHandler(
      *server_, helper::kHello,
      [this](const CallContext& context, v1::HelloRequest request,
             TypedResponder<v1::HelloReply> responder) {
        responder.Finish(Hello(context.connection, std::move(request)));
      });
  ttrpc::AddHandler(*server_, helper::kPing,
                    [](const CallContext&, v1::PingRequest,
                       TypedResponder<v1::PingReply> responder) {
                      responder.Finish(v1::PingReply());
                    });
  for (const Command command : helper::kCommands) {
    ttrpc::AddHandler(
        *server_, helper::MethodOf(command),
        [this, command](const CallContext& context, v1::CommandRequest request,
                        CommandResponder responder) {
          Handle(command, context.connection, std::move(request),
                 std::move(responder));
        });
  }
  AddHandler(helper::kCancel, &HelperServer::Cancel);
  AddHandler(helper::kUpload, &HelperServer::Upload);
  AddHandler(helper::kFetch, &HelperServer::Fetch);
  ttrpc::AddHandler(*server_, helper::kShutdown,
                    [this](const CallContext&, v1::ShutdownRequest,
                           TypedResponder<v1::ShutdownReply> responder) {
                      v1::ShutdownReply reply;
                      reply.set_commands(static_cast<uint32_t>(commands_));
                      responder.Finish(reply);
                      CancelOrphans();
                      if (asked_to_end_) asked_to_end_();
                    });
}

HelperServer::Connection* HelperServer::FindConnection(ConnectionId id) {
  const auto it = connections_.find(id);
  return it == connections_.end() ? nullptr : it->second.get();
}

v1::HelloReply HelperServer::Hello(ConnectionId id, v1::HelloRequest request) {
  v1::HelloReply reply;
  reply.set_oldest_version(helper::kVersion);
  reply.set_newest_version(helper::kVersion);
  reply.set_pid(getpid());
  reply.set_outdated(options_.outdated && options_.outdated());
  for (const char* capability :
       {helper::kCancelCapability, helper::kUploadCapability,
        helper::kFetchCapability, helper::kShutdownCapability}) {
    reply.add_capabilities(capability);
  }
  reply.mutable_limits()->set_max_commands(
      static_cast<uint32_t>(options_.max_commands));
  reply.mutable_limits()->set_max_command_bytes(helper::kMaxCommandBytes);
  if (request.oldest_version() > helper::kVersion ||
      request.newest_version() < helper::kVersion) {
    return reply;
  }
  reply.set_version(helper::kVersion);
  std::unique_ptr<Connection>& connection = connections_[id];
  if (connection == nullptr) connection = std::make_unique<Connection>();
  connection->environment.clear();
  for (v1::Variable& variable : *request.mutable_environment()) {
    connection->environment.insert_or_assign(
        std::move(*variable.mutable_name()),
        std::move(*variable.mutable_value()));
  }
  return reply;
}

void HelperServer::Handle(Command command, ConnectionId id,
                          v1::CommandRequest request,
                          CommandResponder responder) {
  Connection* const connection = FindConnection(id);
  if (connection == nullptr) return responder.Finish(Refusal(NotGreeted()));
  const Key key = request.key();
  if (request.uploaded()) {
    const auto upload = connection->uploads.find(key);
    const bool whole = upload != connection->uploads.end() &&
                       request.ParseFromString(upload->second);
    if (upload != connection->uploads.end()) {
      connection->kept_bytes -= upload->second.size();
      connection->uploads.erase(upload);
    }
    if (!whole) {
      return responder.Finish(Refusal(
          absl::InvalidArgumentError("what was uploaded is no command")));
    }
  }
  if (request.message().size() > kMaxInputBytes) {
    return responder.Finish(Refusal(absl::InvalidArgumentError(
        absl::StrCat("a message of ", request.message().size(),
                     " bytes is too large; the limit is ", kMaxInputBytes))));
  }
  if (connection->commands.size() >= options_.max_commands) {
    return responder.Finish(Refusal(absl::ResourceExhaustedError(
        absl::StrCat(options_.max_commands, " commands are under way"))));
  }
  if (connection->commands.contains(key) || connection->outputs.contains(key)) {
    return responder.Finish(Refusal(absl::InvalidArgumentError(
        absl::StrCat("key ", key, " is that of another command"))));
  }
  Invocation invocation = helper::ToInvocation(command, connection->environment,
                                               std::move(request));
  const bool hold = !orphans_.empty() && (command == Command::kRecover ||
                                          command == Command::kDestroy);
  InvocationId invoked = 0;
  if (hold) {
    CancelOrphans();
    held_back_.push_back({id, key, std::move(invocation)});
  } else {
    invoked = Invoke(id, key, std::move(invocation));
  }
  connection->commands.emplace(
      key, PendingCommand{std::move(responder), invoked, command});
}

InvocationId HelperServer::Invoke(ConnectionId id, Key key,
                                  Invocation invocation) {
  if (++commands_ == 1) latest_end_ = absl::ZeroDuration();
  if (!HasResult(invocation.command)) {
    latest_end_ = std::max(latest_end_, MonotonicNow() + invocation.timeout);
  }
  return transport_->Invoke(
      std::move(invocation),
      [this, id, key](Answer answer) { OnAnswer(id, key, std::move(answer)); });
}

void HelperServer::CancelOrphans() {
  for (const auto& [orphan, launch] : orphans_) transport_->Cancel(launch);
}

void HelperServer::EndOrphan(ConnectionId id, Key key) {
  if (orphans_.erase({id, key}) == 0 || !orphans_.empty()) return;
  for (HeldCommand& held : std::exchange(held_back_, {})) {
    Connection* const connection = FindConnection(held.connection);
    if (connection == nullptr) continue;
    // It is not there, or has an id, if it was cancelled.
    const auto it = connection->commands.find(held.key);
    if (it == connection->commands.end() || it->second.id != 0) continue;
    it->second.id =
        Invoke(held.connection, held.key, std::move(held.invocation));
  }
}

void HelperServer::OnAnswer(ConnectionId id, Key key, Answer answer) {
  --commands_;
  Connection* const connection = FindConnection(id);
  if (connection == nullptr) {
    EndOrphan(id, key);
    return EndIfDrained();
  }
  auto node = connection->commands.extract(key);
  PendingCommand& command = node.mapped();
  if (drained_ != nullptr && HasResult(command.command) &&
      absl::IsCancelled(answer.status)) {
    answer.status =
        absl::UnavailableError("the helper shuts down; ask the next one");
  }
  v1::CommandReply reply = helper::ToReply(std::move(answer));
  const size_t size = reply.output().size();
  if (size > helper::kMaxOutputBytes ||
      (size > helper::kMaxInFrame &&
       connection->kept_bytes + size > options_.max_kept_bytes)) {
    Answer refused;
    refused.outcome = Outcome::kEnded;
    const std::string message =
        absl::StrCat("an answer of ", size, " bytes is too large");
    refused.status = size > helper::kMaxOutputBytes
                         ? absl::DataLossError(message)
                         : absl::ResourceExhaustedError(message);
    reply = helper::ToReply(std::move(refused));
  } else if (size > helper::kMaxInFrame) {
    std::string& kept = connection->outputs[key];
    kept = std::move(*reply.mutable_output());
    connection->kept_bytes += size;
    reply.set_output(kept.substr(0, helper::kPartBytes));
  }
  command.responder.Finish(reply);
  EndIfDrained();
}

absl::StatusOr<v1::UploadReply> HelperServer::Upload(
    Connection& connection, v1::UploadRequest request) {
  std::string& upload = connection.uploads[request.key()];
  const size_t size = request.part().size();
  absl::Status status;
  if (connection.uploads.size() > options_.max_commands) {
    status = absl::ResourceExhaustedError("too many are uploaded already");
  } else if (upload.size() + size > helper::kMaxCommandBytes) {
    status = absl::InvalidArgumentError("the command is too large");
  } else if (connection.kept_bytes + size > options_.max_kept_bytes) {
    status = absl::ResourceExhaustedError("too much is kept already");
  }
  if (!status.ok()) {
    connection.kept_bytes -= upload.size();
    connection.uploads.erase(request.key());
    return status;
  }
  connection.kept_bytes += size;
  upload += request.part();
  return v1::UploadReply();
}

absl::StatusOr<v1::FetchReply> HelperServer::Fetch(Connection& connection,
                                                   v1::FetchRequest request) {
  const auto output = connection.outputs.find(request.key());
  if (output == connection.outputs.end()) {
    return absl::NotFoundError("no answer is kept for that key");
  }
  const std::string& whole = output->second;
  if (request.offset() > whole.size()) {
    return absl::InvalidArgumentError("the answer is shorter than that");
  }
  v1::FetchReply reply;
  reply.set_part(whole.substr(request.offset(), helper::kPartBytes));
  if (request.offset() + reply.part().size() == whole.size()) {
    connection.kept_bytes -= whole.size();
    connection.outputs.erase(output);
  }
  return reply;
}

absl::StatusOr<v1::CancelReply> HelperServer::Cancel(
    Connection& connection, v1::CancelRequest request) {
  const Key key = request.key();
  for (auto* kept : {&connection.uploads, &connection.outputs}) {
    const auto it = kept->find(key);
    if (it == kept->end()) continue;
    connection.kept_bytes -= it->second.size();
    kept->erase(it);
  }
  v1::CancelReply reply;
  const auto it = connection.commands.find(key);
  if (it == connection.commands.end()) return reply;
  reply.set_found(true);
  if (it->second.id != 0) {
    transport_->Cancel(it->second.id);
    return reply;
  }
  it->second.responder.Finish(Refusal(absl::CancelledError(
      "it was cancelled while it waited for the launch of an agent that is "
      "gone")));
  connection.commands.erase(it);
  return reply;
}

void HelperServer::OnDisconnected(ConnectionId id) {
  const auto node = connections_.extract(id);
  if (!node.empty()) {
    for (const auto& [key, command] : node.mapped()->commands) {
      if (EndsWithItsCaller(command.command)) transport_->Cancel(command.id);
      if (command.command == Command::kLaunch) {
        orphans_.emplace(std::make_pair(id, key), command.id);
      }
    }
  }
  if (disconnected_) disconnected_();
}

void HelperServer::Drain(absl::AnyInvocable<void() &&> done) {
  drained_ = std::move(done);
  for (const auto& [id, connection] : connections_) {
    for (const auto& [key, command] : connection->commands) {
      if (HasResult(command.command)) transport_->Cancel(command.id);
    }
  }
  server_->Shutdown([this] {
    connections_closed_ = true;
    EndIfDrained();
  });
}

absl::Duration HelperServer::TimeLeft() const {
  return commands_ == 0
             ? absl::ZeroDuration()
             : std::max(absl::ZeroDuration(), latest_end_ - MonotonicNow());
}

void HelperServer::EndIfDrained() {
  if (!connections_closed_ || commands_ > 0 || drained_ == nullptr) return;
  loop_.Post(std::exchange(drained_, nullptr));
}

}  // namespace external_containerizer
