// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The flags of a command: --name=value, --name value, --switch, -v.
//
//   const absl::StatusOr<Flags> flags = Flags::Parse(
//       {{"grace", "DURATION", "How long to wait."}}, arguments);
//   if (flags.ok()) Wait(flags->Value("grace", "3s"));

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_FLAGS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_FLAGS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

struct Flag {
  std::string name;   // Without dashes.
  std::string value;  // The value's name in the help; empty for a switch.
  std::string help;   // One paragraph.
  char letter = 0;    // A short form, for switches only.
};

class Flags {
 public:
  // Reads flags up to "--", which is dropped, or up to the first argument that
  // does not begin with a dash. INVALID_ARGUMENT, with a message for people, if
  // a flag is unknown (the message suggests the nearest known one), if a value
  // is missing, or if a switch has a value other than true, false, yes or no.
  static absl::StatusOr<Flags> Parse(const std::vector<Flag>& known,
                                     const std::vector<std::string>& arguments);

  // Whether a switch is on.
  bool On(absl::string_view name) const;

  // The value that was given last, or `otherwise` if none was given.
  std::string Value(absl::string_view name, absl::string_view otherwise) const;

  // All values that were given, in order.
  std::vector<std::string> Values(absl::string_view name) const;

  // The arguments after the flags.
  const std::vector<std::string>& rest() const { return rest_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> rest_;
};

// The part of a help text that lists `flags`, no wider than 79 columns.
std::string HelpOn(const std::vector<Flag>& flags);

// The word in `words` that `word` was most likely meant to be; empty if none is
// near.
std::string Nearest(absl::string_view word,
                    const std::vector<std::string>& words);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_FLAGS_H_
