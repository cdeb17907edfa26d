// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/error_line.h"
#include "external_containerizer/containerizer/program/flags.h"
#include "external_containerizer/transport/linux/descriptor_limit.h"
#include "external_containerizer/transport/linux/thread.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/helper_server.h"

namespace external_containerizer {
namespace {

// The time for destructors at the end.
constexpr unsigned kExitLimitSeconds = 5;
// Between looks at the socket's place while nobody is connected.
constexpr absl::Duration kIdleTick = absl::Milliseconds(500);

constexpr int kSystemdFd = 3;

struct Arguments {
  std::string socket;  // Absolute; empty if systemd listens.
  absl::Duration idle_exit = absl::Seconds(60);
  absl::Duration drain_limit = absl::Seconds(30);  // For the last commands.
};

bool SystemdListens() {
  const char* pid = getenv("LISTEN_PID");
  const char* fds = getenv("LISTEN_FDS");
  int number = 0;
  return pid != nullptr && fds != nullptr && absl::SimpleAtoi(pid, &number) &&
         number == getpid() && absl::SimpleAtoi(fds, &number) && number == 1;
}

// The path of a socket of systemd's.
std::string NameOf(int listener) {
  sockaddr_un address = {};
  socklen_t size = sizeof(address);
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) !=
          0 ||
      address.sun_path[0] != '/') {
    return "/run/helper.sock";
  }
  return std::string(address.sun_path,
                     strnlen(address.sun_path, sizeof(address.sun_path)));
}

absl::StatusOr<std::string> Absolute(absl::string_view path) {
  if (absl::StartsWith(path, "/")) return std::string(path);
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof(directory)) == nullptr) {
    return absl::ErrnoToStatus(errno, "cannot tell the working directory");
  }
  return absl::StrCat(directory, "/", path);
}

absl::Status ParseLimit(const Flags& flags, const char* name,
                        absl::Duration* limit) {
  for (const std::string& text : flags.Values(name)) {
    if (absl::ParseDuration(text, limit) && *limit >= absl::ZeroDuration()) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, " needs a duration such as 60s, or inf"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Arguments> Parse(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = Flags::Parse({{"socket", "PATH", ""},
                                                    {"idle_exit", "60s", ""},
                                                    {"drain_limit", "30s", ""}},
                                                   arguments);
  if (!flags.ok()) return flags.status();
  if (!flags->rest().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("serve does not understand ", flags->rest()[0],
                     "; it takes --socket=PATH, --idle_exit=60s and "
                     "--drain_limit=30s"));
  }
  Arguments parsed;
  for (const auto& [name, limit] :
       {std::pair("idle_exit", &parsed.idle_exit),
        std::pair("drain_limit", &parsed.drain_limit)}) {
    absl::Status status = ParseLimit(*flags, name, limit);
    if (!status.ok()) return status;
  }
  if (const std::string given = flags->Value("socket", ""); !given.empty()) {
    absl::StatusOr<std::string> socket = Absolute(given);
    if (!socket.ok()) return socket.status();
    parsed.socket = *std::move(socket);
  }
  if (parsed.socket.empty() && !SystemdListens()) {
    return absl::InvalidArgumentError("serve needs --socket=PATH");
  }
  return parsed;
}

// The file that has a name now; 0, 0 if none has it.
std::pair<dev_t, ino_t> Identity(const char* path, bool follow) {
  struct stat info;
  const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (fstatat(AT_FDCWD, path, &info, flags) != 0) return {0, 0};
  return {info.st_dev, info.st_ino};
}

// The absolute name of this process's executable. It is the name by which the
// process was started, because a link in it may be changed to lead to another
// version. For a script it is the interpreter's.
std::string ExecutableName() {
  const auto executed =
      reinterpret_cast<const char*>(getauxval(AT_EXECFN));  // NOLINT
  if (executed != nullptr) {
    absl::StatusOr<std::string> name = Absolute(executed);
    if (name.ok() &&
        Identity(name->c_str(), true) == Identity("/proc/self/exe", true)) {
      return *std::move(name);
    }
  }
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  return std::string(path, static_cast<size_t>(std::max<ssize_t>(size, 0)));
}

// Whether the name is another file's now.
bool IsExecutableReplaced(const std::string& name) {
  return !name.empty() &&
         Identity(name.c_str(), true) != Identity("/proc/self/exe", true);
}

// Takes the lock, until the process ends. ALREADY_EXISTS if another process has
// it.
absl::StatusOr<UniqueFd> Lock(const std::string& socket) {
  // This comes first, so that no lock is left in a place where nobody may
  // serve.
  const absl::Status status = ttrpc::CheckPlace(socket);
  if (!status.ok()) return status;
  const std::string path = absl::StrCat(socket, ".lock");
  UniqueFd lock(
      open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", path));
    }
    char pid[16] = {};
    const ssize_t size = pread(lock.get(), pid, sizeof(pid) - 1, 0);
    return absl::AlreadyExistsError(absl::StrCat(
        "another helper", size > 0 ? absl::StrCat(", process ", pid, ",") : "",
        " serves at ", socket));
  }
  // For the message of a helper that finds it locked.
  const std::string pid = absl::StrCat(getpid());
  if (ftruncate(lock.get(), 0) != 0 ||
      pwrite(lock.get(), pid.data(), pid.size(), 0) < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  }
  return lock;
}

int signal_pipe = -1;

void OnSignal(int) {
  const int error = errno;
  const ssize_t ignored = write(signal_pipe, "", 1);
  static_cast<void>(ignored);
  errno = error;
}

void IgnoreSignal(int) {}

