// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The agent as its users start it, for tests: the binary, what it writes and
// how it exits. Failures are the test's.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_AGENT_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_AGENT_TESTING_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/files.h"

namespace external_containerizer {

// For whatever a test waits for.
inline constexpr absl::Duration kPatience = absl::Seconds(60);

class AgentProcess {
 public:
  using Variables = std::map<std::string, std::string>;

  AgentProcess(const std::vector<std::string>& arguments,
               const Variables& variables);
  // With `out` for stdout.
  AgentProcess(const std::vector<std::string>& arguments,
               const Variables& variables, const UniqueFd& out);
  // On a terminal: all that it writes is in out().
  AgentProcess(const std::vector<std::string>& arguments,
               const Variables& variables, unsigned short columns);
  AgentProcess(AgentProcess&& other) noexcept;
  AgentProcess& operator=(AgentProcess&& other) noexcept;
  // Kills it.
  ~AgentProcess();

  pid_t pid() const { return pid_; }
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

  void Signal(int number);
  void CloseOut();

  // Reads until `text` is in what it wrote to `where`, "out" or "err".
  void Expect(const std::string& where, const std::string& text);

  // Reads to the end. The exit status; a signal's number is negative.
  int Wait();

 private:
  void Spawn(const std::vector<std::string>& arguments,
             const Variables& variables, int out, int err);
  bool ReadSome();  // False at the end of both.

  pid_t pid_ = -1;
  UniqueFd out_fd_, err_fd_;
  std::string out_, err_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_AGENT_TESTING_H_
