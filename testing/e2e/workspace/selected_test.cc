#include "external_containerizer/transport/selected.h"
#include "gtest/gtest.h"

TEST(SelectedTest, SomeTransportIsLinked) {
  EXPECT_FALSE(external_containerizer::SelectedTransportName().empty());
}
