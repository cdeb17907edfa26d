// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The reader of the agent's state. The input decides how files of a whole tree
// are changed: lengths of records, fields of messages, links, types of files.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/model_file_system_testing.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/sample_tree_testing.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/fuzz/decisions.h"
#include "external_containerizer/testing/fuzz/fuzz_target.h"
#include "external_containerizer/testing/fuzz/mutations.h"

namespace external_containerizer {
namespace state {
namespace {

std::string RandomName(Decisions& next) {
  static const char* const kNames[] = {"latest",
                                       "..x",
                                       ".hidden",
                                       "*?[a]",
                                       "-rf",
                                       "new\nline",
                                       "\xff\xfe",
                                       "back\\sl",
                                       "executor.info",
                                       "tasks",
                                       "executor.sentinel",
                                       "c1",
                                       "e1",
                                       " ",
                                       "pids"};
  return kNames[next.Below(std::size(kNames))];
}

void Mutate(Decisions& next, Image& image) {
  auto entry = image.begin();
  std::advance(entry, static_cast<ptrdiff_t>(next.Below(image.size())));
  const std::string path = entry->first;
  std::string& what = entry->second;
  const size_t slash = path.rfind('/');
  const std::string beside =
      slash == path.npos ? "" : path.substr(0, slash + 1);
  switch (next.Below(8)) {
    case 0: {
      static const char* const kOthers[] = {
          "d", "p", "f", "l.", "l/etc", "l", "llatest", "l../../.."};
      what = kOthers[next.Below(std::size(kOthers))];
      if (what == "l") what = "l" + RandomName(next);
      break;
    }
    case 1: {
      // The entries of a directory go with its old name.
      image[beside + RandomName(next)] = what;
      if (next.Below(2) == 0) image.erase(path);
      break;
    }
    case 2: {
      auto other = image.begin();
      std::advance(other, static_cast<ptrdiff_t>(next.Below(image.size())));
      std::swap(what, other->second);
      break;
    }
    default:
      if (what[0] != 'f') break;
      std::string bytes = what.substr(1);
      if (next.Below(3) == 0) {
        MutateBytes(next, bytes);
      } else {
        MutateRecords(next, bytes);
      }
      what = "f" + bytes;
  }
}

void Require(bool condition, const char* what, const Image& image) {
  if (condition) return;
  std::cerr << "not true: " << what << "\n";
  for (const auto& [path, contents] : image) {
    std::cerr << "  " << absl::CHexEscape(path) << " "
              << absl::CHexEscape(contents) << "\n";
  }
  abort();
}

void OneInput(const uint8_t* data, size_t size) {
  static const Image& whole = *new Image(SampleImage());
  Decisions next(data, size);
  Require(!whole.empty(), "there is a tree", whole);
  Image image = whole;
  for (int i = 0; i < 8 && !next.done() && !image.empty(); ++i) {
    Mutate(next, image);
  }
  TemporaryDirectory work(FastTemporaryPlace());
  Materialize(image, work.path());
  const auto before = Snapshot(work.path());

  ReadOptions options;
  options.boot_id = kSampleBoot;
  const auto strict = ReadAgentState(work.path(), options);
  options.strict = false;
  const auto lax = ReadAgentState(work.path(), options);

  Require(before == Snapshot(work.path()), "nothing has changed", image);
  const auto meta = image.find("meta");
  if (meta != image.end() && meta->second != "d") {
    Require(!lax.ok() && !strict.ok(), "no meta directory, no state", image);
    return;
  }
  Require(lax.ok(), "not strictly, everything can be read", image);
  size_t damages = 0;
  for (const Problem& problem : lax->problems) {
    if (problem.kind == Problem::Kind::kDamage) ++damages;
    Require(!problem.path.empty() && !problem.why.empty(),
            "a problem says where and what", image);
  }
  Require(strict.ok() == (damages == 0), "damage is an error, strictly", image);
  Require(strict.ok() || absl::IsDataLoss(strict.status()),
          "the error is DATA_LOSS", image);
  const size_t known = KnownContainers(*lax).size();
  Require(!strict.ok() || KnownContainers(*strict).size() == known,
          "without damage, strict or not is the same", image);
  for (const Truncation& truncation : lax->truncations) {
    Require(truncation.good_bytes < truncation.size,
            "a truncation makes a file shorter", image);
  }
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  external_containerizer::state::OneInput(data, size);
  return 0;
}
