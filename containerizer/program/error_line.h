// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// How a program's process says on stderr what went wrong.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_ERROR_LINE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_ERROR_LINE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

// "program: text" as one line, without its end, that is safe for a terminal;
// quotes stay readable. Cut after 4 KiB: an agent shows the last few lines.
std::string ErrorLine(absl::string_view program, absl::string_view text);

// "message (NOT_FOUND)"
std::string WithCode(const absl::Status& status);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_ERROR_LINE_H_
