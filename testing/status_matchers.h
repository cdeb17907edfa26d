// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Matchers for absl::Status and absl::StatusOr, under the names that everyone
// knows. The oldest Abseil we build with has none.
//
//   EXPECT_THAT(Destroy(id), IsOk());
//   EXPECT_THAT(Count(), IsOkAndHolds(3));
//   EXPECT_THAT(Launch(id), StatusIs(absl::StatusCode::kNotFound));
//   EXPECT_THAT(Launch(id), StatusIs(absl::StatusCode::kNotFound,
//                                    HasSubstr("c-1")));

#ifndef EXTERNAL_CONTAINERIZER_TESTING_STATUS_MATCHERS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"

namespace external_containerizer {
namespace status_matchers_internal {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}

template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

class StatusMatcher {
 public:
  StatusMatcher(::testing::Matcher<absl::StatusCode> code,
                ::testing::Matcher<const std::string&> message)
      : code_(std::move(code)), message_(std::move(message)) {}

  void DescribeTo(std::ostream* os) const {
    *os << "has a status code that ";
    code_.DescribeTo(os);
    *os << " and a message that ";
    message_.DescribeTo(os);
  }

  void DescribeNegationTo(std::ostream* os) const {
    *os << "has a status code that ";
    code_.DescribeNegationTo(os);
    *os << " or a message that ";
    message_.DescribeNegationTo(os);
  }

  template <typename StatusLike>
  bool MatchAndExplain(const StatusLike& actual,
                       ::testing::MatchResultListener* listener) const {
    const absl::Status& status = StatusOf(actual);
    *listener << "whose status is " << status.ToString();
    return code_.Matches(status.code()) &&
           message_.Matches(std::string(status.message()));
  }

 private:
  ::testing::Matcher<absl::StatusCode> code_;
  ::testing::Matcher<const std::string&> message_;
};

// Made for each type of StatusOr that it is used with.
template <typename ValueMatcher>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(ValueMatcher value) : value_(std::move(value)) {}

  template <typename StatusOrType>
  operator ::testing::Matcher<StatusOrType>() const {  // NOLINT: gmock's way
    return ::testing::Matcher<StatusOrType>(new Impl<StatusOrType>(value_));
  }

 private:
  template <typename StatusOrType>
  class Impl : public ::testing::MatcherInterface<StatusOrType> {
   public:
    using Value = typename std::decay_t<StatusOrType>::value_type;

    explicit Impl(const ValueMatcher& value)
        : value_(::testing::SafeMatcherCast<const Value&>(value)) {}

    void DescribeTo(std::ostream* os) const override {
      *os << "is OK and holds a value that ";
      value_.DescribeTo(os);
    }

    void DescribeNegationTo(std::ostream* os) const override {
      *os << "is not OK or holds a value that ";
      value_.DescribeNegationTo(os);
    }

    bool MatchAndExplain(
        StatusOrType actual,
        ::testing::MatchResultListener* listener) const override {
      if (!actual.ok()) {
        *listener << "whose status is " << actual.status().ToString();
        return false;
      }
      return value_.MatchAndExplain(*actual, listener);
    }

   private:
    ::testing::Matcher<const Value&> value_;
  };

  ValueMatcher value_;
};

}  // namespace status_matchers_internal

// Matches a Status or StatusOr with this code and, if given, this message. The
// code may be a matcher, such as AnyOf(...).
inline ::testing::PolymorphicMatcher<status_matchers_internal::StatusMatcher>
StatusIs(::testing::Matcher<absl::StatusCode> code,
         ::testing::Matcher<const std::string&> message = ::testing::_) {
  return ::testing::MakePolymorphicMatcher(
      status_matchers_internal::StatusMatcher(std::move(code),
                                              std::move(message)));
}

// Matches a Status or StatusOr that is OK.
inline ::testing::PolymorphicMatcher<status_matchers_internal::StatusMatcher>
IsOk() {
  return StatusIs(absl::StatusCode::kOk);
}

// Matches a StatusOr that is OK and has a value that matches `value`.
template <typename ValueMatcher>
status_matchers_internal::IsOkAndHoldsMatcher<std::decay_t<ValueMatcher>>
IsOkAndHolds(ValueMatcher&& value) {
  return status_matchers_internal::IsOkAndHoldsMatcher<
      std::decay_t<ValueMatcher>>(std::forward<ValueMatcher>(value));
}

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_STATUS_MATCHERS_H_
