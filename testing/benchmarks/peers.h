// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A client process and a server process that it calls, in any language.
//
//   auto peers = Peers::Start(server, client);
//   absl::StatusOr<CallCost> cost = (*peers)->Run(4, 1000);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_PEERS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_PEERS_H_

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace external_containerizer {

// A process with pipes to its stdin and from its stdout. The destructor kills
// and reaps it.
class PipedProcess {
 public:
  static absl::StatusOr<std::unique_ptr<PipedProcess>> Start(
      const std::vector<std::string>& arguments);
  ~PipedProcess();

  // Writes a line, if it is not empty, and reads the next one.
  absl::StatusOr<std::string> Ask(const std::string& line);

  // The processor time of its threads so far.
  absl::StatusOr<absl::Duration> CpuTime() const;

  pid_t pid() const { return pid_; }

 private:
  PipedProcess(pid_t pid, FILE* in, FILE* out)
      : pid_(pid), in_(in), out_(out) {}

  const pid_t pid_;
  FILE* const in_;
  FILE* const out_;
};

// The cost of one call.
struct CallCost {
  double seconds;
  double cpu_seconds;  // Of both processes.
};

class Peers {
 public:
  // The server says "ready" in a line of its own when it can be called. The
  // client takes lines "CALLERS CALLS", makes so many calls, each with 100
  // bytes there and back, and says how many nanoseconds that took.
  static absl::StatusOr<std::unique_ptr<Peers>> Start(
      const std::vector<std::string>& server,
      const std::vector<std::string>& client);

  absl::StatusOr<CallCost> Run(int callers, int calls);

 private:
  std::unique_ptr<PipedProcess> server_, client_;
};

// The payload of both ends.
inline constexpr size_t kPeerBytes = 100;

// Plays one of this project's roles, for the benchmark's own main(), until
// stdin ends or the process is killed. `role` is ttrpc_server, ttrpc_client,
// bare_server or bare_client.
bool IsPeerRole(const std::string& role);
absl::Status PlayPeerRole(const std::string& role, const std::string& socket);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_PEERS_H_
