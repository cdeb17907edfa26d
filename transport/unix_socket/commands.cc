// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/commands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace unix_socket_internal {
namespace {

namespace v1 = helper::v1;

// Whatever a helper allows: what a client has room for, less some for the rest.
constexpr size_t kMaxWaits = 60'000;

// For one part of what is larger than a frame.
constexpr absl::Duration kPartTimeout = absl::Seconds(30);

}  // namespace

struct UnixSocket::Parts {
  InvocationId id;
  std::string bytes;
  size_t offset = 0;       // Of an upload.
  v1::CommandReply reply;  // Of a fetch.
};

UnixSocket::UnixSocket(EventLoop& loop, UnixSocketOptions options,
                       std::unique_ptr<ForkExecLeftovers> leftovers,
                       std::unique_ptr<Connector> connector)
    : loop_(loop),
      options_(std::move(options)),
      leftovers_(std::move(leftovers)),
      connector_(std::move(connector)),
      backoff_(absl::ZeroDuration()) {}

UnixSocket::~UnixSocket() {
  alive_.reset();
  loop_.CancelTimer(reach_timer_);
  for (auto& [id, call] : calls_) loop_.CancelTimer(call.timer);
}

InvocationId UnixSocket::Invoke(Invocation invocation, Done done) {
  const InvocationId id = next_id_++;
  Call& call = calls_[id];
  call.done = std::move(done);
  call.command = invocation.command;
  if (invocation.timeout != absl::InfiniteDuration()) {
    call.timer = loop_.RunAfter(invocation.timeout,
                                [this, id] { GiveUp(id, State::kTimedOut); });
  }
  if (invocation.input.size() > kMaxInputBytes) {
    RefuseLater(id, absl::InvalidArgumentError(absl::StrCat(
                        "a message of ", invocation.input.size(),
                        " bytes is too large; the limit is ", kMaxInputBytes)));
  } else {
    v1::CommandRequest request = helper::ToRequest(std::move(invocation));
    request.set_key(id);
    Start(id, std::move(request));
  }
  return id;
}

void UnixSocket::Start(InvocationId id, v1::CommandRequest request) {
  if (link_ != nullptr && link_->Usable()) return Send(id, std::move(request));
  waiting_.emplace_back(id, std::move(request));
  Reach();
}

void UnixSocket::Cancel(InvocationId id) {
  if (calls_.contains(id)) GiveUp(id, State::kCancelled);
}

size_t UnixSocket::MaxWaits() const {
  const size_t most =
      link_ == nullptr ? 0 : link_->helper().hello.limits().max_commands();
  if (most == 0) return kMaxWaits;
  return std::min(kMaxWaits, most > 2 * helper::kNotForWaits
                                 ? most - helper::kNotForWaits
                                 : (most + 1) / 2);
}

void UnixSocket::GiveUp(InvocationId id, State as) {
  Call& call = calls_.at(id);
  switch (call.state) {
    case State::kCancelled:
    case State::kTimedOut:
    case State::kLost:
    case State::kRefused:
      return;
    case State::kUploading:
      CancelThere(id, call);
      return RefuseLater(
          id, as == State::kCancelled
                  ? absl::CancelledError("it was cancelled")
                  : absl::DeadlineExceededError(
                        "it did not end in time; the helper had not read it"));
    case State::kWaiting: {
      if (as == State::kCancelled) {
        return RefuseLater(id, absl::CancelledError("it was cancelled"));
      }
      const std::string obstacle = connector_->Obstacle();
      const std::string& why = obstacle.empty() ? failure_ : obstacle;
      return RefuseLater(
          id, absl::DeadlineExceededError(absl::StrCat(
                  "no helper answered in time", why.empty() ? "" : ": ", why)));
    }
    case State::kSent:
      break;
  }
  call.state = as;
  loop_.CancelTimer(call.timer);
  call.timer = loop_.RunAfter(options_.cancel_patience,
                              [this, id] { PatienceOver(id); });
  CancelThere(id, call);
}

void UnixSocket::CancelThere(InvocationId id, const Call& call) {
  ttrpc::Client* const client = call.link->client();
  if (client == nullptr ||
      !call.link->helper().Can(helper::kCancelCapability)) {
    return;
  }
  v1::CancelRequest request;
  request.set_key(id);
  ttrpc::Call(*client, helper::kCancel, request, {options_.cancel_patience, {}},
              [](ttrpc::CallResult<v1::CancelReply>) {});
}

