// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What posix says of a container: records and counters as messages.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_REPORT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_REPORT_H_

#include "external_containerizer/containerizer/posix/cgroup_version.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"

namespace external_containerizer {
namespace posix_internal {

// FINISHED, or KILLED if it was destroyed, or FAILED. A task that failed after
// the kernel had killed in the container because of its memory limit has
// REASON_CONTAINER_LIMITATION_MEMORY, and `killed`, as releases before 0.26
// want it. (It may have been a child of the task's; if the task makes up for
// that and exits with 0, it has not failed.)
wire::Termination TerminationOf(const TaskEnd& end);

// If nobody saw the end. `memory` is what ReadMemoryEvents() says.
wire::Termination UnseenTermination(const LaunchRecord& launch,
                                    const TaskEnd& memory);

// Of a container that has ended: all it used, and the most memory that a
// process of it had.
void SetStatistics(const TaskEnd& end, wire::ResourceStatistics* statistics);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_REPORT_H_
