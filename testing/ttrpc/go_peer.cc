// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/ttrpc/go_peer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/packages.h"

namespace external_containerizer {
namespace {

constexpr char kTtrpc[] = "/usr/share/gocode/src/github.com/containerd/ttrpc";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What it prints goes to the file `out`.
absl::Status RunAndWait(const std::vector<std::string>& arguments,
                        const std::string& out) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(),
                                   O_CREAT | O_WRONLY | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid;
  const int error =
      posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return absl::ErrnoToStatus(error, arguments[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("go build failed:\n", ReadAll(out)));
}

}  // namespace

absl::Status HasGoPackages() {
  const std::pair<const char*, const char*> needed[] = {
      {"/usr/bin/go", "golang-go"},
      {kTtrpc, "golang-github-containerd-ttrpc-dev"},
      {"/usr/share/gocode/src/github.com/gogo/protobuf",
       "golang-github-gogo-protobuf-dev"}};
  for (const auto& [path, package] : needed) {
    const std::string why = MissingPackage(path, package);
    if (!why.empty()) return absl::FailedPreconditionError(why);
  }
  return absl::OkStatus();
}

absl::StatusOr<GoPeer> BuildGoPeer(const std::string& sources,
                                   const std::string& directory) {
  absl::Status status = HasGoPackages();
  if (!status.ok()) return status;
  GoPeer peer;
  peer.path = absl::StrCat(directory, "/peer");
  // The protobuf that its codec takes messages of.
  peer.is_1_2 = absl::StrContains(ReadAll(absl::StrCat(kTtrpc, "/codec.go")),
                                  "\"google.golang.org/protobuf/");
  std::vector<std::string> command = {
      "/usr/bin/env",
      "GO111MODULE=off",
      "GOFLAGS=",
      "GOPATH=/usr/share/gocode",
      absl::StrCat("GOCACHE=", directory, "/cache"),
      "/usr/bin/go",
      "build",
      "-o",
      peer.path,
      absl::StrCat(sources, "/peer.go")};
  if (peer.is_1_2) {
    command.push_back(absl::StrCat(sources, "/peer_reflect.go"));
  }
  status = RunAndWait(command, absl::StrCat(directory, "/build"));
  if (!status.ok()) return status;
  return peer;
}

}  // namespace external_containerizer
