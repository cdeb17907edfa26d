// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The work_dir of a standing agent, which no other agent may use meanwhile.
//
//   const absl::StatusOr<UniqueFd> lock = TakeWorkDirectory("/var/lib/agent");
//   if (!lock.ok()) return lock.status();

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_WORK_DIRECTORY_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_WORK_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

// The directory in a work_dir that has the transport's files.
inline constexpr char kTransportDirectory[] = "transport";

// Makes the directory `path`, which is absolute, and kTransportDirectory in it
// (0700), if they are missing. Returns its lock (file_lock.h), which lasts
// until the descriptor is closed or the process ends. ALREADY_EXISTS if another
// agent has the lock. PERMISSION_DENIED if users other than root could tamper
// with the directory.
absl::StatusOr<UniqueFd> TakeWorkDirectory(const std::string& path);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_WORK_DIRECTORY_H_
