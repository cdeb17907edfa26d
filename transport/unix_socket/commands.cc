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

// The most waits, whatever the helper allows: a client has room for a few more
// calls.
constexpr size_t kMaxWaits = 60'000;

// The time for one part of a command or answer.
constexpr absl::Duration kPartTimeout = absl::Seconds(30);

}  // namespace

struct UnixSocket::Parts {
  InvocationId id;
  std::string bytes;
  size_t offset = 0;       // The uploaded bytes.
  v1::CommandReply reply;  // The reply whose output is fetched.
};

UnixSocket::UnixSocket(EventLoop& loop, UnixSocketOptions options,
                       std::unique_ptr<Leftovers> leftovers,
                       std::unique_ptr<Connector> connector)
    : loop_(loop),
      options_(std::move(options)),
      leftovers_(std::move(leftovers)),
      connector_(std::move(connector)),
      backoff_(absl::ZeroDuration()) {}

UnixSocket::~UnixSocket() {
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
    requests_.emplace(id, std::move(request));
    Start(id);
  }
  return id;
}

void UnixSocket::Start(InvocationId id) {
  if (link_ != nullptr && link_->Usable()) return Send(id);
  calls_.at(id).state = State::kWaiting;
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
    case State::kLostUnsent:
    case State::kLostSent:
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
    // The client says whether the call was sent.
    return call.link->client()->Cancel(call.call);
  }
  OnNoReply(id, absl::CancelledError(""), ttrpc::Outcome::kUnknown);
}

void UnixSocket::Reach() {
  if (reaching_) return;
  reaching_ = true;
  reach_timer_ = loop_.RunAfter(backoff_, [this] {
    reach_timer_ = 0;
    leftovers_->WhenDone([this] {
      connector_->Connect([this](absl::StatusOr<HelperConnection> connection) {
        OnConnected(std::move(connection));
      });
    });
  });
  // An answer resets it.
  backoff_ = std::min(std::max(backoff_ * 2, options_.min_backoff),
                      options_.max_backoff);
}

void UnixSocket::OnConnected(absl::StatusOr<HelperConnection> connection) {
  reaching_ = false;
  if (connection.ok()) {
    link_ = std::make_shared<HelperLink>(
        loop_, *std::move(connection), options_,
        [this](const HelperLink* link, const std::string& why) {
          OnLost(link, why);
        });
  } else {
    failure_ = std::string(connection.status().message());
  }
  std::vector<InvocationId> waiting;
  for (const auto& [id, request] : requests_) {
    if (calls_.at(id).state == State::kWaiting) waiting.push_back(id);
  }
  const auto alive = alive_.Watch();
  for (const InvocationId id : waiting) {
    // A callback may have ended it meanwhile.
    const auto it = calls_.find(id);
    if (it == calls_.end() || it->second.state != State::kWaiting) continue;
    if (connection.ok()) {
      Send(id);
      continue;
    }
    EndUnreplied(id, connection.status().code(), connection.status().message(),
                 Outcome::kNotStarted);
    if (alive.expired()) return;
  }
}

void UnixSocket::Send(InvocationId id) {
  Call& call = calls_.at(id);
  const v1::CommandRequest& request = requests_.at(id);
  call.link = link_;
  const size_t size = request.ByteSizeLong();
  const size_t most =
      link_->helper().Can(helper::kUploadCapability)
          ? link_->helper().hello.limits().max_command_bytes()
          : helper::kMaxInFrame;
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
  // Agents have very many waits, and repeat them.
  if (call.command == Command::kWait || call.was_sent_again) {
    requests_.erase(id);
  }
}

