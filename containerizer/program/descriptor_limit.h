// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// For authors of programs: what ProgramMain() does to the limit of descriptors
// when it serves, and what a handler's children should have.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_

#include "external_containerizer/transport/linux/descriptor_limit.h"

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DESCRIPTOR_LIMIT_H_
