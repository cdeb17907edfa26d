// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The bytes that a command wrote to its stdout, judged as a record.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_RAW_ANSWER_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_RAW_ANSWER_H_

#include "absl/strings/string_view.h"
#include "external_containerizer/testing/conformance/subject.h"

namespace external_containerizer {
namespace conformance {

// The largest answer that is looked at.
inline constexpr size_t kMaxAnswerBytes = 4u << 20;

// Sets `answer`, `bad_record` and `behind`. `bad_record` says what to mend.
void JudgeAnswer(absl::string_view bytes, Ended* ended);

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_RAW_ANSWER_H_
