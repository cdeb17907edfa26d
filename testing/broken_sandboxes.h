// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What a task can do to its sandbox so that commands about it cannot use it.
//
//   for (const BrokenSandbox& broken : BrokenSandboxes()) {
//     SCOPED_TRACE(broken.name);
//     broken.apply(box, victim);
//     ...
//     MendSandbox(box);
//   }

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BROKEN_SANDBOXES_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BROKEN_SANDBOXES_H_

#include <functional>
#include <string>
#include <vector>

namespace external_containerizer {

struct BrokenSandbox {
  const char* name;
  // Whether the directory itself can still be opened.
  bool can_be_opened;
  // `box` is the sandbox, with nothing in it; `victim` is a file elsewhere
  // that must keep its contents.
  std::function<void(const std::string& box, const std::string& victim)> apply;
};

const std::vector<BrokenSandbox>& BrokenSandboxes();

// An empty sandbox in place of what was done to it.
void MendSandbox(const std::string& box);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BROKEN_SANDBOXES_H_
