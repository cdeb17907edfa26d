#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/reader.h"
#include "gtest/gtest.h"

namespace state = external_containerizer::state;

TEST(StateTest, NothingIsKnownWhereNothingWasWritten) {
  EXPECT_TRUE(state::KnownContainers(state::AgentState()).empty());
}
