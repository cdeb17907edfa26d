// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Runs the real binary in tests.
//
//   const Result result = Command({"containers"}, environment, "").Finish();

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_COMMAND_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_COMMAND_TESTING_H_

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {

// Nothing takes that long, so a longer wait is a failure.
inline constexpr int kPatienceMs = 60000;

inline std::string ReadFile(const std::string& path) {
  std::ostringstream contents;
  contents << std::ifstream(path, std::ios::binary).rdbuf();
  return contents.str();
}

inline std::string ReadToEnd(int fd) {
  std::string all;
  char buffer[4096];
  while (true) {
    pollfd ready = {fd, POLLIN, 0};
    if (poll(&ready, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "nobody closes the pipe";
      return all;
    }
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n <= 0) return all;
    all.append(buffer, static_cast<size_t>(n));
  }
}

// Strings as execve() takes them.
class Strings {
 public:
  explicit Strings(std::vector<std::string> strings)
      : strings_(std::move(strings)) {
    for (std::string& string : strings_) pointers_.push_back(string.data());
    pointers_.push_back(nullptr);
  }
  explicit Strings(const std::map<std::string, std::string>& environment)
      : Strings(Assignments(environment)) {}
  Strings(const Strings&) = delete;
  Strings& operator=(const Strings&) = delete;

  char* const* get() const { return pointers_.data(); }

 private:
  static std::vector<std::string> Assignments(
      const std::map<std::string, std::string>& environment) {
    std::vector<std::string> assignments;
    for (const auto& variable : environment) {
      assignments.push_back(absl::StrCat(variable.first, "=", variable.second));
    }
    return assignments;
  }

  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

// Makes an anonymous file with these contents, at its beginning.
inline UniqueFd FileWith(const std::string& contents) {
  UniqueFd file(memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(write(file.get(), contents.data(), contents.size()),
            static_cast<ssize_t>(contents.size()));
  EXPECT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
  return file;
}

struct Result {
  int status = 0;  // as of waitpid()
  std::string output;
  std::string errors;
};

// A running command.
class Command {
 public:
  Command(const std::vector<std::string>& arguments,
          const std::map<std::string, std::string>& environment,
          const std::string& record) {
    int in[2], out[2], err[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    const std::string binary = TestDataPath("containerizer/posix/posix");
    std::vector<std::string> strings = arguments;
    strings.insert(strings.begin(), binary);
    const Strings argv(std::move(strings));
    const Strings envp(environment);
    const int error = posix_spawn(&pid_, binary.c_str(), &actions, &attributes,
                                  argv.get(), envp.get());
    EXPECT_EQ(error, 0) << binary;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    output_.Reset(out[0]);
    errors_.Reset(err[0]);
    writer_ = std::thread([fd = in[1], record] {
      size_t done = 0;
      while (done < record.size()) {
        const ssize_t n = write(fd, record.data() + done, record.size() - done);
        if (n <= 0) break;
        done += static_cast<size_t>(n);
      }
      close(fd);
    });
  }
  Command(Command&&) = default;

  ~Command() {
    if (!writer_.joinable()) return;
    kill(pid_, SIGKILL);
    Finish();
  }

  pid_t pid() const { return pid_; }
  bool HasOutput() const {
    pollfd ready = {output_.get(), POLLIN, 0};
    return poll(&ready, 1, 0) != 0;
  }

  // Waits for the end of the command and of its output. It blocks as long as
  // any process has a pipe of the command open.
  Result Finish() {
    Result result;
    std::thread reader(
        [this, &result] { result.errors = ReadToEnd(errors_.get()); });
    result.output = ReadToEnd(output_.get());
    reader.join();
    EXPECT_EQ(waitpid(pid_, &result.status, 0), pid_);
    writer_.join();
    return result;
  }

 private:
  pid_t pid_ = 0;
  UniqueFd output_;
  UniqueFd errors_;
  std::thread writer_;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_COMMAND_TESTING_H_
