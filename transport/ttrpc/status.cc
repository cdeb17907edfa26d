// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/status.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

constexpr size_t kMaxMessage = 64 << 10;
constexpr int kLastCode = static_cast<int>(absl::StatusCode::kUnauthenticated);

}  // namespace

void EncodeStatus(const absl::Status& status, wire::Status* out) {
  out->set_code(static_cast<int>(status.code()));
  const absl::string_view message = status.message().substr(0, kMaxMessage);
  out->set_message(IsValidUtf8(message) ? std::string(message)
                                        : absl::CHexEscape(message));
}

absl::Status DecodeStatus(const wire::Status& status) {
  const std::string message(status.message());
  if (status.code() == 0) return absl::OkStatus();
  if (status.code() < 0 || status.code() > kLastCode) {
    return absl::UnknownError(absl::StrCat("code ", status.code(), ": ",
                                           message.substr(0, kMaxMessage)));
  }
  return absl::Status(static_cast<absl::StatusCode>(status.code()),
                      message.substr(0, kMaxMessage));
}

// Implements Unicode's table of well-formed sequences, without overlong forms,
// surrogates, and numbers above U+10FFFF.
bool IsValidUtf8(absl::string_view text) {
  size_t i = 0;
  const auto continues = [&](uint8_t low, uint8_t high) {
    const auto byte = static_cast<uint8_t>(i < text.size() ? text[i] : 0);
    ++i;
    return byte >= low && byte <= high;
  };
  while (i < text.size()) {
    const auto lead = static_cast<uint8_t>(text[i++]);
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (!continues(low, high)) return false;
    if (lead >= 0xe0 && !continues(0x80, 0xbf)) return false;
    if (lead >= 0xf0 && !continues(0x80, 0xbf)) return false;
  }
  return true;
}

}  // namespace ttrpc
}  // namespace external_containerizer
