// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/answer.h"

#include <sys/wait.h>

#include <csignal>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/process.h"

namespace external_containerizer {
namespace {

// The largest quote, after escaping. Many places show only 4 KiB of a message.
// The end of a program's stderr tells most.
constexpr size_t kMaxQuote = 3 << 10;

// The error of a command whose process ended by itself, or OK.
absl::Status JudgeEnd(const std::string& who, const CommandEnd& end) {
  const std::string garbage =
      end.record.ok() ? ""
                      : absl::StrCat(", and ", end.record.status().message());
  if (!end.wait_status.has_value()) {
    // Without an exit status only a good record shows success.
    if (end.record.ok() && end.record->has_value()) return absl::OkStatus();
    return absl::InternalError(absl::StrCat(
        who,
        " ended, but its exit status cannot be known: something in this "
        "process reaps children that are not its own",
        garbage));
  }
  if (*end.wait_status != 0) {
    return absl::InternalError(
        absl::StrCat(who, " ", DescribeWaitStatus(*end.wait_status), garbage));
  }
  if (!end.record.ok()) {
    return absl::DataLossError(
        absl::StrCat(who, " gave no answer: ", end.record.status().message()));
  }
  return absl::OkStatus();
}

}  // namespace

Answer MakeAnswer(CommandEnd end) {
  Answer answer;
  answer.wait_status = end.wait_status;
  answer.program = end.program;
  const std::string who = absl::StrCat(CommandName(end.command), " by \"",
                                       absl::CHexEscape(end.program), "\"");
  const bool has_record = end.record.ok() && end.record->has_value();
  // The process may have ended before SIGKILL reached it.
  if (end.wait_status.has_value() && !(WIFSIGNALED(*end.wait_status) &&
                                       WTERMSIG(*end.wait_status) == SIGKILL)) {
    end.ending = Ending::kByItself;
  }
  const std::string after =
      end.ended ? "; it was ended" : "; it could not be ended, or not provably";
  switch (end.ending) {
    case Ending::kByItself:
      answer.status = JudgeEnd(who, end);
      break;
    case Ending::kTimeout:
      answer.status = absl::DeadlineExceededError(
          absl::StrCat(who, " did not end in time", after));
      break;
    case Ending::kCancelled:
      answer.status =
          absl::CancelledError(absl::StrCat(who, " was cancelled", after));
      break;
    case Ending::kFlood:
      answer.status = absl::DataLossError(
          absl::StrCat(who, " wrote without end", end.record.ok() ? "" : ": ",
                       end.record.status().message(), after));
      break;
    case Ending::kLingering:
      if (!has_record) {
        answer.status = absl::DataLossError(
            absl::StrCat(who, " gave no answer: ",
                         end.record.ok() ? "it closed its stdout"
                                         : end.record.status().message(),
                         after));
      }
      break;
    case Ending::kUnwatched:
      answer.status = absl::ResourceExhaustedError(
          absl::StrCat(who, " could not be watched", after));
      break;
  }
  if (has_record && end.trailing_bytes > 0) {
    answer.remark = absl::StrCat(
        who, " wrote ", end.trailing_bytes,
        " bytes behind its answer, which are ignored: it is to write one "
        "record and nothing else to stdout");
  }
  if (has_record) answer.output = *std::move(end.record);
  if (has_record) {
    answer.outcome = Outcome::kAnswered;
  } else if (!end.ended || (end.ending == Ending::kByItself &&
                            !end.wait_status.has_value())) {
    answer.outcome = Outcome::kUnknown;
  } else if (end.ending == Ending::kByItself && WIFEXITED(*end.wait_status) &&
             end.record.ok()) {
    answer.outcome = Outcome::kAnswered;
  } else {
    answer.outcome = Outcome::kEnded;
  }
  return answer;
}

absl::Status WithStderr(const absl::Status& status, const std::string& text) {
  absl::string_view said = absl::StripAsciiWhitespace(text);
  if (status.ok() || said.empty()) return status;
  std::string quote = absl::CHexEscape(said);
  const char* cut = "";
  while (quote.size() > kMaxQuote) {
    // No byte becomes more than four.
    said.remove_prefix((quote.size() - kMaxQuote + 3) / 4);
    quote = absl::CHexEscape(said);
    cut = "...";
  }
  return absl::Status(
      status.code(),
      absl::StrCat(status.message(), "; stderr: \"", cut, quote, "\""));
}

}  // namespace external_containerizer
