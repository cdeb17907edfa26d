// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The agent's stdout and stderr: the task's bytes as they are, lines of the
// agent's own, and on a terminal one status line that is always the last.
//
//   Console console(STDOUT_FILENO, STDERR_FILENO, isatty(STDERR_FILENO) == 1);
//   console.SetStatus("running 12 s");
//   console.Write(Console::Stream::kOut, bytes);
//   console.Line("agent: exited with code 0");

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CONSOLE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CONSOLE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

// To be used by one thread. Writing blocks until the reader takes the bytes. A
// stream that failed once is not written to again.
class Console {
 public:
  enum class Stream { kOut, kErr };

  // The caller keeps the descriptors open. `live` shows the status line; `err`
  // must be a terminal for that.
  Console(int out, int err, bool live);

  // Writes the task's bytes, untouched.
  void Write(Stream stream, absl::string_view bytes);

  // Writes a line on stderr. It begins in the first column, also where the task
  // has left a line unfinished.
  void Line(absl::string_view line);

  // Sets the status line; an empty one is not shown. It is hidden while the
  // task's last line is unfinished.
  void SetStatus(absl::string_view status);

  // Returns the columns of the terminal; 80 if they cannot be known.
  size_t Width() const;

  // Returns why stdout takes nothing any more; UNAVAILABLE if its reader went
  // away.
  const absl::Status& out_status() const { return out_status_; }

 private:
  void Erase();
  void Draw();
  void NoteEnd(Stream stream, absl::string_view bytes);

  const int out_;
  const int err_;
  const bool live_;
  const bool same_place_;  // Both streams are the same file or terminal.
  std::string status_;
  bool shown_ = false;
  bool line_begins_ = true;  // stderr's cursor is in the first column.
  absl::Status out_status_;
  absl::Status err_status_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CONSOLE_H_
