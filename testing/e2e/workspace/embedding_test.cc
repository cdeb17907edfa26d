// What a repository that embeds the library does with it.

#include <memory>
#include <utility>

#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/transport/mock/oracle.h"
#include "external_containerizer/transport/transport.h"
#include "gtest/gtest.h"
#include "transport/transport.h"

namespace ec = external_containerizer;

TEST(EmbeddingTest, AContainerRuns) {
  EXPECT_STREQ(ConsumersTransport(), "the consumer's");
  auto world = std::make_shared<ec::OracleWorld>();
  auto containerizer =
      ec::Containerizer::Create(ec::Options(), ec::OracleTransport(world));
  ASSERT_TRUE(containerizer.ok()) << containerizer.status();
  ec::BlockingContainerizer blocking(**containerizer);
  ASSERT_TRUE(blocking.Recover({}).ok());
  ec::LaunchRequest request;
  request.id = "c-1";
  request.executor.mutable_executor_id()->set_value("executor");
  request.sandbox = {"/agent", "sandbox", {}};
  ASSERT_TRUE(blocking.Launch(std::move(request)).ok());
  ASSERT_TRUE(world->Exit("c-1", 3 << 8));
  EXPECT_EQ(blocking.Wait("c-1")->status(), 3 << 8);
  EXPECT_TRUE(blocking.Destroy("c-1").ok());
}
