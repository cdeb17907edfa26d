// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/session_killer.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace {

// A look at one process is one system call, so a slice takes well below a
// millisecond.
constexpr int kProcessesPerSlice = 512;

// A member that forks and exits between the reading of the list and the look at
// it leaves a child that this list does not have. The next one has it.
constexpr int kCleanPasses = 2;

constexpr absl::Duration kShortestPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(50);

// Whether a leader still keeps its number from being reused.
bool HoldsNumber(int pidfd, bool is_child) {
  if (!is_child) return !HasEnded(pidfd);
  siginfo_t info;
  return waitid(P_PIDFD, static_cast<id_t>(pidfd), &info,
                WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

SessionKiller::SessionKiller(EventLoop* loop, absl::Duration patience)
    : loop_(loop), patience_(patience) {}

SessionKiller::~SessionKiller() {
  *alive_ = false;
  // Whoever is stopped would stay so.
  for (const auto& [leader, session] : sessions_) {
    SendSignal(session.pidfd, SIGKILL);
  }
  if (timer_.has_value()) loop_->CancelTimer(*timer_);
}

void SessionKiller::Kill(pid_t leader, int pidfd, bool is_child, Done done) {
  SendSignal(pidfd, is_child ? SIGKILL : SIGSTOP);
  Session session;
  session.pidfd = pidfd;
  session.is_child = is_child;
  session.leader_killed = is_child;
  session.deadline = Deadline(patience_);
  session.done = std::move(done);
  sessions_.insert_or_assign(leader, std::move(session));
  pause_ = kShortestPause;
  // A pass that is under way goes on at once by itself; one that is waited
  // for need not be.
  if (proc_ == nullptr) Schedule(absl::ZeroDuration());
}

void SessionKiller::Finish(absl::Duration limit) {
  const Deadline deadline(limit);
  while (!sessions_.empty() && !deadline.Expired()) {
    while (Step()) {
    }
    if (sessions_.empty()) return;
    const timespec pause = absl::ToTimespec(kShortestPause);
    nanosleep(&pause, nullptr);
  }
}

void SessionKiller::Schedule(absl::Duration delay) {
  if (timer_.has_value()) loop_->CancelTimer(*timer_);
  timer_ = loop_->RunAfter(delay, [this] {
    timer_.reset();
    if (Step()) Schedule(absl::ZeroDuration());
  });
}

bool SessionKiller::Step() {
  if (proc_ == nullptr) {
    if (sessions_.empty()) return false;
    proc_.reset(opendir("/proc"));
    for (auto& [leader, session] : sessions_) {
      session.in_pass = true;
      // Without a list of processes nobody can say that there is none.
      session.found = proc_ == nullptr;
    }
  }
  for (int i = 0; proc_ != nullptr && i < kProcessesPerSlice; ++i) {
    const struct dirent* entry = readdir(proc_.get());
    if (entry == nullptr) {
      proc_.reset();
      break;
    }
    const pid_t pid = static_cast<pid_t>(atoi(entry->d_name));
    if (pid <= 0) continue;
    const auto session = sessions_.find(getsid(pid));
    if (session == sessions_.end() || session->first == pid) continue;
    KillMember(session->first, &session->second, pid);
  }
  if (proc_ != nullptr) return true;
  EndPass();
  return false;
}

void SessionKiller::KillMember(pid_t leader, Session* session, pid_t member) {
  const UniqueFd pidfd = OpenPidfd(member);
  if (!pidfd.valid()) {
    if (errno != ESRCH) session->found = true;  // No descriptor: later.
    return;
  }
  if (HasEnded(pidfd.get())) return;
  // Whatever has this number now is in the session. If it is not what the
  // pidfd refers to, that one is dead, and a signal to it goes nowhere. The
  // leader comes last: its number was its own all the while.
  if (getsid(member) != leader) return;
  if (!HoldsNumber(session->pidfd, session->is_child)) {
    session->untouchable = true;
    return;
  }
  session->found = true;
  SendSignal(pidfd.get(), SIGKILL);
}

void SessionKiller::EndPass() {
  std::vector<std::pair<Done, bool>> over;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    Session& session = it->second;
    const bool clean = session.in_pass && !session.found;
    session.clean_passes = clean ? session.clean_passes + 1 : 0;
    if (clean && !session.leader_killed) {
      SendSignal(session.pidfd, SIGKILL);
      session.leader_killed = true;
    } else if (session.clean_passes >= kCleanPasses &&
               HasEnded(session.pidfd)) {
      over.emplace_back(std::move(session.done),
                        !(session.is_child && session.untouchable));
      it = sessions_.erase(it);
      continue;
    }
    if (session.deadline.Expired()) {
      // Stopped, it would stay for ever.
      SendSignal(session.pidfd, SIGKILL);
      over.emplace_back(std::move(session.done), false);
      it = sessions_.erase(it);
      continue;
    }
    ++it;
  }
  if (!sessions_.empty()) {
    Schedule(pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
  }
  // Last: what is called may destroy us.
  const std::shared_ptr<bool> alive = alive_;
  for (auto& [done, ended] : over) {
    if (*alive) std::move(done)(ended);
  }
}

}  // namespace external_containerizer
