// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// An external containerizer program that does one thing wrong, or right:
//
//   misbehave MODE [ARGUMENT] COMMAND
//
// MODE and ARGUMENT are given as fixed arguments in the program's path, e.g.
// "/path/misbehave exit 1". Modes that leave processes behind append the ids
// of all of them, one per line, to the file $MISBEHAVE_PIDS. Nothing but libc
// is used, so that a test may start it thousands of times.

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <string>

extern char** environ;

namespace {

bool WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, data, size);
    if (n <= 0) return false;
    data += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool WriteAll(int fd, const std::string& data) {
  return WriteAll(fd, data.data(), data.size());
}

std::string Prefix(uint32_t size) {
  return std::string(reinterpret_cast<const char*>(&size), sizeof(size));
}

std::string Record(const std::string& payload) {
  return Prefix(static_cast<uint32_t>(payload.size())) + payload;
}

// Everything up to EOF.
std::string ReadToEof() {
  std::string data;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = read(0, buffer, sizeof(buffer));
    if (n <= 0) return data;
    data.append(buffer, static_cast<size_t>(n));
  }
}

// The payload of one record, and not a byte more; empty without a record.
std::string ReadRecord() {
  uint32_t size = 0;
  std::string data;
  for (size_t have = 0; have < sizeof(size);) {
    const ssize_t n =
        read(0, reinterpret_cast<char*>(&size) + have, sizeof(size) - have);
    if (n <= 0) return "";
    have += static_cast<size_t>(n);
  }
  data.resize(size);
  for (size_t have = 0; have < size;) {
    const ssize_t n = read(0, &data[have], size - have);
    if (n <= 0) return "";
    have += static_cast<size_t>(n);
  }
  return data;
}

[[noreturn]] void Hang() {
  for (;;) pause();
}

[[noreturn]] void Die(int signal_number) {
  signal(signal_number, SIG_DFL);  // A sanitizer may have taken it.
  kill(getpid(), signal_number);
  Hang();
}

void RecordPid() {
  const char* path = getenv("MISBEHAVE_PIDS");
  if (path == nullptr) return;
  const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return;
  char line[32];
  const int size = snprintf(line, sizeof(line), "%d\n", getpid());
  WriteAll(fd, line, static_cast<size_t>(size));
  close(fd);
}

// Starts a process that is nobody's child and keeps all descriptors. Returns
// when its pid is recorded.
void Daemon(bool own_session) {
  int ready[2];
  if (pipe(ready) != 0) exit(90);
  if (fork() == 0) {
    if (own_session) setsid();
    if (fork() != 0) _exit(0);
    close(ready[0]);
    RecordPid();
    close(ready[1]);
    Hang();
  }
  close(ready[1]);
  char byte;
  while (read(ready[0], &byte, 1) > 0) {
  }
  close(ready[0]);
}

void Flood(int fd, size_t bytes) {
  const std::string block(1 << 16, 'x');
  while (bytes > 0) {
    const size_t n = bytes < block.size() ? bytes : block.size();
    if (!WriteAll(fd, block.data(), n)) return;
    bytes -= n;
  }
}

