// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/thread.h"

#include <signal.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

constexpr size_t kMaxName = 15;

struct Job {
  std::string name;
  absl::AnyInvocable<void() &&> work;
};

void* Main(void* argument) {
  std::unique_ptr<Job> job(static_cast<Job*>(argument));
  pthread_setname_np(pthread_self(), job->name.c_str());
  std::move(job->work)();
  return nullptr;
}

}  // namespace

Thread::Thread(Thread&& other) noexcept
    : thread_(other.thread_), started_(std::exchange(other.started_, false)) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    Join();
    thread_ = other.thread_;
    started_ = std::exchange(other.started_, false);
  }
  return *this;
}

absl::Status Thread::Start(const char* name, absl::AnyInvocable<void() &&> work,
                           Signals signals) {
  auto job = std::make_unique<Job>(
      Job{std::string(name, strnlen(name, kMaxName)), std::move(work)});
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (signals == Signals::kBlocked) {
    sigset_t all;
    sigfillset(&all);
    pthread_attr_setsigmask_np(&attributes, &all);
  }
  const int error = pthread_create(&thread_, &attributes, &Main, job.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot start the thread \"", name, "\": ", strerror(error),
        "; end other processes of this user, or raise the limit on its "
        "processes and threads (ulimit -u, or pids.max of the cgroup)"));
  }
  job.release();
  started_ = true;
  return absl::OkStatus();
}

void Thread::Join() {
  if (std::exchange(started_, false)) pthread_join(thread_, nullptr);
}

}  // namespace external_containerizer
