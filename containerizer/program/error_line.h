// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The form in which a program's process says on stderr what went wrong.
//
//   fprintf(stderr, "%s\n", ErrorLine("posix", WithCode(status)).c_str());

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_ERROR_LINE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_ERROR_LINE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

// "program: text", as one line without its end. It is safe for a terminal, and
// quotes stay readable. It is cut after 4 KiB, because an agent shows only the
// last few lines.
std::string ErrorLine(absl::string_view program, absl::string_view text);

// For example "message (NOT_FOUND)".
std::string WithCode(const absl::Status& status);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_ERROR_LINE_H_
