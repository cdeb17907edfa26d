// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The input of a fuzzer, as a list of decisions.
//
//   Decisions next(data, size);
//   while (!next.done()) Do(next.Below(3));

#ifndef EXTERNAL_CONTAINERIZER_TESTING_FUZZ_DECISIONS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_FUZZ_DECISIONS_H_

#include <cstddef>
#include <cstdint>

namespace external_containerizer {

// Takes decisions from the input; 0 once it is used up.
class Decisions {
 public:
  Decisions(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  bool done() const { return size_ == 0; }

  // A number from 0 to `bound` - 1; 0 if `bound` is 0.
  size_t Below(size_t bound) {
    size_t value = 0;
    for (int i = 0; i < 2 && size_ > 0; ++i, --size_) {
      value = value << 8 | *data_++;
    }
    return bound == 0 ? 0 : value % bound;
  }

  char Byte() { return static_cast<char>(Below(256)); }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_FUZZ_DECISIONS_H_
