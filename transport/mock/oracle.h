// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The simplest correct program, inside this process: tests compare other
// programs with it.
//
//   auto world = std::make_shared<OracleWorld>();
//   auto containerizer = Containerizer::Create({}, OracleTransport(world));
//   …
//   world->Exit("c-1", 3 << 8);  // The container ends with code 3.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_MOCK_ORACLE_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_MOCK_ORACLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// The behaviour of the containers, the same for all of them.
struct OracleOptions {
  // Each container ends with status 0 as soon as it is launched.
  bool exit_immediately = false;
  // The time in statistics. Nothing else here depends on a clock.
  std::function<absl::Time()> clock = absl::Now;
};

// The program and its containers. It outlives the transports: a second
// transport, after the first or beside it, finds the same containers, as a
// restarted agent does. Any thread.
class OracleWorld {
 public:
  struct Container {
    wire::Launch launch;
    Environment environment;         // From the launch.
    std::optional<Sandbox> sandbox;  // From the launch.
    wire::Update resources;          // From the launch or the last update.
    std::optional<int> wait_status;  // Set when the container has ended.
  };

  // An empty world: the first transport finds no container.
  explicit OracleWorld(OracleOptions options = {});

  // Ends a container with a status as waitpid() has it. Returns false if no
  // such container runs.
  bool Exit(absl::string_view id, int wait_status);

  // The ids of all containers that were launched and not destroyed, sorted.
  std::vector<std::string> Containers() const;
  // A copy of one container, or nullopt.
  std::optional<Container> Find(absl::string_view id) const;

  // --- For transports ---

  // Does a command. Returns nullopt for a `wait` if the container runs.
  std::optional<Answer> Run(const Invocation& invocation);

  // Until Unobserve(), calls `ended` for each container that ends, on the
  // thread that ends it, with its id and the answer to `wait`. `ended` must not
  // call this object.
  using Ended = std::function<void(const std::string& id, const Answer&)>;
  uint64_t Observe(Ended ended);
  void Unobserve(uint64_t observer);

 private:
  Answer Launch(const Invocation& invocation) ABSL_LOCKS_EXCLUDED(mutex_);
  Answer Update(const std::string& input) ABSL_LOCKS_EXCLUDED(mutex_);
  Answer Usage(const std::string& input) ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<Answer> Wait(const std::string& input)
      ABSL_LOCKS_EXCLUDED(mutex_);
  Answer Destroy(const std::string& input) ABSL_LOCKS_EXCLUDED(mutex_);
  Answer List() ABSL_LOCKS_EXCLUDED(mutex_);
  void End(const std::string& id, Container& container, int wait_status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const OracleOptions options_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Container> containers_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Ended> observers_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_observer_ ABSL_GUARDED_BY(mutex_) = 1;
};

// A transport to `world`. A command that fails there has the status INTERNAL,
// as one whose process exits with 1.
TransportFactory OracleTransport(std::shared_ptr<OracleWorld> world);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_MOCK_ORACLE_H_
