// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/simulation/explorer.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

// A state is kept as the way to it, because worlds are large and many.
struct Node {
  uint32_t parent;  // The first is its own.
  World::Choice choice;
};

std::vector<World::Choice> WayTo(const std::vector<Node>& nodes, size_t node) {
  std::vector<World::Choice> way;
  for (; node != 0; node = nodes[node].parent)
    way.push_back(nodes[node].choice);
  std::reverse(way.begin(), way.end());
  return way;
}

std::string AsTest(const WorldOptions& options,
                   const std::vector<World::Choice>& way) {
  World world(options);
  std::string text = "TEST_F(LifecycleTest, Found) {\n  Recover();\n";
  for (const World::Choice choice : way) {
    absl::StrAppend(&text, "  ", world.AsTest(choice), "\n");
    world.Apply(choice);
  }
  return absl::StrCat(text, "}\n");
}

}  // namespace

std::string Exploration::Summary(const WorldOptions& world) const {
  return absl::StrCat(world.name, ": ", states, " states, ", transitions,
                      " transitions, depth ", depth,
                      complete ? ", complete" : "");
}

Exploration Explore(const WorldOptions& options, uint64_t max_states) {
  Exploration result;
  std::vector<Node> nodes = {{0, {0, 0}}};
  absl::flat_hash_set<uint64_t> seen;
  World first(options);
  first.CheckWhatFollows();
  seen.insert(first.Hash());
  result.broken = first.broken();
  // States with the same parent are neighbours.
  World parent = first;
  size_t at_parent = 0;
  for (size_t at = 0; at < nodes.size() && result.broken.empty(); ++at) {
    if (nodes[at].parent != at_parent) {
      at_parent = nodes[at].parent;
      parent = first;
      for (const World::Choice choice : WayTo(nodes, at_parent)) {
        parent.Apply(choice);
      }
    }
    World here = parent;
    if (at != 0) here.Apply(nodes[at].choice);
    for (const World::Choice choice : here.Choices()) {
      ++result.transitions;
      World next = here;
      next.Apply(choice);
      const bool is_new = seen.insert(next.Hash()).second;
      if (is_new && next.broken().empty()) next.CheckWhatFollows();
      if (!next.broken().empty()) {
        result.broken = next.broken();
        std::vector<World::Choice> way = WayTo(nodes, at);
        way.push_back(choice);
        result.depth = static_cast<int>(way.size());
        result.test = AsTest(options, way);
        result.states = seen.size();
        return result;
      }
      if (is_new) nodes.push_back({static_cast<uint32_t>(at), choice});
      if (seen.size() >= max_states) break;
    }
    if (seen.size() >= max_states) break;
    result.complete = at + 1 == nodes.size();
  }
  result.states = seen.size();
  if (result.broken.empty()) {
    result.depth = static_cast<int>(WayTo(nodes, nodes.size() - 1).size());
  } else {
    result.test = AsTest(options, {});
  }
  return result;
}

}  // namespace external_containerizer
