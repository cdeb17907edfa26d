// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/command_line.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace {

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text), "\"");
}

bool IsShellSyntax(absl::string_view program) {
  if (program.find_first_of("|&;<>()$`\\\"'*?[]#~{}!\n\r\v\f") !=
      absl::string_view::npos) {
    return true;
  }
  // An assignment before the program, "DEBUG=1 /opt/runner". Not "./a=b".
  const absl::string_view first =
      *absl::StrSplit(program, absl::ByAnyChar(" \t"), absl::SkipEmpty())
           .begin();
  const size_t equals = first.find('=');
  return equals != absl::string_view::npos &&
         first.substr(0, equals).find('/') == absl::string_view::npos;
}

// Returns OK if `file` is an executable file.
absl::Status CheckExecutable(const std::string& file) {
  struct stat info;
  if (stat(file.c_str(), &info) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot execute program ", Quoted(file), ": ", strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot execute program ", Quoted(file), ": it is not a file"));
  }
  if (faccessat(AT_FDCWD, file.c_str(), X_OK, AT_EACCESS) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot execute program ", Quoted(file), ": ",
                     strerror(errno), "; is it executable (chmod +x)?"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FindProgram(const std::string& word,
                                        absl::string_view search_path,
                                        absl::string_view directory) {
  if (absl::StrContains(word, '/')) {
    const std::string file =
        word[0] == '/' ? word : absl::StrCat(directory, "/", word);
    const absl::Status status = CheckExecutable(file);
    if (!status.ok()) return status;
    return file;
  }
  for (absl::string_view entry : absl::StrSplit(search_path, ':')) {
    std::string file = absl::StrCat(entry, "/", word);
    // An empty entry is the current directory, and a relative one is below it.
    if (entry.empty() || entry[0] != '/') {
      file =
          absl::StrCat(directory, "/", entry, entry.empty() ? "" : "/", word);
    }
    if (CheckExecutable(file).ok()) return file;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("cannot execute program ", Quoted(word),
                   ": there is no such program in PATH (", Quoted(search_path),
                   "); give its full path"));
}

// The interpreter that the first line of a script names; empty if `file` is
// not a script.
std::string InterpreterOf(const std::string& file) {
  const UniqueFd fd(
      open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  char head[256];
  const ssize_t size = fd.valid() ? pread(fd.get(), head, sizeof(head), 0) : -1;
  if (size < 2 || head[0] != '#' || head[1] != '!') return "";
  absl::string_view line(head + 2, static_cast<size_t>(size) - 2);
  line = line.substr(0, line.find('\n'));
  return std::string(absl::StripLeadingAsciiWhitespace(line));
}

}  // namespace

absl::StatusOr<CommandLine> ParseProgram(absl::string_view program,
                                         absl::string_view search_path,
                                         absl::string_view directory) {
  if (absl::StrContains(program, '\0')) {
    return absl::InvalidArgumentError("the program's path contains a NUL");
  }
  std::vector<std::string> words =
      absl::StrSplit(program, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.empty()) {
    return absl::FailedPreconditionError(
        "no external containerizer program is configured: give its path");
  }
  CommandLine line;
  if (IsShellSyntax(program)) {
    line.through_shell = true;
    line.file = "/bin/sh";
    line.arguments = {"sh", "-c", absl::StrCat(program, " \"$@\""), "sh"};
    return line;
  }
  absl::StatusOr<std::string> file =
      FindProgram(words[0], search_path, directory);
  if (!file.ok()) return file.status();
  line.file = *std::move(file);
  line.arguments = std::move(words);
  return line;
}

absl::Status ExecutionError(const std::string& file, int error) {
  const std::string what =
      absl::StrCat("cannot execute program ", Quoted(file), ": ");
  switch (error) {
    case ENOEXEC:
      return absl::FailedPreconditionError(
          absl::StrCat(what,
                       "wrong format or architecture; a script needs a "
                       "first line like \"#!/bin/sh\""));
    case ENOENT:
    case ENOTDIR: {
      if (access(file.c_str(), F_OK) != 0) break;
      const std::string interpreter = InterpreterOf(file);
      if (interpreter.empty()) {
        return absl::FailedPreconditionError(
            absl::StrCat(what,
                         "it is there, but the dynamic loader that it "
                         "names is not; was it built for this system?"));
      }
      return absl::FailedPreconditionError(
          absl::StrCat(what, "it is there, but its interpreter ",
                       Quoted(interpreter), " is not"));
    }
    case ETXTBSY:
      return absl::UnavailableError(
          absl::StrCat(what, "somebody is still writing to it"));
    case E2BIG:
      return absl::InvalidArgumentError(
          absl::StrCat(what, "its arguments and environment are too long"));
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(
          absl::StrCat(what, strerror(error),
                       "; no process, descriptor or memory to be had"));
  }
  return absl::FailedPreconditionError(absl::StrCat(what, strerror(error)));
}

}  // namespace external_containerizer