void Append(std::string* out, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
void Append(std::string* out, const char* format, ...) {
  char line[8192];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  *out += line;
  *out += '\n';
}

// The surroundings of a program that starts, as lines of key=value.
std::string Report(int argc, char** argv) {
  std::string out;
  char buffer[4096];
  for (int i = 0; i < argc; ++i) Append(&out, "argv%d=%s", i, argv[i]);
  if (getcwd(buffer, sizeof(buffer)) != nullptr) {
    Append(&out, "cwd=%s", buffer);
  }
  Append(&out, "pid=%d", getpid());
  Append(&out, "leads_session=%d", getsid(0) == getpid() ? 1 : 0);
  if (FILE* status = fopen("/proc/self/status", "re")) {
    while (fgets(buffer, sizeof(buffer), status) != nullptr) {
      if (strncmp(buffer, "SigBlk:", 7) == 0 ||
          strncmp(buffer, "SigIgn:", 7) == 0) {
        char* value = buffer + 8;
        value[strcspn(value, "\n")] = '\0';
        Append(&out, "%.6s=%s", buffer, value);
      }
    }
    fclose(status);
  }
  std::string open_fds;
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) open_fds += std::to_string(fd) + " ";
  }
  Append(&out, "fds=%s", open_fds.c_str());
  for (int fd = 0; fd < 3; ++fd) {
    struct stat info = {};
    fstat(fd, &info);
    Append(&out, "fd%d=%s", fd,
           S_ISFIFO(info.st_mode)  ? "pipe"
           : S_ISREG(info.st_mode) ? "file"
           : S_ISCHR(info.st_mode) ? "device"
                                   : "other");
    Append(&out, "fd%d_append=%d", fd,
           (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? 1 : 0);
    Append(&out, "fd%d_nonblock=%d", fd,
           (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? 1 : 0);
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    Append(&out, "env:%s", *variable);
  }
  const std::string input = ReadToEof();
  Append(&out, "input_bytes=%zu", input.size());
  return out;
}

int Run(const std::string& mode, const char* argument, int argc, char** argv) {
  const auto number = [&](unsigned long long otherwise) {
    return argument == nullptr ? otherwise : strtoull(argument, nullptr, 10);
  };
  if (mode == "report") {
    WriteAll(1, Record(Report(argc, argv)));
    return 0;
  }
  if (mode == "same") {  // Answers with the record that it was given.
    WriteAll(1, Record(ReadRecord()));
    return 0;
  }
  if (mode == "ignore") return 0;  // And never looks at stdin.
  if (mode == "silent") {
    ReadRecord();
    return 0;
  }
  if (mode == "read-to-eof") {
    WriteAll(1, Record(std::to_string(ReadToEof().size())));
    return 0;
  }
  if (mode == "exit") {
    ReadRecord();
    fprintf(stderr, "misbehave: cannot do %s\nmisbehave: giving up\n",
            argv[argc - 1]);
    return static_cast<int>(number(1));
  }
  if (mode == "escapes") {
    fprintf(stderr, "\x1b]0;owned\x07\x1b[31mred\n");
    return 1;
  }
  if (mode == "signal") {
    fprintf(stderr, "misbehave: about to die\n");
    Die(static_cast<int>(number(SIGKILL)));
  }
  if (mode == "text") {
    const char kText[] = "Traceback (most recent call last):\n\x1b[1m";
    WriteAll(1, kText, sizeof(kText) - 1);
    return static_cast<int>(number(0));
  }
  if (mode == "announce") {  // A length, and then nothing.
    WriteAll(1, Prefix(static_cast<uint32_t>(number(0xffffffffu))));
    return 0;
  }
  if (mode == "short") {
    WriteAll(1, Prefix(100) + "0123456789");
    return 0;
  }
  if (mode == "prefix") {  // The first bytes of a length.
    WriteAll(1, Prefix(7).substr(0, number(3)));
    return 0;
  }
  if (mode == "empty-record") {
    WriteAll(1, Record(""));
    return 0;
  }
  if (mode == "two-records") {
    WriteAll(1, Record("") + Record(""));
    return 0;
  }
  if (mode == "big-endian") {
    WriteAll(1, std::string("\0\0\0\3abc", 7));
    return 0;
  }
  if (mode == "record") {  // A good one of so many bytes.
    WriteAll(1, Record(std::string(number(1 << 20), 'r')));
    return 0;
  }
  if (mode == "flood") {
    Flood(1, number(100 << 20));
    return 0;
  }
  if (mode == "noise") {
    Flood(1, 1 << 20);
    Flood(2, 1 << 20);
    return 0;
  }
  if (mode == "slow") {  // One byte at a time, for a second or so.
    for (const char c : Record("slow but steady")) {
      const struct timespec pause = {0, 5000000};
      nanosleep(&pause, nullptr);
      WriteAll(1, &c, 1);
    }
    return 0;
  }
  if (mode == "record-exit") {
    WriteAll(1, Record("good"));
    return static_cast<int>(number(1));
  }
  if (mode == "record-signal") {
    WriteAll(1, Record("good"));
    Die(static_cast<int>(number(SIGKILL)));
  }
  if (mode == "record-garbage") {
    WriteAll(1, Record("good"));
    Flood(1, number(1 << 20));
    return 0;
  }
  if (mode == "record-linger") {
    WriteAll(1, Record("good"));
    RecordPid();
    Hang();
  }
  if (mode == "text-linger") {
    WriteAll(1, "no record, and no end\n");
    Hang();
  }
  if (mode == "close-stdout") {
    close(1);
    Hang();
  }
  if (mode == "hang") {
    RecordPid();
    Hang();
  }
  if (mode == "ignore-signals") {
    for (int i = 1; i < 32; ++i) signal(i, SIG_IGN);
    RecordPid();
    Hang();
  }
  if (mode == "daemon") {  // Leaves one that holds on to our descriptors.
    Daemon(/*own_session=*/false);
    WriteAll(1, Record("good"));
    return 0;
  }
  if (mode == "family") {  // So many in the session, the leader included.
    for (unsigned long long i = 1; i < number(4); ++i) {
      Daemon(/*own_session=*/false);
    }
    RecordPid();
    Hang();
  }
  if (mode == "escape-session") {
    Daemon(/*own_session=*/true);
    RecordPid();
    Hang();
  }
  fprintf(stderr, "misbehave: unknown mode: %s\n", mode.c_str());
  return 99;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: misbehave MODE [ARGUMENT] COMMAND\n");
    return 98;
  }
  return Run(argv[1], argc > 3 ? argv[2] : nullptr, argc, argv);
}
