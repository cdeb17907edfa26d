// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/worker_threads.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "external_containerizer/transport/linux/mutex_lock.h"

namespace external_containerizer {

size_t WorkerThreads::Lane::Runnable() const {
  const size_t may_run = most + std::min(abandoned, most);
  return std::min(queue.size(), may_run - std::min(running, may_run));
}

WorkerThreads::WorkerThreads(const std::vector<size_t>& most)
    : lanes_(most.size()),
      threads_("handler",
               2 * std::accumulate(most.begin(), most.end(), size_t{0}),
               Thread::Signals::kAsCaller) {
  for (size_t i = 0; i < most.size(); ++i) lanes_[i].most = most[i];
}

WorkerThreads::~WorkerThreads() {
  // The works are destroyed without the lock, because they may contain
  // anything.
  std::vector<std::list<Queued>> forgotten(lanes_.size());
  {
    MutexLock lock(&mutex_);
    for (size_t i = 0; i < lanes_.size(); ++i) {
      forgotten[i].swap(lanes_[i].queue);
    }
  }
  threads_.Stop();
}

bool WorkerThreads::Run(size_t lane, uint64_t id, Work&& work) {
  MutexLock lock(&mutex_);
  std::list<Queued>& queue = lanes_[lane].queue;
  queue.push_back({id, std::move(work)});
  if (!Start(&lanes_[lane])) {
    work = std::move(queue.back().work);
    queue.pop_back();
    return false;
  }
  waiting_[id] = {&lanes_[lane], std::prev(queue.end())};
  return true;
}

bool WorkerThreads::Abandon(uint64_t id) {
  // The works are destroyed without the lock, because they may contain
  // anything.
  std::list<Queued> forgotten;
  MutexLock lock(&mutex_);
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
    Start(it->second.lane);
  }
  return false;
}

bool WorkerThreads::Start(Lane* lane) {
  for (; lane->starting < lane->Runnable(); ++lane->starting) {
    if (!threads_.TryRun([this, lane] { RunNext(lane); })) return false;
  }
  return true;
}

void WorkerThreads::RunNext(Lane* lane) {
  Queued next;
  {
    MutexLock lock(&mutex_);
    --lane->starting;
    if (lane->Runnable() == 0) return;  // The work was abandoned meanwhile.
    next = std::move(lane->queue.front());
    lane->queue.pop_front();
    waiting_.erase(next.id);
    ++lane->running;
    running_[next.id].lane = lane;
  }
  std::move(next.work)();
  // The work is destroyed before its place is free.
  next.work = nullptr;
  MutexLock lock(&mutex_);
  const auto it = running_.find(next.id);
  --lane->running;
  if (it->second.abandoned) --lane->abandoned;
  running_.erase(it);
  Start(lane);
}

}  // namespace external_containerizer
