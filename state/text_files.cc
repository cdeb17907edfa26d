// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/text_files.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace state {
namespace {

absl::Status NotA(absl::string_view what, absl::string_view text) {
  constexpr size_t kShown = 40;
  return absl::DataLossError(
      absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShown)), "\"",
                   text.size() > kShown ? "..." : "", " is not ", what));
}

}  // namespace

absl::StatusOr<pid_t> ParseForkedPid(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  pid_t pid;
  if (!absl::SimpleAtoi(text, &pid) || pid < 1) return NotA("a pid", text);
  return pid;
}

std::string FormatForkedPid(pid_t pid) { return absl::StrCat(pid); }

absl::StatusOr<std::string> ParseUpid(absl::string_view text) {
  constexpr absl::string_view kForm = "an address such as id@ip:port";
  text = absl::StripAsciiWhitespace(text);
  const size_t at = text.rfind('@');
  const size_t colon = text.rfind(':');
  if (at == text.npos || colon == text.npos || colon <= at + 1) {
    return NotA(kForm, text);
  }
  for (const char c : text) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return NotA(kForm, text);
    }
  }
  uint32_t port;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 0xffff) {
    return NotA(kForm, text);
  }
  return std::string(text);
}

absl::StatusOr<bool> ParseFlag(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text == "0") return false;
  if (text == "1") return true;
  return NotA("0 or 1", text);
}

std::string ParseBootId(absl::string_view text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

absl::StatusOr<std::string> CurrentBootId() {
  std::string id = BootId();
  if (!id.empty()) return id;
  return absl::UnavailableError(
      "cannot tell which boot this is: /proc/sys/kernel/random/boot_id cannot "
      "be read; is /proc mounted?");
}

}  // namespace state
}  // namespace external_containerizer
