// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Writes JSON: objects in one line, in ASCII and UTF-8.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_JSON_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace external_containerizer {

// How many bytes at the beginning of `text` are whole UTF-8 characters.
size_t Utf8Prefix(absl::string_view text);

// Whether all of `text` could be the beginning of one UTF-8 character.
bool IsUnfinishedCharacter(absl::string_view text);

// `text` in quotes. Control characters are escaped, and so is DEL; what is not
// UTF-8 becomes U+FFFD, byte by byte.
std::string JsonString(absl::string_view text);

// `time` as all objects of the agent have it: "2026-01-31T23:59:59.123Z". Empty
// for what has no year of four digits.
std::string JsonTime(absl::Time time);

//   JsonObject().Text("type", "end").Integer("exit_code", 3).ToString()
//   {"type":"end","exit_code":3}
class JsonObject {
 public:
  JsonObject& Text(absl::string_view name, absl::string_view value);
  // An array.
  JsonObject& Texts(absl::string_view name,
                    const std::vector<std::string>& values);
  JsonObject& Integer(absl::string_view name, int64_t value);
  JsonObject& Boolean(absl::string_view name, bool value);
  // With at most six decimals. null if it is not finite.
  JsonObject& Number(absl::string_view name, double value);
  // Any bytes: as "data" if they are UTF-8, or else as "base64".
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
