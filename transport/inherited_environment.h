// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The variables that every command inherits from this process.
//
//   const InheritedEnvironment inherited(environ, DefaultInherited());
//   auto block = inherited.With({{"MESOS_WORK_DIRECTORY", "/var/lib/agent"}});
//   if (!block.ok()) return block.status();
//   execve(file, argv, block->pointers.data());

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_INHERITED_ENVIRONMENT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_INHERITED_ENVIRONMENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// The third argument of execve(). It may be moved, and not copied.
struct EnvironmentBlock {
  std::vector<std::string> variables;  // "NAME=value"
  // Pointers to `variables`, and a null pointer at the end.
  std::vector<char*> pointers;
};

// The default patterns: PATH, HOME, USER, LOGNAME, LANG, LC_*, TZ, TMPDIR,
// LD_LIBRARY_PATH and DOCKER_*. Programs need these, and none of them is a
// secret of the agent (D20).
std::vector<std::string> DefaultInherited();

// Thread-safe.
class InheritedEnvironment {
 public:
  // Copies the variables ("NAME=value", as in environ) that match a pattern,
  // which is a name, or a prefix and "*". If a pattern matches PATH and
  // `variables` has none, the usual PATH of Debian is used.
  InheritedEnvironment(const char* const* variables,
                       const std::vector<std::string>& patterns);

  const Environment& variables() const { return variables_; }

  // Returns the value of an inherited variable, or "" if it is not inherited.
  std::string Get(const std::string& name) const;

  // Returns the inherited variables and `given`, which wins. INVALID_ARGUMENT
  // if a name is empty or contains "=" or NUL, or a value contains NUL.
  absl::StatusOr<EnvironmentBlock> With(const Environment& given) const;

 private:
  Environment variables_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_INHERITED_ENVIRONMENT_H_
