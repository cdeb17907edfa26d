// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/helper.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace external_containerizer {
namespace helper {
namespace {

constexpr size_t kMaxMessage = 8 << 10;

v1::Ending ToEnding(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAnswered:
      return v1::ANSWERED;
    case Outcome::kNotStarted:
      return v1::NOT_STARTED;
    case Outcome::kEnded:
      return v1::ENDED;
    case Outcome::kUnknown:
      break;
  }
  return v1::UNKNOWN;
}

Outcome ToOutcome(v1::Ending ending) {
  switch (ending) {
    case v1::ANSWERED:
      return Outcome::kAnswered;
    case v1::NOT_STARTED:
      return Outcome::kNotStarted;
    case v1::ENDED:
      return Outcome::kEnded;
    default:  // A value of a later version.
      return Outcome::kUnknown;
  }
}

v1::Failure::Kind KindOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
      return v1::Failure::RETRY;
    case absl::StatusCode::kNotFound:
      return v1::Failure::GONE;
    default:
      return v1::Failure::FATAL;
  }
}

absl::StatusCode CodeOf(const v1::CommandReply& reply) {
  const v1::Failure& failure = reply.failure();
  const auto code = static_cast<absl::StatusCode>(failure.code());
  if (reply.ending() != v1::ANSWERED) {
    const bool valid =
        failure.code() > 0 && code <= absl::StatusCode::kUnauthenticated;
    return valid ? code : absl::StatusCode::kUnknown;
  }
  if (failure.kind() != v1::Failure::RETRY) return absl::StatusCode::kInternal;
  return code == absl::StatusCode::kResourceExhausted
             ? code
             : absl::StatusCode::kUnavailable;
}

}  // namespace

CommandMethod MethodOf(Command command) {
  switch (command) {
    case Command::kLaunch:
      return {kService, "Launch"};
    case Command::kUpdate:
      return {kService, "Update"};
    case Command::kUsage:
      return {kService, "Usage"};
    case Command::kWait:
      return {kService, "Wait"};
    case Command::kDestroy:
      return {kService, "Destroy"};
    case Command::kContainers:
      return {kService, "Containers"};
    case Command::kRecover:
      break;
  }
  return {kService, "Recover"};
}

v1::CommandRequest ToRequest(Invocation invocation) {
  v1::CommandRequest request;
  request.set_message(std::move(invocation.input));
  for (auto& [name, value] : invocation.environment) {
    v1::Variable* variable = request.add_environment();
    variable->set_name(name);
    variable->set_value(std::move(value));
  }
  if (invocation.sandbox.has_value()) {
    v1::Sandbox* sandbox = request.mutable_sandbox();
    sandbox->set_root(std::move(invocation.sandbox->root));
    sandbox->set_path(std::move(invocation.sandbox->path));
    sandbox->set_identity(std::move(invocation.sandbox->identity));
    if (invocation.sandbox->owner.has_value()) {
      sandbox->set_has_owner(true);
      sandbox->set_uid(invocation.sandbox->owner->uid);
      sandbox->set_gid(invocation.sandbox->owner->gid);
    }
  }
  if (invocation.timeout != absl::InfiniteDuration()) {
    request.set_timeout_nano(
        std::max<int64_t>(1, absl::ToInt64Nanoseconds(invocation.timeout)));
  }
  return request;
}

Invocation ToInvocation(Command command, const Environment& environment,
                        v1::CommandRequest request) {
  Invocation invocation;
  invocation.command = command;
  invocation.input = std::move(*request.mutable_message());
  invocation.environment = environment;
  for (v1::Variable& variable : *request.mutable_environment()) {
    invocation.environment.insert_or_assign(
        std::move(*variable.mutable_name()),
        std::move(*variable.mutable_value()));
  }
  if (request.has_sandbox()) {
    v1::Sandbox& sandbox = *request.mutable_sandbox();
    invocation.sandbox.emplace();
    invocation.sandbox->root = std::move(*sandbox.mutable_root());
    invocation.sandbox->path = std::move(*sandbox.mutable_path());
    invocation.sandbox->identity = std::move(*sandbox.mutable_identity());
    if (sandbox.has_owner()) {
      invocation.sandbox->owner =
          external_containerizer::Sandbox::Owner{sandbox.uid(), sandbox.gid()};
    }
  }
  if (request.timeout_nano() > 0) {
    invocation.timeout = absl::Nanoseconds(request.timeout_nano());
  }
  return invocation;
}

v1::CommandReply ToReply(Answer answer) {
  v1::CommandReply reply;
  reply.set_ending(ToEnding(answer.outcome));
  if (!answer.status.ok()) {
    v1::Failure* failure = reply.mutable_failure();
    failure->set_kind(KindOf(answer.status.code()));
    failure->set_code(static_cast<uint32_t>(answer.status.code()));
    failure->set_message(
        std::string(answer.status.message().substr(0, kMaxMessage)));
  }
  if (answer.output.has_value()) {
    reply.set_has_output(true);
    reply.set_output_size(answer.output->size());
    reply.set_output(*std::move(answer.output));
  }
  if (answer.wait_status.has_value()) {
    reply.set_has_wait_status(true);
    reply.set_wait_status(*answer.wait_status);
  }
  reply.set_remark(answer.remark.substr(0, kMaxMessage));
  return reply;
}

Answer ToAnswer(v1::CommandReply reply) {
  Answer answer;
  answer.outcome = ToOutcome(reply.ending());
  if (reply.has_failure()) {
    answer.status =
        absl::Status(CodeOf(reply), Printable(reply.failure().message()));
  }
  if (reply.has_output()) answer.output = std::move(*reply.mutable_output());
  if (reply.has_wait_status()) answer.wait_status = reply.wait_status();
  answer.remark = Printable(reply.remark());
  return answer;
}

std::string Printable(absl::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string line;
  for (const char c : text.substr(0, kMaxMessage)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte >= 0x7f) {
      line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      line += c;
    }
  }
  if (text.size() > kMaxMessage) line += "...";
  return line;
}

std::string WhatToDoAboutAHung(pid_t pid) {
  return absl::StrCat(
      "look at what it does, or end it",
      pid > 1 ? absl::StrCat(" (kill -9 ", pid, ")") : std::string(),
      ": containers live on without it");
}

}  // namespace helper
}  // namespace external_containerizer