void UnixSocket::PatienceOver(InvocationId id) {
  Call& call = calls_.at(id);
  call.timer = 0;
  if (call.call != 0 && call.link->client() != nullptr) {
    // Says whether it was sent at all.
    return call.link->client()->Cancel(call.call);
  }
  NotReplied(id, absl::CancelledError(""), ttrpc::Outcome::kUnknown);
}

void UnixSocket::Reach() {
  if (reaching_) return;
  reaching_ = true;
  reach_timer_ = loop_.RunAfter(backoff_, [this] {
    reach_timer_ = 0;
    leftovers_->WhenDone([this] {
      connector_->Connect([this](absl::StatusOr<HelperConnection> connection) {
        Reached(std::move(connection));
      });
    });
  });
  // Until an answer comes.
  backoff_ = std::min(std::max(backoff_ * 2, options_.min_backoff),
                      options_.max_backoff);
}

void UnixSocket::Reached(absl::StatusOr<HelperConnection> connection) {
  reaching_ = false;
  auto waiting = std::exchange(waiting_, {});
  if (connection.ok()) {
    link_ = std::make_shared<HelperLink>(
        loop_, *std::move(connection), options_,
        Guarded([this](const std::string& why) { failure_ = why; }));
  } else {
    failure_ = std::string(connection.status().message());
  }
  const std::weak_ptr<bool> alive = alive_;
  for (auto& [id, request] : waiting) {
    const auto it = calls_.find(id);
    if (it == calls_.end() || it->second.state != State::kWaiting) continue;
    if (connection.ok()) {
      Send(id, std::move(request));
    } else {
      Refuse(id, connection.status().code(), connection.status().message());
      if (alive.expired()) return;
    }
  }
}

void UnixSocket::Send(InvocationId id, v1::CommandRequest request) {
  Call& call = calls_.at(id);
  call.link = link_;
  const size_t size = request.ByteSizeLong();
  size_t most = link_->helper().hello.limits().max_command_bytes();
  if (!link_->helper().Can(helper::kUploadCapability)) {
    most = helper::kMaxInFrame;
  }
  if (size <= helper::kMaxInFrame) {
    SendCommand(id, request);
  } else if (size > most) {
    return RefuseLater(id, absl::InvalidArgumentError(absl::StrCat(
                               "with its environment it has ", size,
                               " bytes; the helper's limit is ", most)));
  } else {
    auto parts = std::make_unique<Parts>();
    parts->id = id;
    parts->bytes = request.SerializeAsString();
    call.state = State::kUploading;
    UploadNext(std::move(parts));
  }
  // Of waits there may be very many, and who asks for one asks again.
  if (call.command != Command::kWait && !call.was_sent_again) {
    to_send_again_.emplace(id, std::move(request));
  }
}

void UnixSocket::SendCommand(InvocationId id,
                             const v1::CommandRequest& request) {
  Call& call = calls_.at(id);
  call.state = State::kSent;
  call.call = ttrpc::Call(
      *call.link->client(), helper::MethodOf(call.command), request, {},
      Guarded([this, id](ttrpc::CallResult<v1::CommandReply> result) {
        Replied(id, std::move(result));
      }));
  call.link->Probe();
}

void UnixSocket::UploadNext(std::unique_ptr<Parts> parts) {
  const InvocationId id = parts->id;
  v1::CommandRequest whole;
  whole.set_key(id);
  whole.set_uploaded(true);
  if (parts->offset == parts->bytes.size()) return SendCommand(id, whole);
  v1::UploadRequest request;
  request.set_key(id);
  request.set_part(parts->bytes.substr(parts->offset, helper::kPartBytes));
  parts->offset += request.part().size();
  const std::shared_ptr<HelperLink> link = calls_.at(id).link;
  // Parts must not overtake each other, and no helper promises that.
  ttrpc::Call(
      *link->client(), helper::kUpload, request, {kPartTimeout, {}},
      Guarded([this, id, parts = std::move(parts)](
                  ttrpc::CallResult<v1::UploadReply> result) mutable {
        const auto it = calls_.find(id);
        if (it == calls_.end() || it->second.state != State::kUploading) {
          return;  // Given up.
        }
        if (!result.reply.ok()) {
          CancelThere(id, it->second);
          const bool refused = result.outcome == ttrpc::Outcome::kAnswered &&
                               absl::IsUnavailable(result.reply.status());
          return NotReplied(
              id, result.reply.status(),
              refused ? ttrpc::Outcome::kAnswered : ttrpc::Outcome::kNotSent);
        }
        UploadNext(std::move(parts));
      }));
  link->Probe();
}

