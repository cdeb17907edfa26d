// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The agent as its users start it, for tests: its binary, its output and its
// exit status. Failures are the test's.
//
//   AgentProcess agent({"run", "--", "echo", "hello"}, {{"HOME", home}});
//   agent.Expect("out", "hello\n");
//   EXPECT_EQ(agent.Wait(), 0);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_AGENT_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_AGENT_TESTING_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/files.h"

namespace external_containerizer {

// How long a test waits for anything.
inline constexpr absl::Duration kPatience = absl::Seconds(60);

class AgentProcess {
 public:
  using Variables = std::map<std::string, std::string>;

  AgentProcess(const std::vector<std::string>& arguments,
               const Variables& variables);
  // Writes its stdout to `out`.
  AgentProcess(const std::vector<std::string>& arguments,
               const Variables& variables, const UniqueFd& out);
  // Runs on a terminal of so many columns. All that it writes is in out().
  AgentProcess(const std::vector<std::string>& arguments,
               const Variables& variables, unsigned short columns);
  AgentProcess(AgentProcess&& other) noexcept;
  AgentProcess& operator=(AgentProcess&& other) noexcept;
  // Kills the agent.
  ~AgentProcess();

  pid_t pid() const { return pid_; }
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

  void Signal(int number);
  void CloseOut();

  // Reads until out() or err() contains `text`. `where` is "out" or "err".
  void Expect(const std::string& where, const std::string& text);

  // Reads to the end. Returns the exit status, or minus the signal's number.
  int Wait();

 private:
  void Spawn(const std::vector<std::string>& arguments,
             const Variables& variables, int out, int err);
  bool ReadSome();  // Returns false at the end of both streams.

  pid_t pid_ = -1;
  UniqueFd out_fd_, err_fd_;
  std::string out_, err_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_AGENT_TESTING_H_
