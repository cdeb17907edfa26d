// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/bare_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace external_containerizer {
namespace {

// The first error is kept, and ends the walk.
class Walk {
 public:
  absl::StatusOr<BareWalkCount> Run(const std::string& work_dir) {
    const int root = open(work_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return absl::ErrnoToStatus(errno, "no tree");
    Within(root, "meta", [this](int meta) {
      ReadFile(meta, "boot_id");
      Within(meta, "slaves", [this](int slaves) {
        ReadLink(slaves, "latest");
        ForEach(slaves, [this](int agent) { Agent(agent); });
      });
    });
    close(root);
    if (error_ != 0) return absl::ErrnoToStatus(error_, "cannot walk the tree");
    return count_;
  }

 private:
  using Visit = absl::FunctionRef<void(int directory)>;

  void Agent(int agent) {
    ReadFile(agent, "slave.info");
    Within(agent, "frameworks", [this](int frameworks) {
      ForEach(frameworks, [this](int framework) {
        ReadFile(framework, "framework.info");
        ReadFile(framework, "framework.pid");
        Within(framework, "executors", [this](int executors) {
          ForEachName(executors, [this, executors](const char* name) {
            Executor(executors, name);
          });
        });
      });
    });
  }

  void Executor(int executors, const std::string& name) {
    ReadFile(executors, (name + "/executor.info").c_str());
    Within(executors, (name + "/runs").c_str(), [this](int runs) {
      ReadLink(runs, "latest");
      ForEach(runs, [this](int run) {
        ForEachName(run, [](const char*) {});
        Within(run, "tasks", [this](int tasks) {
          ForEachName(tasks, [this, tasks](const std::string& task) {
            ReadFile(tasks, (task + "/task.info").c_str());
            ReadFile(tasks, (task + "/task.updates").c_str());
          });
        });
        ReadFile(run, "pids/forked.pid");
        ReadFile(run, "pids/libprocess.pid");
      });
    });
  }

  void Within(int directory, const char* name, Visit visit) {
    if (error_ != 0) return;
    const int inside = openat(directory, name,
                              O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (inside < 0) {
      error_ = errno;
      return;
    }
    ++count_.directories;
    visit(inside);
    close(inside);
  }

  void ForEach(int directory, Visit visit) {
    ForEachName(directory,
                [&](const char* name) { Within(directory, name, visit); });
  }

  // Only directories.
  void ForEachName(int directory,
                   absl::FunctionRef<void(const char* name)> visit) {
    if (error_ != 0) return;
    alignas(dirent64) char buffer[32 << 10];
    for (;;) {
      const ssize_t size = getdents64(directory, buffer, sizeof(buffer));
      if (size < 0) error_ = errno;
      if (size <= 0) return;
      for (const char* at = buffer; at < buffer + size && error_ == 0;) {
        const auto* entry = reinterpret_cast<const dirent64*>(at);
        at += entry->d_reclen;
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
          visit(entry->d_name);
        }
      }
    }
  }

  void ReadFile(int directory, const char* name) {
    if (error_ != 0) return;
    const int file = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat info;
    if (file < 0 || fstat(file, &info) != 0) {
      error_ = errno;
      if (file >= 0) close(file);
      return;
    }
    const size_t size = static_cast<size_t>(info.st_size);
    if (bytes_.size() < size) bytes_.resize(size);
    if (read(file, bytes_.data(), size) != info.st_size) error_ = EIO;
    close(file);
    ++count_.files;
    count_.bytes += size;
  }

  void ReadLink(int directory, const char* name) {
    if (error_ != 0) return;
    char target[PATH_MAX];
    if (readlinkat(directory, name, target, sizeof(target)) < 0) {
      error_ = errno;
    }
    ++count_.links;
  }

  int error_ = 0;
  BareWalkCount count_;
  std::string bytes_;
};

}  // namespace

absl::StatusOr<BareWalkCount> BareWalk(const std::string& work_dir) {
  return Walk().Run(work_dir);
}

}  // namespace external_containerizer
