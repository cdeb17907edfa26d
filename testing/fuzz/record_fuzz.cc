// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The contents of the agent's files, without the files: sequences of records,
// logs of updates, small texts. It makes no system call.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/state/text_files.h"
#include "external_containerizer/state/update_log.h"
#include "external_containerizer/testing/fuzz/decisions.h"
#include "external_containerizer/testing/fuzz/fuzz_target.h"
#include "external_containerizer/testing/fuzz/mutations.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace state {
namespace {

constexpr size_t kMaxRecord = 64 << 10;

void Require(bool condition, const char* what, absl::string_view bytes) {
  if (condition) return;
  std::cerr << "not true: " << what << "\n" << absl::CHexEscape(bytes) << "\n";
  abort();
}

std::string Ack() {
  wire::StatusUpdateRecord record;
  record.set_type(wire::StatusUpdateRecord::ACK);
  record.set_uuid(std::string(kUuidBytes, 'k'));
  return EncodeRecord(record.SerializeAsString());
}

std::string Updates() {
  std::string bytes;
  for (const char uuid : {'a', 'b', 'c'}) {
    wire::StatusUpdateRecord record;
    record.set_type(wire::StatusUpdateRecord::UPDATE);
    wire::StatusUpdate& update = *record.mutable_update();
    update.mutable_framework_id()->set_value("F");
    update.mutable_status()->mutable_task_id()->set_value("t");
    update.mutable_status()->set_state(wire::TASK_RUNNING);
    update.set_timestamp(1);
    update.set_uuid(std::string(kUuidBytes, uuid));
    bytes += EncodeRecord(record.SerializeAsString());
  }
  return bytes + Ack();
}

void ReadUpdates(const std::string& bytes) {
  const UpdateLog log = ReadUpdateLog(bytes, kMaxRecord);
  const size_t good = log.end.good_bytes;
  Require(good <= bytes.size(), "what is good is there", bytes);
  Require((good == bytes.size()) == (!log.end.torn && log.end.damage.ok()),
          "what cannot be read is torn or damage", bytes);
  Require(!log.end.torn || log.end.damage.ok(), "what is torn is no damage",
          bytes);
  // The file after its end was cut off and a record was appended.
  const UpdateLog mended =
      ReadUpdateLog(bytes.substr(0, good) + Ack(), kMaxRecord);
  Require(mended.end.good_bytes == good + Ack().size() &&
              mended.updates.size() == log.updates.size(),
          "an append is read after what is good", bytes);
}

void ReadTexts(const std::string& bytes) {
  const absl::StatusOr<pid_t> pid = ParseForkedPid(bytes);
  Require(!pid.ok() || *pid > 0, "a pid is positive", bytes);
  const absl::StatusOr<std::string> upid = ParseUpid(bytes);
  Require(!upid.ok() || ParseUpid(*upid).ok(), "an address stays one", bytes);
  Require(ParseBootId(ParseBootId(bytes)) == ParseBootId(bytes),
          "a boot id stays the same", bytes);
  (void)ParseFlag(bytes);
}

void OneInput(const uint8_t* data, size_t size) {
  static const std::string& whole = *new std::string(Updates());
  Decisions next(data, size);
  std::string bytes = whole;
  for (int i = 0; i < 8 && !next.done(); ++i) {
    if (next.Below(2) == 0) {
      MutateBytes(next, bytes);
    } else {
      MutateRecords(next, bytes);
    }
  }
  ReadUpdates(bytes);
  std::string text = next.Below(2) == 0 ? "1234" : "id@127.0.0.1:5051";
  MutateBytes(next, text);
  ReadTexts(text);
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  external_containerizer::state::OneInput(data, size);
  return 0;
}