void UnixSocket::SendCommand(InvocationId id,
                             const v1::CommandRequest& request) {
  Call& call = calls_.at(id);
  call.state = State::kSent;
  call.call = ttrpc::Call(
      *call.link->client(), helper::MethodOf(call.command), request, {},
      alive_.Guard([this, id](ttrpc::CallResult<v1::CommandReply> result) {
        OnReply(id, std::move(result));
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
  // One part at a time: a helper need not handle calls in order.
  ttrpc::Call(
      *link->client(), helper::kUpload, request, {kPartTimeout, {}},
      alive_.Guard([this, id, parts = std::move(parts)](
                       ttrpc::CallResult<v1::UploadReply> result) mutable {
        const auto it = calls_.find(id);
        if (it == calls_.end() || it->second.state != State::kUploading) {
          return;  // The command was given up.
        }
        if (!result.reply.ok()) {
          CancelThere(id, it->second);
          const bool refused = result.outcome == ttrpc::Outcome::kAnswered &&
                               absl::IsUnavailable(result.reply.status());
          return OnNoReply(
              id, result.reply.status(),
              refused ? ttrpc::Outcome::kAnswered : ttrpc::Outcome::kNotSent);
        }
        UploadNext(std::move(parts));
      }));
  link->Probe();
}

void UnixSocket::OnReply(InvocationId id,
                         ttrpc::CallResult<v1::CommandReply> result) {
  if (!result.reply.ok()) {
    return OnNoReply(id, result.reply.status(), result.outcome);
  }
  Call& call = calls_.at(id);
  call.call = 0;
  call.link->Heard();
  backoff_ = absl::ZeroDuration();
  v1::CommandReply& reply = *result.reply;
  const bool whole = reply.output_size() <= reply.output().size();
  if (whole) return OnAnswer(id, std::move(reply));
  if (reply.output_size() > options_.max_output_bytes) {
    CancelThere(id, call);
    return OnAnswer(id, std::move(reply));
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
    return OnAnswer(id, std::move(parts->reply));
  }
  v1::FetchRequest request;
  request.set_key(id);
  request.set_offset(parts->bytes.size());
  ttrpc::Call(
      *calls_.at(id).link->client(), helper::kFetch, request,
      {kPartTimeout, {}},
      alive_.Guard([this, id, parts = std::move(parts)](
                       ttrpc::CallResult<v1::FetchReply> result) mutable {
        const auto it = calls_.find(id);
        if (it == calls_.end()) return;  // It was given up.
        it->second.link->Heard();
        if (!result.reply.ok() || result.reply->part().empty()) {
          CancelThere(id, it->second);
          return OnNoReply(
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

void UnixSocket::OnAnswer(InvocationId id, v1::CommandReply reply) {
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
  // An answer counts also if the command was given up.
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

void UnixSocket::OnNoReply(InvocationId id, const absl::Status& why,
                           ttrpc::Outcome how) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  Call& call = it->second;
  call.call = 0;
  if (how == ttrpc::Outcome::kAnswered) {
    // The helper itself has refused the call.
    switch (why.code()) {
      case absl::StatusCode::kUnavailable: {
        // The helper shuts down.
        call.link->ShutsDown();
        if (requests_.count(id) == 0 || call.given_up()) {
          return EndUnreplied(id, why.code(), why.message(),
                              Outcome::kNotStarted);
        }
        call.was_sent_again = true;
        return Start(id);
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
  if (!call.link->Closed() ||
      (!absl::IsUnavailable(why) && !absl::IsCancelled(why))) {
    return EndUnreplied(id, why.code(), why.message(), outcome);
  }
  call.state = not_sent ? State::kLostUnsent : State::kLostSent;
  loop_.CancelTimer(std::exchange(call.timer, 0));
}

void UnixSocket::OnLost(const HelperLink* link, const std::string& why) {
  failure_ = why;
  std::vector<InvocationId> lost;
  for (const auto& [id, call] : calls_) {
    const bool is_over =
        call.state == State::kLostUnsent || call.state == State::kLostSent;
    if (call.link.get() == link && is_over) lost.push_back(id);
  }
  std::sort(lost.begin(), lost.end());
  const auto alive = alive_.Watch();
  for (const InvocationId id : lost) {
    if (alive.expired()) return;
    EndUnreplied(id, absl::StatusCode::kUnavailable, why,
                 calls_.at(id).state == State::kLostUnsent
                     ? Outcome::kNotStarted
                     : Outcome::kUnknown);
  }
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

void UnixSocket::RefuseLater(InvocationId id, absl::Status why) {
  Call& call = calls_.at(id);
  call.state = State::kRefused;
  loop_.CancelTimer(call.timer);
  call.timer =
      loop_.RunAfter(absl::ZeroDuration(), [this, id, why = std::move(why)] {
        calls_.at(id).timer = 0;
        EndUnreplied(id, why.code(), why.message(), Outcome::kNotStarted);
      });
}

void UnixSocket::Finish(InvocationId id, Answer answer) {
  answer.program = options_.program;
  requests_.erase(id);
  auto node = calls_.extract(id);
  loop_.CancelTimer(node.mapped().timer);
  // Last: the callback may destroy this object.
  std::move(node.mapped().done)(std::move(answer));
}

std::string UnixSocket::Who(const Call& call) const {
  return absl::StrCat(
      CommandName(call.command), " by ",
      call.link != nullptr
          ? call.link->helper().name
          : absl::StrCat("\"", helper::Printable(options_.program), "\""));
}

}  // namespace unix_socket_internal
}  // namespace external_containerizer
