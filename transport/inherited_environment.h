// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The variables that every command inherits from this process.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_INHERITED_ENVIRONMENT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_INHERITED_ENVIRONMENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// What execve() takes; points into itself and into the InheritedEnvironment
// and the Environment that it was made from, which must outlive it.
struct EnvironmentBlock {
  std::vector<std::string> given;
  std::vector<char*> pointers;  // Ends with a null pointer.
};

// PATH, HOME, USER, LOGNAME, LANG, LC_*, TZ, TMPDIR, LD_LIBRARY_PATH and
// DOCKER_*: what programs need, and none of the agent's secrets (D20).
std::vector<std::string> DefaultInherited();

class InheritedEnvironment {
 public:
  // Reads `variables` ("NAME=value", as in environ) once: later changes of
  // them, by whatever thread, do not matter.
  // Those are inherited that a pattern names: a name, or a prefix and "*".
  // PATH, if it is to be inherited and is not there, has a usual value.
  InheritedEnvironment(const char* const* variables,
                       const std::vector<std::string>& patterns);

  // The value of an inherited variable; empty if there is none.
  absl::string_view Get(absl::string_view name) const;

  // The inherited variables and `given`, which wins. INVALID_ARGUMENT if a
  // name is empty or has a "=" or a NUL in it, or a value has a NUL.
  absl::StatusOr<EnvironmentBlock> With(const Environment& given) const;

 private:
  struct Variable {
    std::string name;
    std::string text;  // "NAME=value"
  };
  std::vector<Variable> variables_;  // Sorted by name.
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_INHERITED_ENVIRONMENT_H_
