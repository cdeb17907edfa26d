// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Writes JSON: one object per line, in UTF-8.
//
//   JsonObject().Text("type", "end").Integer("exit_code", 3).ToString()
//
// returns
//
//   {"type":"end","exit_code":3}

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_JSON_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace external_containerizer {

// Returns how many bytes at the beginning of `text` are whole UTF-8 characters.
size_t Utf8Prefix(absl::string_view text);

// Returns whether `text` is the beginning of one UTF-8 character, and not all
// of it.
bool IsUnfinishedCharacter(absl::string_view text);

// Returns `text` in quotes. Control characters and DEL are escaped. Each byte
// that is not part of a UTF-8 character becomes U+FFFD.
std::string JsonString(absl::string_view text);

// Returns `time` as all objects of the agent have it:
// "2026-01-31T23:59:59.123Z". Empty if its year has not four digits, or is
// before 1970.
std::string JsonTime(absl::Time time);

// Each method adds a member, and returns the object. A name must be given once.
class JsonObject {
 public:
  JsonObject& Text(absl::string_view name, absl::string_view value);
  // An array of strings.
  JsonObject& Texts(absl::string_view name,
                    const std::vector<std::string>& values);
  JsonObject& Integer(absl::string_view name, int64_t value);
  JsonObject& Boolean(absl::string_view name, bool value);
  // Has at most six decimals; null if `value` is not finite.
  JsonObject& Number(absl::string_view name, double value);
  // Adds `bytes` as "data" if they are UTF-8, or else as "base64".
  JsonObject& Data(absl::string_view bytes);

  // Adds the members of `other`.
  JsonObject& Append(const JsonObject& other);

  std::string ToString() const;

 private:
  JsonObject& Member(absl::string_view name, absl::string_view json);

  std::string members_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_JSON_H_
