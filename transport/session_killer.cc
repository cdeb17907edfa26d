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

// A member that forks and exits after the list was read and before it is looked
// at leaves a child that is missing in this list, and present in the next one.
constexpr int kCleanPasses = 2;

constexpr absl::Duration kShortestPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(50);

// Whether the leader still prevents a reuse of its number.
bool HoldsNumber(int pidfd, bool is_child) {
  if (!is_child) return !HasEnded(pidfd);
  siginfo_t info;
  return waitid(P_PIDFD, static_cast<id_t>(pidfd), &info,
                WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

SessionKiller::SessionKiller(EventLoop* loop, absl::Duration patience,
                             int slice)
    : loop_(loop), patience_(patience), slice_(slice) {}

SessionKiller::~SessionKiller() {
  // Stopped leaders would stay stopped.
  for (const auto& [leader, session] : sessions_) {
    SendSignal(session.pidfd, SIGKILL);
  }
  loop_->CancelTimer(timer_);
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
  // A pass that is under way goes on by itself. Otherwise a new one begins now.
  if (proc_ == nullptr) Schedule(absl::ZeroDuration());
}

void SessionKiller::KillNow() {
  for (int pass = 0; pass < kCleanPasses; ++pass) {
    while (Step()) {
    }
  }
}

void SessionKiller::Schedule(absl::Duration delay) {
  loop_->CancelTimer(timer_);
  timer_ = loop_->RunAfter(delay, [this] {
    timer_ = 0;
    if (Step()) Schedule(absl::ZeroDuration());
  });
}

bool SessionKiller::Step() {
  if (proc_ == nullptr) {
    if (sessions_.empty()) return false;
    proc_.reset(opendir("/proc"));
    for (auto& [leader, session] : sessions_) {
      session.in_pass = true;
      // Without a list of processes no session is known to be empty.
      session.found = proc_ == nullptr;
    }
  }
  for (int i = 0; proc_ != nullptr && i < slice_; ++i) {
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
    if (errno != ESRCH) session->found = true;  // Without a descriptor: later.
    return;
  }
  if (HasEnded(pidfd.get())) return;
  // The process with this number is in the session now. If the pidfd refers to
  // an earlier process with the number, that one is dead and the signal has no
  // effect. The leader is checked last: then its number was never free.
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
      // A stopped leader would stay for ever.
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
  // Last: a callback may destroy this object.
  const auto alive = alive_.Watch();
  for (auto& [done, ended] : over) {
    if (!alive.expired()) std::move(done)(ended);
  }
}

}  // namespace external_containerizer
