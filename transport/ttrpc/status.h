// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Converts a status to its message on the wire and back. The codes are gRPC's,
// which absl::StatusCode has, too. Payloads (details) do not travel.
//
//   wire::Response response;
//   EncodeStatus(absl::NotFoundError("gone"), response.mutable_status());

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_STATUS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"

namespace external_containerizer {
namespace ttrpc {

// Encodes an error. A message that is not valid UTF-8 is escaped, because other
// implementations refuse to read it.
void EncodeStatus(const absl::Status& status, wire::Status* out);

// Decodes a status. An undefined code becomes UNKNOWN. The message is cut after
// 64 KiB and is otherwise as the peer sent it: escape it before printing it to
// a terminal.
absl::Status DecodeStatus(const wire::Status& status);

bool IsValidUtf8(absl::string_view text);

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_STATUS_H_
