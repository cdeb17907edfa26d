// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Keeps a file short that other processes append to for ever, such as the
// stderr of a helper.
//
//   FileBound bound(loop, directory.get(), "helper.stderr");
//   auto file = OpenForAppending(directory.get(), "helper.stderr", ...);

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FILE_BOUND_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FILE_BOUND_H_

#include <string>

#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"

namespace external_containerizer {

// While it lives, a file that has reached 1 MiB is emptied, after its last MiB
// was copied to `name`.old. Writers go on in the same file, so they must have
// opened it with O_APPEND. The size is looked at in the constructor, then every
// 10 ms while the file grows fast, and every second while it does not.
//
// Only on the loop's thread.
class FileBound {
 public:
  // The caller keeps `directory` open. Only this user can write to it. The file
  // need not exist.
  FileBound(EventLoop& loop, int directory, std::string name);
  ~FileBound() { loop_.CancelTimer(timer_); }
  FileBound(const FileBound&) = delete;
  FileBound& operator=(const FileBound&) = delete;

 private:
  void Look();
  bool Shorten() const;  // Returns whether the file was too long.

  EventLoop& loop_;
  const int directory_;
  const std::string name_;
  absl::Duration pause_;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FILE_BOUND_H_
