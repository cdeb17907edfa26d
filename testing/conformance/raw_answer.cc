// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/raw_answer.h"

#include <cctype>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace conformance {
namespace {

uint32_t Number(absl::string_view bytes, bool big_endian) {
  uint32_t number = 0;
  for (size_t i = 0; i < kRecordPrefixBytes; ++i) {
    const size_t at = big_endian ? i : kRecordPrefixBytes - 1 - i;
    number = number << 8 | static_cast<uint8_t>(bytes[at]);
  }
  return number;
}

bool IsText(absl::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (!isprint(byte) && !isspace(byte)) return false;
  }
  return true;
}

// Why bytes are no whole record.
std::string WhyNot(absl::string_view bytes) {
  const std::string begins =
      absl::StrCat(bytes.size(), " bytes on stdout, \"",
                   absl::CHexEscape(bytes.substr(0, 32)),
                   bytes.size() > 32 ? "\"...: " : "\": ");
  if (IsText(bytes.substr(0, kRecordPrefixBytes))) {
    return absl::StrCat(begins,
                        "text where the length of the record belongs; write "
                        "what is for people to stderr");
  }
  if (bytes.size() < kRecordPrefixBytes) {
    return absl::StrCat(begins, "they end inside the length, which has 4");
  }
  const size_t size = bytes.size() - kRecordPrefixBytes;
  if (Number(bytes, /*big_endian=*/true) == size) {
    return absl::StrCat(begins,
                        "the length is big-endian; write its lowest byte "
                        "first");
  }
  const uint32_t announced = Number(bytes, /*big_endian=*/false);
  if (announced > kMaxAnswerBytes) {
    return absl::StrCat(begins, "read as a length, they announce ", announced,
                        " bytes; begin with the length of the message, in 4 "
                        "bytes, the lowest first");
  }
  return absl::StrCat(begins, "the length announces ", announced,
                      " bytes, and ", size,
                      " follow; write all of the message, and flush stdout "
                      "before the process ends");
}

}  // namespace

void JudgeAnswer(absl::string_view bytes, Ended* ended) {
  if (bytes.empty()) return;
  const std::optional<absl::string_view> payload =
      WholeRecord(bytes, kMaxAnswerBytes);
  if (!payload.has_value()) {
    ended->bad_record = WhyNot(bytes);
    return;
  }
  ended->answer = std::string(*payload);
  ended->behind = bytes.size() - kRecordPrefixBytes - payload->size();
}

}  // namespace conformance
}  // namespace external_containerizer
