// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/fuzz/mutations.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace {

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value > 0x7f; value >>= 7) {
    bytes.push_back(static_cast<char>(value | 0x80));
  }
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

// A field like the messages' own: it has a small number and any type.
std::string RandomField(Decisions& next) {
  const size_t type = next.Below(6);
  std::string field = Varint((1 + next.Below(17)) << 3 | type);
  if (type == 0) return field + Varint(next.Below(70'000) * 70'000);
  if (type == 1) return field + std::string(8, next.Byte());
  if (type == 5) return field + std::string(4, next.Byte());
  if (type != 2) return field;
  return absl::StrCat(field, Varint(next.Below(40)),
                      std::string(next.Below(40), next.Byte()));
}

}  // namespace

void MutateBytes(Decisions& next, std::string& bytes) {
  const size_t at = next.Below(bytes.size() + 1);
  switch (next.Below(5)) {
    case 0:
      bytes.resize(at);
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = next.Byte();
      break;
    case 2:
      bytes.insert(at, 1 + next.Below(600), next.Byte());
      break;
    case 3:
      bytes.erase(at, next.Below(16));
      break;
    case 4:
      bytes.append(next.Below(2000), '\0');
      break;
  }
}

void MutateRecords(Decisions& next, std::string& bytes) {
  std::vector<std::string> payloads;
  for (size_t at = 0; at < bytes.size();) {
    RecordReader reader(bytes.size());
    reader.Feed(absl::string_view(bytes).substr(at));
    if (reader.state() != RecordReader::State::kComplete) break;
    at = bytes.size() - static_cast<size_t>(reader.trailing_bytes());
    payloads.push_back(**std::move(reader).Finish());
  }
  if (payloads.empty()) return MutateBytes(next, bytes);
  const size_t which = next.Below(payloads.size());
  std::string& payload = payloads[which];
  const size_t announced = next.Below(4);
  switch (next.Below(6)) {
    case 0:
      MutateBytes(next, payload);
      break;
    case 1:
      payload += RandomField(next);
      break;
    case 2:
      payload.insert(0, RandomField(next));
      break;
    case 3:
      payload.clear();
      break;
    case 4:
      payloads.push_back(payload);
      break;
    case 5:
      payloads.erase(payloads.begin() + static_cast<ptrdiff_t>(which));
      break;
  }
  bytes.clear();
  for (const std::string& each : payloads) bytes += EncodeRecord(each);
  if (announced == 0 && bytes.size() >= 4) bytes[next.Below(4)] = next.Byte();
}

}  // namespace external_containerizer
