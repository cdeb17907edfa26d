// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// stdout and stderr of the agent: the task's bytes as they are, lines of our
// own, and on a terminal one status line that is always the last.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CONSOLE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CONSOLE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

// Not thread-safe. Writing blocks for as long as whoever reads does not.
class Console {
 public:
  enum class Stream { kOut, kErr };

  // The descriptors stay the caller's. `live`: show the status line; `err`
  // must be a terminal then.
  Console(int out, int err, bool live);

  // The task's bytes, untouched.
  void Write(Stream stream, absl::string_view bytes);

  // A line of our own on stderr, even if the task left one unfinished there.
  void Line(absl::string_view line);

  // A line on stdout, of what is to be read by a program.
  void Record(absl::string_view line);

  // What the status line says from now on; empty: there is none. It is not
  // shown while the task's line is unfinished.
  void SetStatus(absl::string_view status);

  // Columns of the terminal; 80 if that cannot be known.
  size_t Width() const;

  // Why stdout takes nothing any more: UNAVAILABLE if nobody reads it.
  const absl::Status& out_status() const { return out_status_; }

 private:
  void Erase();
  void Draw();
  void NoteEnd(Stream stream, absl::string_view bytes);

  const int out_;
  const int err_;
  const bool live_;
  const bool same_place_;  // Both streams go to the same file or terminal.
  std::string status_;
  bool shown_ = false;
  bool line_begins_ = true;  // The next byte on stderr begins a line.
  absl::Status out_status_;
  absl::Status err_status_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CONSOLE_H_