void UnixSocket::Replied(InvocationId id,
                         ttrpc::CallResult<v1::CommandReply> result) {
  if (!result.reply.ok()) {
    return NotReplied(id, result.reply.status(), result.outcome);
  }
  Call& call = calls_.at(id);
  call.call = 0;
  call.link->Heard();
  backoff_ = absl::ZeroDuration();
  v1::CommandReply& reply = *result.reply;
  const bool whole = reply.output_size() <= reply.output().size();
  if (whole) return Answered(id, std::move(reply));
  if (reply.output_size() > options_.max_output_bytes) {
    CancelThere(id, call);
    return Answered(id, std::move(reply));
  }
  auto parts = std::make_unique<Parts>();
  parts->id = id;
  parts->bytes = std::move(*reply.mutable_output());
  parts->reply = std::move(reply);
  FetchNext(std::move(parts));
}

void UnixSocket::FetchNext(std::unique_ptr<Parts> parts) {
  const InvocationId id = parts->id;
  if (parts->bytes.size() >= parts->reply.output_size()) {
    parts->reply.set_output(std::move(parts->bytes));
    return Answered(id, std::move(parts->reply));
  }
  v1::FetchRequest request;
  request.set_key(id);
  request.set_offset(parts->bytes.size());
  ttrpc::Call(*calls_.at(id).link->client(), helper::kFetch, request,
              {kPartTimeout, {}},
              Guarded([this, id, parts = std::move(parts)](
                          ttrpc::CallResult<v1::FetchReply> result) mutable {
                const auto it = calls_.find(id);
                if (it == calls_.end()) return;  // Given up.
                it->second.link->Heard();
                if (!result.reply.ok() || result.reply->part().empty()) {
                  CancelThere(id, it->second);
                  return NotReplied(
                      id,
                      result.reply.ok()
                          ? absl::DataLossError("its answer came in part only")
                          : result.reply.status(),
                      ttrpc::Outcome::kUnknown);
                }
                parts->bytes += result.reply->part();
                FetchNext(std::move(parts));
              }));
}

void UnixSocket::Answered(InvocationId id, v1::CommandReply reply) {
  const Call& call = calls_.at(id);
  const size_t size =
      std::max<size_t>(reply.output_size(), reply.output().size());
  if (size > options_.max_output_bytes ||
      (reply.has_output() && !HasResult(call.command))) {
    Answer answer;
    answer.outcome = Outcome::kEnded;
    answer.status = absl::DataLossError(absl::StrCat(
        Who(call), " gave no answer: a record of ", size, " bytes, where ",
        HasResult(call.command) ? options_.max_output_bytes : 0,
        " are allowed"));
    return Finish(id, std::move(answer));
  }
  Answer answer = helper::ToAnswer(std::move(reply));
  // If it was done nonetheless, it does not matter that it was given up.
  if (call.given_up() && answer.outcome != Outcome::kAnswered) {
    const std::string after =
        answer.outcome == Outcome::kUnknown
            ? "; it could not be ended, or not provably"
        : answer.outcome == Outcome::kNotStarted
            ? absl::StrCat("; it was not started: ", answer.status.message())
            : "; it was ended";
    answer.status = call.state == State::kCancelled
                        ? absl::CancelledError(
                              absl::StrCat(Who(call), " was cancelled", after))
                        : absl::DeadlineExceededError(absl::StrCat(
                              Who(call), " did not end in time", after));
  } else if (answer.outcome != Outcome::kAnswered && answer.status.ok()) {
    answer.status = absl::InternalError(
        absl::StrCat(Who(call), " ended without an answer"));
  }
  Finish(id, std::move(answer));
}

