// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Ends whole sessions: sends SIGKILL to each of their processes by pidfd, so
// that a process with a reused number is never hit.
//
//   SessionKiller killer(&loop, absl::Seconds(5));
//   killer.Kill(child.pid, child.pidfd.get(), /*is_child=*/true,
//               [](bool ended) { ... });  // Now reap the child.
//
// The kernel does not reuse a session's number while its leader exists. So the
// leader has to exist while members are looked for. A child of this process
// does: it is killed first and reaped last, and is a zombie between. The child
// of another process is stopped first and killed last. The killer goes through
// /proc in slices, again and again until it finds no member.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_SESSION_KILLER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_SESSION_KILLER_H_

#include <dirent.h>
#include <sys/types.h>

#include <map>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/alive.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {

// On the loop's thread only.
class SessionKiller {
 public:
  // `ended` is true if no process of the session is alive. It is false if one
  // is, or if that cannot be proven.
  using Done = absl::AnyInvocable<void(bool ended) &&>;

  // Gives up a session after `patience`. Looks at `slice` entries of /proc in
  // one turn of the loop; the default takes less than a millisecond.
  SessionKiller(EventLoop* loop, absl::Duration patience, int slice = 512);
  // Kills the leaders that are left, and destroys every `done` uncalled.
  ~SessionKiller();
  SessionKiller(const SessionKiller&) = delete;
  SessionKiller& operator=(const SessionKiller&) = delete;

  // Ends the session of `leader`, whose descriptor is `pidfd`, and calls `done`
  // from the loop, never inside this call. Until then the caller keeps `pidfd`
  // open and does not reap the leader. `is_child` says that the leader is a
  // child of this process that stays a zombie until it is reaped. If the leader
  // was reaped before, the members are left alone.
  void Kill(pid_t leader, int pidfd, bool is_child, Done done);

  // Goes through /proc twice inside this call, and kills all members that it
  // finds. Does not wait for their ends.
  void KillNow();

 private:
  struct Session {
    int pidfd;
    bool is_child;
    bool leader_killed;
    bool in_pass = false;      // Since the beginning of this pass.
    bool found = false;        // A living member, in this pass.
    int clean_passes = 0;      // In a row: nothing was found.
    bool untouchable = false;  // The leader was reaped under us.
    Deadline deadline = Deadline(absl::InfiniteDuration());
    Done done;
  };
  struct CloseDir {
    void operator()(DIR* directory) const { closedir(directory); }
  };

  void Schedule(absl::Duration delay);
  // One slice. False at the end of a pass.
  bool Step();
  void KillMember(pid_t leader, Session* session, pid_t member);
  void EndPass();

  EventLoop* const loop_;
  const absl::Duration patience_;
  const int slice_;
  std::map<pid_t, Session> sessions_;
  std::unique_ptr<DIR, CloseDir> proc_;  // Open during a pass.
  absl::Duration pause_;                 // Before the next pass.
  EventLoop::TimerId timer_ = 0;
  const Alive alive_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_SESSION_KILLER_H_
