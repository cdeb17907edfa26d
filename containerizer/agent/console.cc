// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/console.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/standard_output.h"

namespace external_containerizer {
namespace {

constexpr char kEraseLine[] = "\r\x1b[K";

bool AreSamePlace(int a, int b) {
  struct stat a_status, b_status;
  return fstat(a, &a_status) == 0 && fstat(b, &b_status) == 0 &&
         a_status.st_dev == b_status.st_dev &&
         a_status.st_ino == b_status.st_ino;
}

absl::Status WriteTo(int fd, absl::string_view bytes) {
  const int error = WriteAll(fd, bytes);
  if (error == 0) return absl::OkStatus();
  return error == EPIPE ? absl::UnavailableError("nobody reads it any more")
                        : absl::InternalError(strerror(error));
}

}  // namespace

Console::Console(int out, int err, bool live)
    : out_(out), err_(err), live_(live), same_place_(AreSamePlace(out, err)) {}

void Console::Write(Stream stream, absl::string_view bytes) {
  if (bytes.empty()) return;
  Erase();
  absl::Status& status = stream == Stream::kOut ? out_status_ : err_status_;
  if (status.ok()) {
    status = WriteTo(stream == Stream::kOut ? out_ : err_, bytes);
  }
  NoteEnd(stream, bytes);
  Draw();
}

void Console::Line(absl::string_view line) {
  Erase();
  if (err_status_.ok()) {
    err_status_ =
        WriteTo(err_, absl::StrCat(line_begins_ ? "" : "\n", line, "\n"));
  }
  line_begins_ = true;
  Draw();
}

void Console::SetStatus(absl::string_view status) {
  if (!live_ || status == status_) return;
  Erase();
  status_ = std::string(status);
  Draw();
}

size_t Console::Width() const {
  struct winsize size = {};
  if (ioctl(err_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return 80;
}

void Console::Erase() {
  if (!shown_) return;
  shown_ = false;
  if (err_status_.ok()) err_status_ = WriteTo(err_, kEraseLine);
}

void Console::Draw() {
  if (!live_ || status_.empty() || !line_begins_ || !err_status_.ok()) return;
  err_status_ = WriteTo(err_, status_);
  shown_ = true;
}

void Console::NoteEnd(Stream stream, absl::string_view bytes) {
  if (stream == Stream::kErr || same_place_) {
    line_begins_ = bytes.back() == '\n';
  }
}

}  // namespace external_containerizer
