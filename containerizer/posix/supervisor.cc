// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_limits.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/execute_task.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/containerizer/posix/task_user.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/proc_stat.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

namespace external_containerizer {
namespace posix_internal {
namespace {

// Between two attempts to kill what is left, or to write down how it ended:
// doubled each time.
constexpr absl::Duration kFirstPause = absl::Milliseconds(5);
constexpr absl::Duration kMaxPause = absl::Seconds(1);

// For a file system that has no room for the last record; after the grace of a
// destroy, who waits for that.
constexpr absl::Duration kRecordTime = absl::Minutes(1);
constexpr absl::Duration kDestroyedRecordTime = absl::Seconds(2);

// For cgroups that nothing of the container is in any more.
constexpr absl::Duration kCgroupTime = absl::Seconds(1);

void CloseFrom(unsigned first) {
  if (syscall(SYS_close_range, first, ~0u, 0) == 0) return;
  // A kernel or a seccomp filter that does not know it.
  const long max = sysconf(_SC_OPEN_MAX);
  for (long fd = first; fd < max; ++fd) close(static_cast<int>(fd));
}

// To a pipe that has room for it: one write, all of it.
void Report(int fd, StartReport::Stage stage, int error) {
  StartReport report;
  report.stage = stage;
  report.error = error;
  while (write(fd, &report, sizeof(report)) < 0 && errno == EINTR) {
  }
}

// False at the end of the file.
bool ReadFully(int fd, void* buffer, size_t size) {
  char* position = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t n = read(fd, position, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    position += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

// All of them: posix_spawn() leaves the two that glibc keeps to itself ignored,
// and signal() does not accept these.
void ResetSignals() {
  const char as_default[64] = {};  // the kernel's struct sigaction, SIG_DFL
  for (int signal = 1; signal <= 64; ++signal) {
    syscall(SYS_rt_sigaction, signal, as_default, nullptr, size_t{8});
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// An agent may be protected from the kernel's killer. A task that inherited
// this could not be ended at its memory limit, and others would be instead.
void GiveUpProtectionFromTheKiller() {
  const std::string file = "/proc/self/oom_score_adj";
  const std::optional<std::string> adjustment = ReadSmallFile(file);
  if (adjustment.has_value() && absl::StartsWith(*adjustment, "-")) {
    (void)WriteSmallFile(file, "0");
  }
}

TaskUser UserOf(const TaskSpec::User& message) {
  TaskUser user;
  user.uid = message.uid();
  user.gid = message.gid();
  user.groups.assign(message.groups().begin(), message.groups().end());
  user.name = message.name();
  user.home = message.home();
  return user;
}

// The task's process, from the fork to the exec. `go` is closed without a byte
// if the task is not to run after all.
[[noreturn]] void BecomeTask(int go, int report) {
  char byte = 0;
  if (!ReadFully(go, &byte, 1)) _exit(127);
  if (setsid() < 0 || fchdir(kSandboxFd) != 0 || dup2(kStdoutFd, 1) < 0 ||
      dup2(kStderrFd, 2) < 0) {
    Report(report, StartReport::kEnter, errno);
    _exit(127);
  }
  const off_t size = lseek(kSpecFd, 0, SEEK_END);
  std::string encoded(size > 0 ? static_cast<size_t>(size) : 0, '\0');
  TaskSpec spec;
  if (lseek(kSpecFd, 0, SEEK_SET) != 0 ||
      !ReadFully(kSpecFd, encoded.data(), encoded.size()) ||
      !spec.ParseFromString(encoded)) {
    Report(report, StartReport::kEnter, EINVAL);
    _exit(127);
  }
  // Before it is the task: nothing that the task starts is outside.
  for (const std::string& file : spec.cgroup_files()) {
    if (const int error = WriteSmallFile(file, "0"); error != 0) {
      Report(report, StartReport::kCgroup, error);
      _exit(127);
    }
  }
  GiveUpProtectionFromTheKiller();
  for (const ResourceLimit& limit : spec.limits()) {
    const rlimit values = {limit.soft(), limit.hard()};
    if (setrlimit(static_cast<__rlimit_resource>(limit.resource()), &values) !=
        0) {
      Report(report, StartReport::kLimit, errno);
      _exit(127);
    }
  }
  if ((spec.has_user() && !BecomeTaskUser(UserOf(spec.user()))) ||
      (spec.no_new_privileges() &&
       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)) {
    Report(report, StartReport::kUser, errno);
    _exit(127);
  }
  ResetSignals();
  ExecuteTask(spec);
  Report(report, StartReport::kExecute, errno);
  _exit(127);
}

// The task's pid; 0 if it could not be started, which has been reported.
pid_t StartTask() {
  int go[2];
  int executed[2];
  if (!HoldAsSupervisor(kContainerFd) || pipe2(go, O_CLOEXEC) != 0 ||
      pipe2(executed, O_CLOEXEC) != 0) {
    Report(kReportFd, StartReport::kPrepare, errno);
    return 0;
  }
  const pid_t task = fork();
  if (task < 0) {
    Report(kReportFd, StartReport::kFork, errno);
    return 0;
  }
  if (task == 0) {
    close(go[1]);
    BecomeTask(go[0], executed[1]);
  }
  close(go[0]);
  close(executed[1]);
  for (const int fd : {kSpecFd, kSandboxFd, kStdoutFd, kStderrFd}) close(fd);

  // The record comes before the exec: whoever finds a task running finds who
  // it is. If it cannot be written, `go` closes and the task never was.
  const std::optional<ProcStat> self = ReadProcStat(getpid());
  const std::optional<ProcStat> child = ReadProcStat(task);
  StartReport report;
  if (!self.has_value() || !child.has_value()) {
    report.stage = StartReport::kPrepare;
    report.error = errno;
  } else if (!AppendRecord(kContainerFd, EncodeStart(*self, *child))) {
    report.stage = StartReport::kRecord;
    report.error = errno;
  }
  if (report.stage == StartReport::kRunning) {
    (void)!write(go[1], "", 1);
    close(go[1]);
    // The end of the file: the task was executed and the pipe closed with it.
    if (!ReadFully(executed[0], &report, sizeof(report))) {
      report = StartReport();
    }
  } else {
    close(go[1]);
  }
  close(executed[0]);
  if (report.stage != StartReport::kRunning) {
    waitpid(task, nullptr, 0);
    Report(kReportFd, static_cast<StartReport::Stage>(report.stage),
           report.error);
    return 0;
  }
  // The lock, which launch shares, ends with the start, also if launch has
  // been killed meanwhile.
  flock(kContainerFd, LOCK_UN);
  Report(kReportFd, StartReport::kRunning, 0);
  close(kReportFd);
  return task;
}

// Watches over the task and all that it starts.
class Supervisor {
 public:
  explicit Supervisor(pid_t task)
      : task_(task),
        cgroups_(
            ReadRecords(kContainerFd).value_or(ContainerRecords()).cgroups) {}

  // Returns when no process of the container is left.
  void Run() {
    Watch();
    // All that was started is ended and reaped. Who was moved into the cgroups
    // from elsewhere is not a child. What does not work here is left to
    // destroy.
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

  // True if there is no child any more.
  bool Reap() {
    while (true) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, WNOHANG);
      // Once the task has been reaped its number may be a descendant's.
      if (pid == task_ && !task_status_.has_value()) task_status_ = status;
      if (pid == 0) return false;
      if (pid < 0 && errno != EINTR) return true;
    }
  }

  // Whether nobody is to wait any longer for the last record.
  bool IsTooLate() {
    const absl::Duration now = MonotonicNow();
    if (!none_left_since_.has_value()) none_left_since_ = now;
    return now >= *none_left_since_ + kRecordTime ||
           now >= kill_at_ + kDestroyedRecordTime;
  }

  // False if it could not be written.
  bool Record(bool complete) {
    EndRecord record;
    record.wait_status = *task_status_;
    record.destroyed = destroyed_;
    record.complete = complete;
    rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) == 0) {
      record.user_microseconds =
          static_cast<uint64_t>(usage.ru_utime.tv_sec) * 1000000 +
          static_cast<uint64_t>(usage.ru_utime.tv_usec);
      record.system_microseconds =
          static_cast<uint64_t>(usage.ru_stime.tv_sec) * 1000000 +
          static_cast<uint64_t>(usage.ru_stime.tv_usec);
      record.max_rss_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
    }
    record.memory = ReadMemoryEvents(cgroups_);
    const CgroupUsage counted = ReadCgroupUsage(cgroups_);
    if (counted.user_microseconds.has_value()) {
      // As usage has been saying; getrusage() divides it differently.
      record.user_microseconds = *counted.user_microseconds;
      record.system_microseconds = counted.system_microseconds.value_or(0);
    }
    record.periods = counted.periods.value_or(0);
    record.throttled_periods = counted.throttled_periods.value_or(0);
    record.throttled_microseconds = counted.throttled_microseconds.value_or(0);
    return AppendRecord(kContainerFd, EncodeEnd(record));
  }

  void Terminate(const siginfo_t& info) {
    int grace = kDefaultGraceMilliseconds;
    if (info.si_code == SI_QUEUE) {
      grace = std::max(0, info.si_value.sival_int);
    }
    kill_at_ = std::min(kill_at_, MonotonicNow() + absl::Milliseconds(grace));
    if (terminated_) return;
    terminated_ = true;
    Reap();  // a task that ended before the signal came, ended by itself
    destroyed_ = !task_status_.has_value();
    for (const ProcStat& process : Descendants(getpid())) {
      SignalProcess(process, SIGTERM);
      SignalProcess(process, SIGCONT);  // a stopped one sees it too
    }
  }

  // A task that ended by itself takes what it left behind with it at once; one
  // that is being destroyed leaves it the rest of the grace. Returns how long
  // to sleep at most.
  absl::Duration KillIfTime() {
    if (terminated_ || !task_status_.has_value()) {
      const absl::Duration left = kill_at_ - MonotonicNow();
      if (left > absl::ZeroDuration()) return left;
    }
    for (const ProcStat& process : Descendants(getpid())) {
      SignalProcess(process, SIGKILL);
    }
    KillCgroupsOnce(cgroups_);
    // What was forked meanwhile, or cannot die yet, comes next time.
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
  for (int fd = kContainerFd; fd < kEndOfFds; ++fd) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      static const char kMessage[] =
          "posix: supervise is not a command: launch uses it\n";
      (void)!write(2, kMessage, sizeof(kMessage) - 1);
      return 2;
    }
  }
  CloseFrom(kEndOfFds);
  // A process of its own, which launch does not have to reap.
  const pid_t supervisor = fork();
  if (supervisor < 0) Report(kReportFd, StartReport::kPrepare, errno);
  if (supervisor != 0) _exit(supervisor < 0 ? 1 : 0);

  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  for (const int ignored : {SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGXFSZ}) {
    signal(ignored, SIG_IGN);
  }
  if (setsid() < 0 || chdir("/") != 0 ||
      prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    Report(kReportFd, StartReport::kPrepare, errno);
    return 1;
  }
  const pid_t task = StartTask();
  if (task == 0) return 1;
  Supervisor(task).Run();
  return 0;
}

}  // namespace posix_internal
}  // namespace external_containerizer
