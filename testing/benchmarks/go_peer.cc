// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/go_peer.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

absl::Status RunAndWait(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  pid_t pid;
  const int error =
      posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
  if (error != 0) return absl::ErrnoToStatus(error, arguments[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) return absl::InternalError("go build failed");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> BuildGoPeer(const std::string& sources,
                                        const std::string& directory) {
  const std::pair<const char*, const char*> needed[] = {
      {"/usr/bin/go", "golang-go"},
      {"/usr/share/gocode/src/github.com/containerd/ttrpc",
       "golang-github-containerd-ttrpc-dev"},
      {"/usr/share/gocode/src/github.com/gogo/protobuf",
       "golang-github-gogo-protobuf-dev"}};
  for (const auto& [path, package] : needed) {
    if (access(path, F_OK) == 0) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is missing: install Debian's package ", package));
  }
  const std::string peer = absl::StrCat(directory, "/peer");
  std::vector<std::string> command = {
      "/usr/bin/env",
      "GO111MODULE=off",
      "GOFLAGS=",
      "GOPATH=/usr/share/gocode",
      absl::StrCat("GOCACHE=", directory, "/cache"),
      "/usr/bin/go",
      "build",
      "-o",
      peer,
      absl::StrCat(sources, "/peer.go")};
  // As ttrpc 1.2 wants it.
  if (access("/usr/share/gocode/src/google.golang.org/protobuf", F_OK) == 0) {
    command.push_back(absl::StrCat(sources, "/peer_reflect.go"));
  }
  absl::Status status = RunAndWait(command);
  if (!status.ok()) return status;
  return peer;
}

}  // namespace external_containerizer
