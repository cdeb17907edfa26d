// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Takes from a test's process the means to make threads, as a limit on them
// does, whoever runs the test.
//
//   const pid_t child = fork();
//   if (child == 0) {
//     ForbidThreads();
//     _exit(Thread().Start("test", [] {}).ok() ? 1 : 0);
//   }

#ifndef EXTERNAL_CONTAINERIZER_TESTING_NO_THREADS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_NO_THREADS_H_

namespace external_containerizer {

// From now on pthread_create() fails with EAGAIN in this process, and in all
// that it starts. Exits with 99 if that cannot be arranged.
void ForbidThreads();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_NO_THREADS_H_
