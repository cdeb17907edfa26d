// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/mutex_lock.h"

#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(MutexLockTest, HoldsTheMutexUntilItIsDestroyed) {
  absl::Mutex mutex;
  {
    MutexLock lock(&mutex);
    mutex.AssertHeld();
  }
  // Would wait for ever if it were still held.
  MutexLock lock(&mutex);
  mutex.AssertHeld();
}

}  // namespace
}  // namespace external_containerizer
