// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Turns the records of a container that has ended into messages for the agent.
//
//   wire::Termination termination = TerminationOf(*records.end);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_REPORT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_REPORT_H_

#include "external_containerizer/containerizer/posix/cgroup_version.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"

namespace external_containerizer {
namespace posix_internal {

// Returns how a container ended: FINISHED, KILLED if it was destroyed, or
// FAILED. A failed task has REASON_CONTAINER_LIMITATION_MEMORY if the kernel
// killed a process of the container at its memory limit; `killed` is set then,
// for agents before 0.26. A task that exits with 0 although a child was killed
// has not failed.
wire::Termination TerminationOf(const TaskEnd& end);

// Returns how a container ended whose end nobody recorded. `memory` comes from
// ReadMemoryEvents().
wire::Termination UnseenTermination(const LaunchRecord& launch,
                                    const TaskEnd& memory);

// Sets what a container has used from its start to its end. The memory is that
// of its largest process.
void SetStatistics(const TaskEnd& end, wire::ResourceStatistics* statistics);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_REPORT_H_
