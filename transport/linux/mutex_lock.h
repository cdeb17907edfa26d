// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Holds an absl::Mutex from its construction to its destruction:
//
//   MutexLock lock(&mutex_);
//
// absl::MutexLock takes a pointer in the oldest Abseil that works with us and a
// reference in the newest, which deprecates the pointer. All code of this
// project uses MutexLock.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_MUTEX_LOCK_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_MUTEX_LOCK_H_

#include "absl/synchronization/mutex.h"

namespace external_containerizer {

// The only lock with the same constructor in every Abseil. The pointer must not
// be null.
using MutexLock = absl::MutexLockMaybe;

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_MUTEX_LOCK_H_
