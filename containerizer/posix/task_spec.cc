// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/task_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace external_containerizer {
namespace posix_internal {
namespace {

// What a login gives, for a task whose environment has none.
constexpr char kDefaultPath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Once something is wrong, it reads nothing but empty strings and zeros.
class Reader {
 public:
  explicit Reader(const std::string& encoded) : encoded_(encoded) {}

  std::string String() {
    const size_t end = encoded_.find('\0', position_);
    if (!valid_ || end == std::string::npos) {
      valid_ = false;
      return "";
    }
    std::string string = encoded_.substr(position_, end - position_);
    position_ = end + 1;
    return string;
  }

  uint64_t Number() {
    const std::string text = String();
    char* end = nullptr;
    errno = 0;
    const uint64_t number = strtoull(text.c_str(), &end, 10);
    if (text.empty() || *end != '\0' || errno != 0) valid_ = false;
    return valid_ ? number : 0;
  }

  // Of what follows; each has at least one byte.
  uint64_t Count() {
    const uint64_t count = Number();
    if (count > encoded_.size() - position_) valid_ = false;
    return valid_ ? count : 0;
  }

  std::vector<std::string> Strings() {
    std::vector<std::string> strings;
    for (uint64_t left = Count(); left > 0; --left) {
      strings.push_back(String());
    }
    return strings;
  }

  bool AtEnd() const { return valid_ && position_ == encoded_.size(); }

 private:
  const std::string& encoded_;
  size_t position_ = 0;
  bool valid_ = true;
};

std::string PathOf(const std::vector<std::string>& environment) {
  for (const std::string& variable : environment) {
    if (variable.compare(0, 5, "PATH=") == 0) return variable.substr(5);
  }
  return kDefaultPath;
}

}  // namespace

std::optional<std::string> EncodeTaskSpec(const TaskSpec& spec) {
  std::string encoded;
  bool valid = true;
  auto append = [&encoded, &valid](const std::string& string) {
    if (string.find('\0') != std::string::npos) valid = false;
    encoded += string;
    encoded += '\0';
  };
  auto append_number = [&append](uint64_t number) {
    append(std::to_string(number));
  };
  auto append_all = [&](const std::vector<std::string>& strings) {
    append_number(strings.size());
    for (const std::string& string : strings) append(string);
  };
  append(spec.executable);
  append_all(spec.arguments);
  append_all(spec.environment);
  append_all(spec.cgroups);
  append_number(spec.limits.size());
  for (const ResourceLimit& limit : spec.limits) {
    append_number(static_cast<uint64_t>(limit.resource));
    append_number(limit.soft);
    append_number(limit.hard);
  }
  append_number(spec.user.has_value() ? 1 : 0);
  if (spec.user.has_value()) {
    append(spec.user->name);
    append(spec.user->home);
    append_number(spec.user->uid);
    append_number(spec.user->gid);
    append_number(spec.user->groups.size());
    for (const gid_t group : spec.user->groups) append_number(group);
  }
  append_number(spec.no_new_privileges ? 1 : 0);
  if (!valid) return std::nullopt;
  return encoded;
}

std::optional<TaskSpec> DecodeTaskSpec(const std::string& encoded) {
  Reader reader(encoded);
  TaskSpec spec;
  spec.executable = reader.String();
  spec.arguments = reader.Strings();
  spec.environment = reader.Strings();
  spec.cgroups = reader.Strings();
  for (uint64_t left = reader.Count(); left > 0; --left) {
    ResourceLimit limit;
    limit.resource = static_cast<int>(reader.Number());
    limit.soft = reader.Number();
    limit.hard = reader.Number();
    spec.limits.push_back(limit);
  }
  if (reader.Number() != 0) {
    spec.user.emplace();
    spec.user->name = reader.String();
    spec.user->home = reader.String();
    spec.user->uid = static_cast<uid_t>(reader.Number());
    spec.user->gid = static_cast<gid_t>(reader.Number());
    for (uint64_t left = reader.Count(); left > 0; --left) {
      spec.user->groups.push_back(static_cast<gid_t>(reader.Number()));
    }
  }
  spec.no_new_privileges = reader.Number() != 0;
  if (!reader.AtEnd()) return std::nullopt;
  return spec;
}

void ExecuteTask(const TaskSpec& spec) {
  const std::vector<char*> argv = Pointers(spec.arguments);
  const std::vector<char*> envp = Pointers(spec.environment);
  if (spec.executable.find('/') != std::string::npos) {
    execve(spec.executable.c_str(), argv.data(), envp.data());
    return;
  }
  if (spec.executable.empty()) {
    errno = ENOENT;
    return;
  }
  // Not execvpe(): it looks in the PATH of this process, not of the task.
  const std::string path = PathOf(spec.environment) + ":";
  int error = ENOENT;
  size_t begin = 0;
  while (begin < path.size()) {
    const size_t end = path.find(':', begin);
    std::string directory = path.substr(begin, end - begin);
    if (directory.empty()) directory = ".";
    const std::string file = directory + "/" + spec.executable;
    execve(file.c_str(), argv.data(), envp.data());
    // A file that is there and cannot be executed says more than its absence
    // elsewhere.
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return;
    if (errno == EACCES && access(file.c_str(), F_OK) == 0) error = EACCES;
    begin = end + 1;
  }
  errno = error;
}

}  // namespace posix_internal
}  // namespace external_containerizer
