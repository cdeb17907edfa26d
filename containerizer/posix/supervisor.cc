// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_limits.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/execute_task.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/containerizer/posix/task_user.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// The pause between two attempts to kill the rest, or to write down the end. It
// doubles each time.
constexpr absl::Duration kFirstPause = absl::Milliseconds(5);
constexpr absl::Duration kMaxPause = absl::Seconds(1);

// The last record is tried this long on a file system without room. A destroy
// waits for it, so after the grace of a destroy it is tried less long.
constexpr absl::Duration kRecordTime = absl::Minutes(1);
constexpr absl::Duration kDestroyedRecordTime = absl::Seconds(2);

// The time to empty and remove the cgroups after the last process.
constexpr absl::Duration kCgroupTime = absl::Seconds(1);

// Takes the error from errno.
StartReport Failure(absl::string_view what) {
  const int error = errno;
  StartReport report;
  report.set_error(error);
  report.set_failure(std::string(what));
  return report;
}

// The write fails if launch was killed, and nobody needs to know then.
void Report(int fd, const StartReport& report) {
  (void)WriteRecord(fd, report.SerializeAsString());
}

bool OpenDevNull(std::initializer_list<int> fds) {
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  return null.valid() && std::all_of(fds.begin(), fds.end(), [&null](int fd) {
           return dup2(null.get(), fd) == fd;
         });
}

// Resets all signals, with the two that glibc keeps to itself and that signal()
// does not accept.
void ResetSignals() {
  const char as_default[64] = {};  // the kernel's struct sigaction, SIG_DFL
  for (int signal = 1; signal <= 64; ++signal) {
    syscall(SYS_rt_sigaction, signal, as_default, nullptr, size_t{8});
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// An agent may be protected from the kernel's OOM killer. A task must not
// inherit that: at its memory limit the kernel would kill other processes
// instead.
void GiveUpProtectionFromTheKiller() {
  const std::string file = "/proc/self/oom_score_adj";
  const std::optional<std::string> adjustment = ReadSmallFile(file);
  if (adjustment.has_value() && absl::StartsWith(*adjustment, "-")) {
    (void)WriteSmallFile(file, "0");
  }
}

// Turns this process into the task. Returns only if that fails, with the
// reason.
StartReport BecomeTask() {
  const absl::StatusOr<std::optional<std::string>> encoded =
      ReadRecord(kLaunchFd, kMaxTaskSpec);
  TaskSpec spec;
  if (!encoded.ok() || !encoded->has_value() ||
      !spec.ParseFromString(**encoded)) {
    errno = E2BIG;
    return Failure("the command did not arrive at the supervisor");
  }
  if (setsid() < 0 || !OpenDevNull({kLaunchFd})) {
    return Failure("the task cannot have a session and /dev/null of its own");
  }
  // The process joins before it is the task, so all that the task starts is
  // inside.
  for (const std::string& file : spec.cgroup_files()) {
    errno = WriteSmallFile(file, "0");
    if (errno != 0) return Failure("the task cannot join its cgroups");
  }
  GiveUpProtectionFromTheKiller();
  for (const ResourceLimit& limit : spec.limits()) {
    const rlimit values = {limit.soft(), limit.hard()};
    if (setrlimit(static_cast<__rlimit_resource>(limit.resource()), &values) !=
        0) {
      return Failure("the task cannot be given its resource limits (--rlimit)");
    }
  }
  const std::string user =
      absl::StrCat(spec.user().name(), " (uid ", spec.user().uid(), ", gid ",
                   spec.user().gid(), ")");
  if (spec.has_user() && !BecomeTaskUser(spec.user())) {
    return Failure("the task cannot become the user " + user);
  }
  if (spec.no_new_privileges() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Failure("the task cannot give up new privileges");
  }
  const bool is_path = spec.executable().find('/') != std::string::npos;
  const std::string what =
      absl::StrCat("cannot execute the command \"", spec.executable(), "\"",
                   is_path ? "" : ", looked up in the task's PATH");
  ResetSignals();
  ExecuteTask(spec);
  StartReport report = Failure(what);
  report.set_is_command(true);
  return report;
}

// Lets the task run, which waits at the other end of the socket `task`. Returns
// the failure, if it was not executed.
StartReport LetItRun(int task, pid_t pid) {
  // The record is written before the exec, so that every running task has one.
  const std::optional<ProcStat> self = ReadProcStat(getpid());
  const std::optional<ProcStat> child = ReadProcStat(pid);
  if (!self.has_value() || !child.has_value()) {
    return Failure("the supervisor cannot see its task");
  }
  ContainerRecord record;
  TaskStart& start = *record.mutable_start();
  start.set_supervisor_pid(static_cast<uint32_t>(self->pid));
  start.set_supervisor_start_ticks(self->start_ticks);
  start.set_task_pid(static_cast<uint32_t>(child->pid));
  start.set_task_start_ticks(child->start_ticks);
  if (!AppendRecord(kContainerFd, record)) {
    return Failure("cannot write down that the container runs");
  }
  (void)!write(task, "", 1);
  // An exec closes the task's end, so the stream ends without a record.
  const absl::StatusOr<std::optional<std::string>> encoded =
      ReadRecord(task, kMaxTaskSpec);
  StartReport report;
  if (encoded.ok() && encoded->has_value()) report.ParseFromString(**encoded);
  return report;
}

// Returns the task's pid; 0 if it could not be started, which is reported.
pid_t StartTask() {
  int ends[2];
  if (setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 ||
      !HoldAsSupervisor(kContainerFd) ||
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    Report(kLaunchFd, Failure("the supervisor cannot start"));
    return 0;
  }
  UniqueFd task_end(ends[0]);
  UniqueFd our_end(ends[1]);
  const pid_t task = fork();
  if (task < 0) {
    Report(kLaunchFd, Failure("cannot make a process for the task"));
    return 0;
  }
  if (task == 0) {
    our_end.Reset();
    char go = 0;
    if (read(task_end.get(), &go, 1) == 1) Report(task_end.get(), BecomeTask());
    _exit(127);
  }
  task_end.Reset();
  const StartReport report = LetItRun(our_end.get(), task);
  our_end.Reset();
  if (report.has_failure()) {
    waitpid(task, nullptr, 0);
    Report(kLaunchFd, report);
    return 0;
  }
  // Launch shares the lock, and may have been killed without releasing it.
  flock(kContainerFd, LOCK_UN);
  Report(kLaunchFd, report);
  // The socket is closed last, for launch waits for that.
  if (!OpenDevNull({1, 2}) || chdir("/") != 0) {
    for (const int fd : {1, 2}) close(fd);
  }
  if (dup2(1, kLaunchFd) < 0) close(kLaunchFd);
  return task;
}

uint64_t Microseconds(double seconds) {
  return static_cast<uint64_t>(std::llround(seconds * 1e6));
}

uint64_t Microseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1000000 +
         static_cast<uint64_t>(time.tv_usec);
}

// Watches the task and all processes that it starts.
class Supervisor {
 public:
  explicit Supervisor(pid_t task)
      : task_(task),
        // ReadRecords() would take memory that stays until the end.
        cgroups_(SalvageRecords(kContainerFd).cgroups) {}

  // Returns when no process of the container is left.
  void Run() {
    Watch();
    // All children are reaped. The cgroups may have other processes, which
    // somebody moved there. If the cgroups cannot be removed, destroy does it.
    (void)KillCgroups(cgroups_, kCgroupTime);
    (void)RemoveCgroups(cgroups_, kCgroupTime);
  }

 private:
  void Watch() {
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, SIGTERM);
    while (true) {
      const bool none_left = Reap();
      if (task_status_.has_value() && (none_left || !recorded_)) {
        recorded_ = Record(none_left);
      }
      if (none_left && (recorded_ || IsTooLate())) return;
      const absl::Duration timeout = none_left ? NextPause() : KillIfTime();
      siginfo_t info = {};
      if (timeout == absl::InfiniteDuration()) {
        sigwaitinfo(&awaited, &info);
      } else {
        const timespec wait = absl::ToTimespec(timeout);
        sigtimedwait(&awaited, &info, &wait);
      }
      if (info.si_signo == SIGTERM) Terminate(info);
    }
  }

  // Returns true if no child is left.
  bool Reap() {
    while (true) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, WNOHANG);
      // A descendant may get the pid of the task after the task was reaped.
      if (pid == task_ && !task_status_.has_value()) task_status_ = status;
      if (pid == 0) return false;
      if (pid < 0 && errno != EINTR) return true;
    }
  }

  // Returns whether the last record has been tried long enough.
  bool IsTooLate() {
    const absl::Duration now = MonotonicNow();
    if (!none_left_since_.has_value()) none_left_since_ = now;
    return now >= *none_left_since_ + kRecordTime ||
           now >= kill_at_ + kDestroyedRecordTime;
  }

  // Returns false if the record could not be written.
  bool Record(bool complete) {
    ContainerRecord record;
    TaskEnd& end = *record.mutable_end();
    end.set_wait_status(static_cast<uint32_t>(*task_status_));
    end.set_destroyed(destroyed_);
    end.set_complete(complete);
    rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) == 0) {
      end.set_user_microseconds(Microseconds(usage.ru_utime));
      end.set_system_microseconds(Microseconds(usage.ru_stime));
      end.set_max_rss_bytes(static_cast<uint64_t>(usage.ru_maxrss) * 1024);
    }
    ReadMemoryEvents(cgroups_, end);
    const wire::ResourceStatistics counted = ReadCgroupUsage(cgroups_);
    if (counted.has_cpus_user_time_secs()) {
      // `usage` has shown these figures; getrusage() divides them differently.
      end.set_user_microseconds(Microseconds(counted.cpus_user_time_secs()));
      end.set_system_microseconds(
          Microseconds(counted.cpus_system_time_secs()));
    }
    end.set_periods(counted.cpus_nr_periods());
    end.set_throttled_periods(counted.cpus_nr_throttled());
    end.set_throttled_microseconds(
        Microseconds(counted.cpus_throttled_time_secs()));
    return AppendRecord(kContainerFd, record);
  }

  void Terminate(const siginfo_t& info) {
    int grace = kDefaultGraceMilliseconds;
    if (info.si_code == SI_QUEUE) {
      grace = std::max(0, info.si_value.sival_int);
    }
    kill_at_ = std::min(kill_at_, MonotonicNow() + absl::Milliseconds(grace));
    if (terminated_) return;
    terminated_ = true;
    Reap();  // a task that has ended by now ended by itself
    destroyed_ = !task_status_.has_value();
    for (const ProcStat& process : Descendants(getpid())) {
      SignalProcess(process, SIGTERM);
      SignalProcess(process, SIGCONT);  // it may be stopped
    }
  }

  // Kills the rest at once if the task ended by itself, and after the grace if
  // the container is being destroyed. Returns how long to sleep at most.
  absl::Duration KillIfTime() {
    if (terminated_ || !task_status_.has_value()) {
      const absl::Duration left = kill_at_ - MonotonicNow();
      if (left > absl::ZeroDuration()) return left;
    }
    for (const ProcStat& process : Descendants(getpid())) {
      SignalProcess(process, SIGKILL);
    }
    KillCgroupsOnce(cgroups_);
    // The next round kills what was forked meanwhile, or cannot die yet.
    return NextPause();
  }

  absl::Duration NextPause() {
    const absl::Duration pause = pause_;
    pause_ = std::min(2 * pause_, kMaxPause);
    return pause;
  }

  const pid_t task_;
  const ContainerCgroups cgroups_;
  std::optional<int> task_status_;
  absl::Duration kill_at_ = absl::InfiniteDuration();
  bool terminated_ = false;
  bool destroyed_ = false;
  bool recorded_ = false;
  std::optional<absl::Duration> none_left_since_;
  absl::Duration pause_ = kFirstPause;
};

}  // namespace

int SupervisorMain() {
  int type = 0;
  socklen_t size = sizeof(type);
  if (fcntl(kContainerFd, F_SETFD, FD_CLOEXEC) != 0 ||
      getsockopt(kLaunchFd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    static const char kMessage[] =
        "posix: supervise is not a command: launch uses it\n";
    (void)!write(2, kMessage, sizeof(kMessage) - 1);
    return 2;
  }
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  for (const int ignored : {SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGXFSZ}) {
    signal(ignored, SIG_IGN);
  }
  // The supervisor is a grandchild of launch, which need not reap it.
  const pid_t supervisor = fork();
  if (supervisor < 0) {
    Report(kLaunchFd, Failure("the supervisor cannot start"));
  }
  if (supervisor != 0) _exit(supervisor < 0 ? 1 : 0);
  const pid_t task = StartTask();
  if (task == 0) return 1;
  Supervisor(task).Run();
  return 0;
}

}  // namespace posix_internal
}  // namespace external_containerizer
