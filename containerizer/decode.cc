// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/decode.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/wire/validate.h"

namespace external_containerizer {
namespace {

constexpr size_t kQuotedBytes = 64;

std::string Subject(Command command, const ContainerId& container) {
  if (container.empty()) return std::string(CommandName(command));
  return absl::StrCat(CommandName(command), " of container \"",
                      absl::CHexEscape(container), "\"");
}

std::string Program(const Answer& answer) {
  if (answer.program.empty()) return "the program";
  return absl::StrCat("program \"", absl::CHexEscape(answer.program), "\"");
}

absl::Status Garbage(const Answer& answer, absl::string_view why) {
  const absl::string_view output = *answer.output;
  return absl::DataLossError(
      absl::StrCat(Program(answer), " answered with a record that ", why, " (",
                   output.size(), " bytes, starting with \"",
                   absl::CHexEscape(output.substr(0, kQuotedBytes)),
                   "\"); see what it writes to stdout"));
}

// A record that is no message is garbage, and so is an incomplete message.
template <typename Message>
absl::Status Parse(const Answer& answer, Message* message) {
  if (!message->ParseFromString(*answer.output)) {
    return Garbage(answer, "cannot be parsed");
  }
  const absl::Status complete = wire::CheckComplete(*message);
  if (!complete.ok()) {
    return Garbage(answer, absl::StrCat("is incomplete: ", complete.message()));
  }
  return absl::OkStatus();
}

absl::Status NoRecord(const Answer& answer, absl::string_view hint) {
  return absl::DataLossError(absl::StrCat(
      Program(answer), " exited with status 0 and wrote no record to stdout",
      hint));
}

// OK or the error of `answer`, before container and command are named.
absl::Status Verdict(Command command, const Answer& answer,
                     wire::ExitConvention exits, CommandResult& result) {
  const bool exit_status_counts =
      command != Command::kWait &&
      (answer.wait_status.has_value() || answer.outcome != Outcome::kAnswered);
  if (!HasResult(command)) return answer.status;
  if (!answer.output.has_value()) {
    if (!answer.status.ok()) return answer.status;
    switch (command) {
      case Command::kUsage:
        return absl::OkStatus();
      case Command::kContainers:
        return NoRecord(answer, "; an empty list is a record of length zero");
      default:
        return NoRecord(answer, "");
    }
  }
  if (exit_status_counts && !answer.status.ok()) return answer.status;
  switch (command) {
    case Command::kWait: {
      auto termination = std::make_shared<wire::Termination>();
      if (absl::Status parsed = Parse(answer, termination.get());
          !parsed.ok()) {
        return answer.status.ok() ? parsed : answer.status;
      }
      wire::NormalizeStatus(exits, *termination);
      result.termination = std::move(termination);
      return absl::OkStatus();
    }
    case Command::kUsage: {
      wire::ResourceStatistics usage;
      if (absl::Status parsed = Parse(answer, &usage); !parsed.ok()) {
        return parsed;
      }
      result.usage = std::move(usage);
      return absl::OkStatus();
    }
    default: {
      wire::Containers containers;
      if (absl::Status parsed = Parse(answer, &containers); !parsed.ok()) {
        return parsed;
      }
      for (const wire::ContainerID& id : containers.containers()) {
        result.containers.push_back(id.value());
      }
      return absl::OkStatus();
    }
  }
}

}  // namespace

bool CommandResult::WorthAnotherTry() const {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return false;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return outcome == Outcome::kUnknown;
  }
}

CommandResult Decode(Command command, const ContainerId& container,
                     Answer answer, wire::ExitConvention exits) {
  CommandResult result;
  result.outcome = answer.outcome;
  const absl::Status verdict = Verdict(command, answer, exits, result);
  result.remark = std::move(answer.remark);
  if (result.termination != nullptr && !result.termination->has_status()) {
    absl::StrAppend(&result.remark, result.remark.empty() ? "" : "; ",
                    "the Termination has no status, so it is not known how the "
                    "container ended");
  }
  if (!verdict.ok()) {
    result.status = absl::Status(
        verdict.code(),
        absl::StrCat(Subject(command, container), ": ", verdict.message()));
  } else if (answer.outcome != Outcome::kAnswered &&
             result.termination == nullptr) {
    // A transport that does not know how the command ended must not look like
    // success.
    result.status = absl::InternalError(absl::StrCat(
        Subject(command, container), ": it is not known how it ended"));
  }
  return result;
}

}  // namespace external_containerizer
