// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads the files of the first release: lines of text, each with a checksum.
// They are not written any more, except by a supervisor of that release that
// still runs.
//
//   ContainerRecords records;
//   if (IsOldFile(file) && !ParseOldFile(file, records)) ...  // It is damaged.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_OLD_RECORDS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_OLD_RECORDS_H_

#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"

namespace external_containerizer {
namespace posix_internal {

// Returns whether that release wrote a container's file. False for an empty
// file.
bool IsOldFile(absl::string_view file);

// Sets what the lines say that are not damaged. Returns false if a line is
// damaged. A last line that a crash has cut short is not damaged, and is
// skipped.
bool ParseOldFile(absl::string_view file, ContainerRecords& records);

// Parses a container's limits: "cpus 0.5" and "mem 64" on lines of their own.
Limits ParseOldLimits(absl::string_view file);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_OLD_RECORDS_H_
