// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// For authors of programs: the limit on descriptors that ProgramMain() raises
// when it serves, and the limit that children of handlers should have.
//
//   const rlimit limit = DescriptorLimitToPassOn();

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_

#include "external_containerizer/transport/linux/descriptor_limit.h"

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_
