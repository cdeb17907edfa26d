// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The files of the first release: lines of text, each with a checksum. Only
// read; a supervisor of that release that still runs appends to them.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_OLD_RECORDS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_OLD_RECORDS_H_

#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"

namespace external_containerizer {
namespace posix_internal {

// Whether a container's file is of that release. An empty one is not.
bool IsOldFile(absl::string_view file);

// Sets what its whole lines say. False if one of them is damaged. A line that
// a crash has cut short is passed over.
bool ParseOldFile(absl::string_view file, ContainerRecords& records);

// A container's limits: "cpus 0.5" and "mem 64" on lines of their own.
Limits ParseOldLimits(absl::string_view file);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_OLD_RECORDS_H_
