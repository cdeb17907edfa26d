// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Holds an absl::Mutex from its construction to its destruction:
//
//   MutexLock lock(&mutex_);
//
// absl::MutexLock takes a pointer in the oldest Abseil that works with us and a
// reference in the newest, which deprecates the pointer. All others that hold a
// mutex include this.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_MUTEX_LOCK_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_MUTEX_LOCK_H_

#include "absl/synchronization/mutex.h"

namespace external_containerizer {

// The one lock whose constructor is the same in every Abseil. The pointer must
// not be null.
using MutexLock = absl::MutexLockMaybe;

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_MUTEX_LOCK_H_
