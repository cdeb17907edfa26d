// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The lock that keeps a second agent out of what belongs to the first.
//
//   if (!TakeFileLock(directory.get())) {
//     return errno == EWOULDBLOCK ? AlreadyInUse() : SystemError(errno);
//   }

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_FILE_LOCK_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_FILE_LOCK_H_

namespace external_containerizer {

// Takes the exclusive lock (flock) of what `fd` has open. It lasts until the
// last descriptor of that opening is closed, however the process ends. A child
// of a killed process shares the lock for the moment between its fork and its
// exec, so a lock that another process has is waited for: two seconds. Returns
// false with errno, which is EWOULDBLOCK if the lock is still another's.
bool TakeFileLock(int fd);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_FILE_LOCK_H_
