// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ContainerStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    work_ = ::testing::TempDir() + "/work_XXXXXX";
    ASSERT_NE(mkdtemp(work_.data()), nullptr);
  }

  std::shared_ptr<ContainerStore> Open() {
    return ContainerStore::Open({work_}).value();
  }

  std::string work_;
};

TEST_F(ContainerStoreTest, ContainersAreThereFromCreateToRemove) {
  const std::shared_ptr<ContainerStore> store = Open();
  EXPECT_THAT(store->List(), IsOkAndHolds(IsEmpty()));
  ASSERT_THAT(store->Create("a"), IsOk());
  ASSERT_THAT(store->Create(".b c"), IsOk());
  EXPECT_THAT(store->Create("a"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Open()->List(), IsOkAndHolds(UnorderedElementsAre("a", ".b c")));
  EXPECT_THAT(store->Remove("a"), IsOk());
  EXPECT_THAT(store->Remove("a"), IsOk());
  EXPECT_THAT(store->List(), IsOkAndHolds(UnorderedElementsAre(".b c")));
  EXPECT_THAT(store->Lock("a"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store->OpenLaunched("a"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ContainerStoreTest, ALockIsWaitedFor) {
  const std::shared_ptr<ContainerStore> store = Open();
  absl::StatusOr<UniqueFd> created = store->Create("a");
  ASSERT_THAT(created, IsOk());
  absl::StatusOr<std::optional<UniqueFd>> tried = store->TryLock("a");
  ASSERT_THAT(tried, IsOk());
  EXPECT_FALSE(tried->has_value());

  std::atomic<bool> released = false;
  std::thread waiter([this, &released] {
    const absl::StatusOr<UniqueFd> locked = Open()->Lock("a");
    EXPECT_THAT(locked, IsOk());
    EXPECT_TRUE(released);
  });
  released = true;
  created->Reset();
  waiter.join();
  tried = store->TryLock("a");
  ASSERT_THAT(tried, IsOk());
  EXPECT_TRUE(tried->has_value());
}

TEST_F(ContainerStoreTest, WhoWaitsForAContainerThatIsRemovedFindsNone) {
  const std::shared_ptr<ContainerStore> store = Open();
  absl::StatusOr<UniqueFd> created = store->Create("a");
  ASSERT_THAT(created, IsOk());
  const UniqueFd opened(open((work_ + "/program/posix/containers/a").c_str(),
                             O_RDONLY | O_CLOEXEC));
  std::thread waiter([this] {
    EXPECT_THAT(Open()->Lock("a"), StatusIs(absl::StatusCode::kNotFound));
  });
  std::thread reader([this] {
    EXPECT_THAT(Open()->OpenLaunched("a"),
                StatusIs(absl::StatusCode::kNotFound));
  });
  ASSERT_THAT(store->Remove("a"), IsOk());
  created->Reset();
  waiter.join();
  reader.join();
}

TEST_F(ContainerStoreTest, LimitsAreTheLastOnesWritten) {
  const std::shared_ptr<ContainerStore> store = Open();
  ASSERT_THAT(store->Create("a"), IsOk());
  EXPECT_FALSE(store->ReadLimits("a").has_cpus());
  Limits limits;
  limits.set_cpus(0.1);
  limits.set_mem_mib(64);
  ASSERT_THAT(store->WriteLimits("a", limits), IsOk());
  EXPECT_EQ(store->ReadLimits("a").cpus(), 0.1);
  EXPECT_EQ(store->ReadLimits("a").mem_mib(), 64);
  limits.clear_mem_mib();
  ASSERT_THAT(store->WriteLimits("a", limits), IsOk());
  EXPECT_FALSE(store->ReadLimits("a").has_mem_mib());
  ASSERT_THAT(store->Remove("a"), IsOk());
  EXPECT_FALSE(store->ReadLimits("a").has_cpus());
}

TEST_F(ContainerStoreTest, ADirectoryThatOthersMayEnterIsRefused) {
  Open();
  ASSERT_EQ(chmod((work_ + "/program/posix").c_str(), 0755), 0);
  EXPECT_THAT(ContainerStore::Open({work_}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(work_ + "/program/posix")));
}

TEST_F(ContainerStoreTest, ADirectoryThatIsALinkIsRefused) {
  const std::string elsewhere = work_ + "/elsewhere";
  ASSERT_EQ(mkdir(elsewhere.c_str(), 0700), 0);
  ASSERT_EQ(symlink(elsewhere.c_str(), (work_ + "/program").c_str()), 0);
  EXPECT_THAT(ContainerStore::Open({work_}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(ContainerStoreTest, ARelativePathIsRefused) {
  for (const char* path : {"", ".", "work"}) {
    EXPECT_THAT(
        ContainerStore::Open({path}),
        StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("absolute")));
  }
}

TEST_F(ContainerStoreTest, AWorkDirectoryHasToExistAFallbackIsMade) {
  EXPECT_THAT(ContainerStore::Open({work_ + "/none"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("MESOS_WORK_DIRECTORY")));
  absl::StatusOr<std::shared_ptr<ContainerStore>> store =
      ContainerStore::Open({work_ + "/fallback", /*is_fallback=*/true});
  ASSERT_THAT(store, IsOk());
  EXPECT_THAT((*store)->Create("a"), IsOk());
  EXPECT_THAT(Open()->List(), IsOkAndHolds(IsEmpty()));
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer
