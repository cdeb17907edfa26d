// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Ends whole sessions: SIGKILL to every process in them, each by pidfd, never
// to a process that merely has a number that was once theirs.
//
// The kernel does not reuse a session's number while its leader is there. So
// the leader has to stay while members are looked for: a child of ours does, as
// a zombie that is reaped only afterwards; the child of another process is
// stopped first and killed last. /proc is gone through in slices, again and
// again until no member is left.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_SESSION_KILLER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_SESSION_KILLER_H_

#include <dirent.h>
#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {

// On the loop's thread only.
class SessionKiller {
 public:
  // True if nothing of the session is alive any more. False if that could not
  // be brought about, or could not be proven.
  using Done = absl::AnyInvocable<void(bool ended) &&>;

  // Gives up on a session after `patience`.
  SessionKiller(EventLoop* loop, absl::Duration patience);
  // Ends the leaders that are left, and forgets every `done`, uncalled.
  ~SessionKiller();
  SessionKiller(const SessionKiller&) = delete;
  SessionKiller& operator=(const SessionKiller&) = delete;

  // Ends the session that `leader` leads. `pidfd` is the leader's, which the
  // caller keeps open, and does not reap, until `done` is called, on the loop
  // and never inside this call. `is_child`: it stays as a zombie until then.
  // Members of a session whose leader is gone already are left alone.
  void Kill(pid_t leader, int pidfd, bool is_child, Done done);

  // Goes on with it now, and blocks for `limit` at most.
  void Finish(absl::Duration limit);

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
  std::map<pid_t, Session> sessions_;
  std::unique_ptr<DIR, CloseDir> proc_;  // Open during a pass.
  absl::Duration pause_;                 // Before the next pass.
  std::optional<EventLoop::TimerId> timer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_SESSION_KILLER_H_
