// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// How a status travels: codes are those of gRPC, which are those of
// absl::StatusCode. Payloads (details) do not travel.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_STATUS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"

namespace external_containerizer {
namespace ttrpc {

// Of an error. A message that is not valid UTF-8 is escaped: other
// implementations refuse to read it.
void EncodeStatus(const absl::Status& status, wire::Status* out);

// A code that nobody knows becomes UNKNOWN. The message is cut after 64 KiB,
// and is as the peer sent it: escape it before a terminal sees it.
absl::Status DecodeStatus(const wire::Status& status);

bool IsValidUtf8(absl::string_view text);

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_STATUS_H_
