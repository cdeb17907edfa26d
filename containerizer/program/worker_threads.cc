// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/worker_threads.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace external_containerizer {

size_t WorkerThreads::Lane::Runnable() const {
  const size_t may_run = most + std::min(abandoned, most);
  return std::min(queue.size(), may_run - std::min(running, may_run));
}

WorkerThreads::WorkerThreads(const std::vector<size_t>& most)
    : lanes_(most.size()) {
  for (size_t i = 0; i < most.size(); ++i) lanes_[i].most = most[i];
}

WorkerThreads::~WorkerThreads() {
  std::vector<pthread_t> threads;
  // Destroyed without the lock: what it destroys may be anything.
  std::vector<std::list<Queued>> forgotten(lanes_.size());
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    threads.swap(threads_);
    for (size_t i = 0; i < lanes_.size(); ++i) {
      forgotten[i].swap(lanes_[i].queue);
    }
  }
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
}

bool WorkerThreads::Run(size_t lane, uint64_t id, Work&& work) {
  absl::MutexLock lock(&mutex_);
  std::list<Queued>& queue = lanes_[lane].queue;
  queue.push_back({id, std::move(work)});
  StartThreads();
  if (!threads_.empty()) {
    waiting_[id] = {&lanes_[lane], std::prev(queue.end())};
    return true;
  }
  work = std::move(queue.back().work);
  queue.pop_back();
  return false;
}

bool WorkerThreads::Abandon(uint64_t id) {
  // Destroyed without the lock: what it destroys may be anything.
  std::list<Queued> forgotten;
  absl::MutexLock lock(&mutex_);
  const auto waiting = waiting_.find(id);
  if (waiting != waiting_.end()) {
    forgotten.splice(forgotten.end(), waiting->second.lane->queue,
                     waiting->second.place);
    waiting_.erase(waiting);
    return true;
  }
  const auto it = running_.find(id);
  if (it != running_.end() && !std::exchange(it->second.abandoned, true)) {
    ++it->second.lane->abandoned;
    StartThreads();
  }
  return false;
}

void WorkerThreads::StartThreads() {
  while (free_ < Runnable()) {
    // std::thread would throw if there is none.
    pthread_t thread;
    if (pthread_create(&thread, nullptr, &Main, this) != 0) return;
    threads_.push_back(thread);
    ++free_;
  }
}

void* WorkerThreads::Main(void* self) {
  static_cast<WorkerThreads*>(self)->Loop();
  return nullptr;
}

size_t WorkerThreads::Runnable() const {
  size_t runnable = 0;
  for (const Lane& lane : lanes_) runnable += lane.Runnable();
  return runnable;
}

bool WorkerThreads::Ready() const { return stopped_ || Runnable() > 0; }

void WorkerThreads::Ended(uint64_t id) {
  const auto it = running_.find(id);
  --it->second.lane->running;
  if (it->second.abandoned) --it->second.lane->abandoned;
  running_.erase(it);
  ++free_;
}

void WorkerThreads::Loop() {
  for (;;) {
    Queued next;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &WorkerThreads::Ready));
      if (stopped_) return;
      const auto lane =
          std::find_if(lanes_.begin(), lanes_.end(),
                       [](const Lane& each) { return each.Runnable() > 0; });
      next = std::move(lane->queue.front());
      lane->queue.pop_front();
      waiting_.erase(next.id);
      ++lane->running;
      running_[next.id].lane = &*lane;
      --free_;
    }
    std::move(next.work)();
    // It goes before its place does.
    next.work = nullptr;
    absl::MutexLock lock(&mutex_);
    Ended(next.id);
  }
}

}  // namespace external_containerizer
