// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The simplest program that is right, inside this process: what any other
// program does can be compared with it.
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

struct OracleOptions {
  // A container ends with status 0 as soon as it is launched.
  bool exit_immediately = false;
  // Of statistics. Nothing else in here knows a time.
  std::function<absl::Time()> clock = absl::Now;
  // Transport::MaxWaits().
  size_t max_waits = 100'000;
};

// The program and all that it holds. Outlives the transports that reach it: a
// second one, after the first or beside it, finds the same containers, as an
// agent does that was restarted. Any thread.
class OracleWorld {
 public:
  struct Container {
    wire::Launch launch;
    Environment environment;         // Of `launch`.
    std::optional<Sandbox> sandbox;  // Of `launch`.
    wire::Update resources;          // Those that hold now.
    std::optional<int> wait_status;  // Once it has ended.
  };

  explicit OracleWorld(OracleOptions options = {});

  // The container's process ends, as waitpid() would say it. False if there is
  // none that runs.
  bool Exit(absl::string_view id, int wait_status);

  // Those that were launched and not destroyed, in the order of their ids.
  std::vector<std::string> Containers() const;
  std::optional<Container> Find(absl::string_view id) const;

  const OracleOptions& options() const { return options_; }

  // --- For transports ---

  // Does a command; nullopt if it is a `wait` for a container that runs.
  std::optional<Answer> Run(const Invocation& invocation);

  // Calls `ended` with the id and the answer to `wait` of every container that
  // ends, on whichever thread it does, until Unobserve(). It must not call
  // back.
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

// The way to `world`. What fails there is INTERNAL, like exit status 1.
TransportFactory OracleTransport(std::shared_ptr<OracleWorld> world);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_MOCK_ORACLE_H_
