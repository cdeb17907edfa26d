// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/json.h"

#include <cmath>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace external_containerizer {
namespace {

constexpr char kReplacement[] = "\xef\xbf\xbd";

// Returns the length of the character that begins with `lead`; 0 if none does.
// `low` and `high` bound its second byte, which excludes overlong forms,
// surrogates, and characters beyond U+10FFFF.
size_t CharacterLength(uint8_t lead, uint8_t& low, uint8_t& high) {
  low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// Sets the `length` of the character at the beginning of `text`, and how many
// of its bytes are there and `right`.
void Measure(absl::string_view text, size_t& length, size_t& right) {
  uint8_t low, high;
  length = CharacterLength(static_cast<uint8_t>(text[0]), low, high);
  right = length == 0 ? 0 : 1;
  while (right < length && right < text.size()) {
    const uint8_t next = static_cast<uint8_t>(text[right]);
    if (next < (right == 1 ? low : 0x80) || next > (right == 1 ? high : 0xbf)) {
      return;
    }
    ++right;
  }
}

}  // namespace

size_t Utf8Prefix(absl::string_view text) {
  size_t done = 0;
  while (done < text.size()) {
    size_t length, right;
    Measure(text.substr(done), length, right);
    if (length == 0 || right < length) break;
    done += length;
  }
  return done;
}

bool IsUnfinishedCharacter(absl::string_view text) {
  if (text.empty()) return false;
  size_t length, right;
  Measure(text, length, right);
  return right == text.size() && right < length;
}

std::string JsonString(absl::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    size_t length, right;
    Measure(text, length, right);
    if (length == 0 || right < length) {
      json += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    const char c = text[0];
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (c == '\t') {
      json += "\\t";
    } else if (length == 1 && (c < 0x20 || c == 0x7f)) {
      absl::StrAppendFormat(&json, "\\u%04x", static_cast<int>(c));
    } else {
      json.append(text.data(), length);
    }
    text.remove_prefix(length);
  }
  json += '"';
  return json;
}

JsonObject& JsonObject::Member(absl::string_view name, absl::string_view json) {
  absl::StrAppend(&members_, members_.empty() ? "" : ",", JsonString(name), ":",
                  json);
  return *this;
}

std::string JsonTime(absl::Time time) {
  constexpr int64_t kYear10000 = 253402300800;
  if (time < absl::UnixEpoch() || time >= absl::FromUnixSeconds(kYear10000)) {
    return "";
  }
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

JsonObject& JsonObject::Text(absl::string_view name, absl::string_view value) {
  return Member(name, JsonString(value));
}

JsonObject& JsonObject::Texts(absl::string_view name,
                              const std::vector<std::string>& values) {
  return Member(
      name, absl::StrCat(
                "[",
                absl::StrJoin(values, ",",
                              [](std::string* out, const std::string& value) {
                                out->append(JsonString(value));
                              }),
                "]"));
}

JsonObject& JsonObject::Integer(absl::string_view name, int64_t value) {
  return Member(name, absl::StrCat(value));
}

JsonObject& JsonObject::Boolean(absl::string_view name, bool value) {
  return Member(name, value ? "true" : "false");
}

JsonObject& JsonObject::Number(absl::string_view name, double value) {
  if (!std::isfinite(value)) return Member(name, "null");
  std::string digits = absl::StrFormat("%.6f", value);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return Member(name, digits);
}

JsonObject& JsonObject::Data(absl::string_view bytes) {
  if (Utf8Prefix(bytes) == bytes.size()) return Text("data", bytes);
  return Text("base64", absl::Base64Escape(bytes));
}

JsonObject& JsonObject::Append(const JsonObject& other) {
  absl::StrAppend(&members_,
                  members_.empty() || other.members_.empty() ? "" : ",",
                  other.members_);
  return *this;
}

std::string JsonObject::ToString() const {
  return absl::StrCat("{", members_, "}");
}

}  // namespace external_containerizer