// A descriptor that can be read when SIGTERM or SIGINT has come. These are
// handlers and no blocked mask, because children do not inherit handlers.
absl::StatusOr<UniqueFd> TakeSignals() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a pipe");
  }
  signal_pipe = ends[1];
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  // A broken pipe, or a file that is too large, in one handler must not end the
  // commands of all others.
  action.sa_handler = IgnoreSignal;
  sigaction(SIGPIPE, &action, nullptr);
  sigaction(SIGXFSZ, &action, nullptr);
  return UniqueFd(ends[0]);
}

void ExitSoon() {
  sleep(kExitLimitSeconds);
  fputs("serve: a handler does not return, and ends with its helper\n", stderr);
  _exit(1);
}

class Helper {
 public:
  Helper(EventLoop& loop, HelperServer& server, const Arguments& arguments)
      : loop_(loop),
        server_(server),
        arguments_(arguments),
        place_(Identity(arguments.socket.c_str(), false)) {
    server_.WhenDisconnected([this] { Idle(); });
    server_.WhenAskedToEnd([this] { Drain(); });
    Idle();
  }

  void OnSignals(int fd) {
    char bytes[16];
    const ssize_t count = read(fd, bytes, sizeof(bytes));
    if (count > 1 || std::exchange(signaled_, true)) return loop_.Stop();
    Drain();
    loop_.RunAfter(arguments_.drain_limit, [this] { loop_.Stop(); });
  }

 private:
  void Drain() {
    if (std::exchange(draining_, true)) return;
    RemoveSocket();
    server_.Drain([this] { loop_.Stop(); });
    StopWhenOverdue();
  }

  // A command that nobody can end must not keep the place from the next helper
  // for ever.
  void StopWhenOverdue() {
    loop_.RunAfter(server_.TimeLeft() + arguments_.drain_limit, [this] {
      if (server_.TimeLeft() <= absl::ZeroDuration()) return loop_.Stop();
      StopWhenOverdue();
    });
  }

  void Idle() {
    idle_for_long_ = false;
    loop_.CancelTimer(idle_timer_);
    idle_timer_ =
        loop_.RunAfter(arguments_.idle_exit, [this] { idle_for_long_ = true; });
    if (!std::exchange(ticking_, true)) Tick();
  }

  void Tick() {
    ticking_ = server_.connections() == 0 && !draining_;
    if (!ticking_) return;
    const bool gone = !arguments_.socket.empty() &&
                      Identity(arguments_.socket.c_str(), false) != place_;
    if (gone || (idle_for_long_ && server_.commands() == 0)) {
      ticking_ = false;
      return Drain();
    }
    loop_.RunAfter(kIdleTick, [this] { Tick(); });
  }

  void RemoveSocket() {
    if (!arguments_.socket.empty() &&
        Identity(arguments_.socket.c_str(), false) == place_) {
      unlink(arguments_.socket.c_str());
    }
  }

  EventLoop& loop_;
  HelperServer& server_;
  const Arguments& arguments_;
  const std::pair<dev_t, ino_t> place_;  // The socket's.
  EventLoop::TimerId idle_timer_ = 0;
  bool idle_for_long_ = false;  // If nobody is connected.
  bool ticking_ = false;
  bool draining_ = false;
  bool signaled_ = false;
};

absl::Status Serve(const Arguments& arguments,
                   ServedTransport make_transport) {
  // Waits and connections hold descriptors.
  RaiseDescriptorLimit();
  UniqueFd lock;
  std::string socket = arguments.socket;
  if (socket.empty()) {
    fcntl(kSystemdFd, F_SETFD, FD_CLOEXEC);
    socket = NameOf(kSystemdFd);
  } else {
    absl::StatusOr<UniqueFd> locked = Lock(arguments.socket);
    if (!locked.ok()) return locked.status();
    lock = *std::move(locked);
  }
  const absl::StatusOr<UniqueFd> signals = TakeSignals();
  if (!signals.ok()) return signals.status();
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      std::move(make_transport)(**loop, absl::StrCat(socket, ".files"));
  if (!transport.ok()) return transport.status();

  HelperOptions options;
  options.outdated = [name = ExecutableName()] {
    return IsExecutableReplaced(name);
  };
  HelperServer server(**loop, *std::move(transport), std::move(options));
  int listener = kSystemdFd;
  if (!arguments.socket.empty()) {
    const absl::StatusOr<int> made = ttrpc::ListenUnix(arguments.socket);
    if (!made.ok()) return made.status();
    listener = *made;
  }
  absl::Status status = server.Listen(listener);
  if (!status.ok()) return status;

  Helper helper(**loop, server, arguments);
  status = (*loop)->Watch(
      signals->get(), EPOLLIN,
      [&helper, fd = signals->get()](uint32_t) { helper.OnSignals(fd); });
  if (!status.ok()) return status;
  (*loop)->Run();
  // A handler that does not return would keep the process.
  static Thread* const thread = new Thread;  // Nobody joins it.
  static_cast<void>(thread->Start("exit", &ExitSoon));
  return absl::OkStatus();
}

}  // namespace

int ServeMain(const std::string& program,
              const std::vector<std::string>& arguments,
              ServedTransport transport) {
  absl::StatusOr<Arguments> parsed = Parse(arguments);
  absl::Status status = parsed.status();
  int code = 2;
  if (status.ok()) {
    status = Serve(*parsed, std::move(transport));
    code = absl::IsAlreadyExists(status) ? helper::kAlreadyServed : 1;
  }
  if (status.ok()) return 0;
  fprintf(
      stderr, "%s\n",
      ErrorLine(program, absl::StrCat("serve: ", WithCode(status))).c_str());
  return code;
}

}  // namespace external_containerizer