void UnixSocket::NotReplied(InvocationId id, const absl::Status& why,
                            ttrpc::Outcome how) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  Call& call = it->second;
  call.call = 0;
  if (how == ttrpc::Outcome::kAnswered) {
    // By the helper's server, in place of the program.
    switch (why.code()) {
      case absl::StatusCode::kUnavailable: {
        // It shuts down.
        call.link->ShutsDown();
        auto again = to_send_again_.extract(id);
        if (again.empty() || call.given_up()) {
          return EndUnreplied(id, why.code(), why.message(),
                              Outcome::kNotStarted);
        }
        call.was_sent_again = true;
        call.state = State::kWaiting;
        return Start(id, std::move(again.mapped()));
      }
      case absl::StatusCode::kUnimplemented:
      case absl::StatusCode::kInvalidArgument:
      case absl::StatusCode::kFailedPrecondition:
        return EndUnreplied(id, absl::StatusCode::kFailedPrecondition,
                            why.message(), Outcome::kNotStarted);
      default:
        return EndUnreplied(id, absl::StatusCode::kInternal, why.message(),
                            Outcome::kUnknown);
    }
  }
  const bool not_sent = how == ttrpc::Outcome::kNotSent;
  const Outcome outcome = not_sent ? Outcome::kNotStarted : Outcome::kUnknown;
  if (call.given_up()) {
    const bool cancelled = call.state == State::kCancelled;
    return EndUnreplied(
        id,
        cancelled ? absl::StatusCode::kCancelled
                  : absl::StatusCode::kDeadlineExceeded,
        absl::StrCat(cancelled ? "it was cancelled" : "it did not end in time",
                     not_sent ? "; the helper had not read it"
                              : "; it could not be ended, or not provably"),
        outcome);
  }
  if (absl::IsCancelled(why)) {
    // We gave up the connection.
    return EndUnreplied(id, absl::StatusCode::kUnavailable, failure_, outcome);
  }
  if (!absl::IsUnavailable(why) || !call.link->Closed()) {
    return EndUnreplied(id, why.code(), why.message(), outcome);
  }
  call.state = State::kLost;
  loop_.CancelTimer(std::exchange(call.timer, 0));
  call.link->TellWhyLost(Guarded([this, id, outcome](const std::string& text) {
    EndUnreplied(id, absl::StatusCode::kUnavailable, text, outcome);
  }));
}

void UnixSocket::EndUnreplied(InvocationId id, absl::StatusCode code,
                              absl::string_view why, Outcome outcome) {
  Answer answer;
  answer.outcome = outcome;
  answer.status =
      absl::Status(code, absl::StrCat(Who(calls_.at(id)),
                                      outcome == Outcome::kNotStarted
                                          ? " was not started: "
                                          : " may or may not have been done: ",
                                      helper::Printable(why)));
  Finish(id, std::move(answer));
}

void UnixSocket::Refuse(InvocationId id, absl::StatusCode code,
                        absl::string_view why) {
  Answer answer;
  answer.outcome = Outcome::kNotStarted;
  answer.status = absl::Status(
      code, absl::StrCat(CommandName(calls_.at(id).command), " by \"",
                         helper::Printable(options_.program),
                         "\" was not started: ", why));
  Finish(id, std::move(answer));
}

void UnixSocket::RefuseLater(InvocationId id, absl::Status why) {
  Call& call = calls_.at(id);
  call.state = State::kRefused;
  loop_.CancelTimer(call.timer);
  call.timer =
      loop_.RunAfter(absl::ZeroDuration(), [this, id, why = std::move(why)] {
        calls_.at(id).timer = 0;
        Refuse(id, why.code(), why.message());
      });
}

void UnixSocket::Finish(InvocationId id, Answer answer) {
  answer.program = options_.program;
  to_send_again_.erase(id);
  auto node = calls_.extract(id);
  loop_.CancelTimer(node.mapped().timer);
  // Last: it may destroy us.
  std::move(node.mapped().done)(std::move(answer));
}

std::string UnixSocket::Who(const Call& call) const {
  return absl::StrCat(CommandName(call.command), " by ",
                      call.link->helper().name);
}

}  // namespace unix_socket_internal
}  // namespace external_containerizer
