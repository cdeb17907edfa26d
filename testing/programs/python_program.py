#!/usr/bin/python3
# Copyright 2026 The External Containerizer Authors.
# SPDX-License-Identifier: Apache-2.0
"""An external containerizer program in Python.

An agent runs "python_program COMMAND", one process per command, with one
protobuf message on stdin and, for some commands, one on stdout, each behind its
length in four bytes. A container here is a session of processes. It belongs to
a supervisor that `launch` leaves behind, in a session of its own, which writes
down how the container ended. All that is known about a container lies in

    $MESOS_WORK_DIRECTORY/program/python/containers/<container id>/

    launch      locked until `launch` is over, one way or the other
    life        locked until the container has ended, and how it did
    supervisor  process id
    task        process id, which is the session's, and start time
    limits      what the agent said that the container may use

The locks are flock()s: a process that dies releases them, and one that waits
sleeps.
"""

import errno
import fcntl
import json
import os
import pwd
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from external_containerizer.containerizer.wire import (
    containerizer_pb2,
    mesos_pb2,
    statistics_pb2,
)

MAX_RECORD = 64 << 20
GRACE_SECONDS = 3  # between SIGTERM and SIGKILL


class Failure(Exception):
    """Ends the command with its text on stderr and exit code 1."""


# Records.


def read_exactly(size):
    data = sys.stdin.buffer.read(size)
    if len(data) < size:
        raise Failure(f"stdin ended after {len(data)} of {size} bytes")
    return data


def read_record(message):
    (size,) = struct.unpack("=I", read_exactly(4))
    if size > MAX_RECORD:
        raise Failure(f"a record of {size} bytes was announced")
    message.ParseFromString(read_exactly(size))
    return message


def write_record(message):
    data = message.SerializeToString()
    sys.stdout.buffer.write(struct.pack("=I", len(data)) + data)
    sys.stdout.buffer.flush()


# Processes.


class Process:
    """The contents of /proc/<pid>/stat. Raises OSError without that process."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The name, in parentheses, may hold anything.
            fields = stat.read().rpartition(b")")[2].split()
        self.pid = int(pid)
        self.ended = fields[0] in (b"Z", b"X")
        self.session = int(fields[3])
        self.user_ticks = int(fields[11]) + int(fields[13])
        self.system_ticks = int(fields[12]) + int(fields[14])
        self.threads = int(fields[17])
        self.start_time = int(fields[19])
        self.rss_pages = int(fields[21])


def session_members(session):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            process = Process(pid)
        except OSError:
            continue
        if process.session == session and not process.ended:
            yield process


def signal_session(session, number):
    """Returns a pidfd for each process that was signalled."""
    pidfds = []
    for process in session_members(session):
        try:
            pidfd = os.pidfd_open(process.pid)
        except OSError:
            continue
        pidfds.append(pidfd)
        try:
            # Another process may have got the number since.
            if Process(process.pid).session == session:
                signal.pidfd_send_signal(pidfd, number)
        except OSError:
            pass
    return pidfds


def wait_for(pidfds):
    for pidfd in pidfds:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll()
        os.close(pidfd)


def kill_session(session):
    # This repeats, because one of them may have been forking.
    while pidfds := signal_session(session, signal.SIGKILL):
        wait_for(pidfds)


# Containers.


def root():
    work_directory = os.environ.get("MESOS_WORK_DIRECTORY")
    if not work_directory:
        raise Failure("MESOS_WORK_DIRECTORY is not set")
    return os.path.join(work_directory, "program", "python")


def make_directories():
    for name in ("containers", "trash"):
        os.makedirs(os.path.join(root(), name), mode=0o700, exist_ok=True)


class Container:
    def __init__(self, container_id):
        self.id = container_id.value
        if self.id in ("", ".", "..") or "/" in self.id or "\0" in self.id:
            raise Failure(f"{self.id!r} cannot be a container's id")
        self.directory = os.path.join(root(), "containers", self.id)

    def path(self, name):
        return os.path.join(self.directory, name)

    def open(self, name, flags=os.O_RDONLY):
        return os.open(self.path(name), flags | os.O_CLOEXEC, 0o600)

    def open_once_launched(self):
        """Sleeps while launch runs; returns the open `life`, None if unknown."""
        try:
            launch = self.open("launch")
            life = self.open("life")
        except FileNotFoundError:
            return None
        fcntl.flock(launch, fcntl.LOCK_SH)
        os.close(launch)
        return life

    def known(self):
        life = self.open_once_launched()
        if life is None:
            raise Failure(f"there is no container {self.id!r}")
        return life

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def write(self, name, text):
        """A reader sees the whole file or none."""
        with open(self.path(name + ".new"), "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.path(name + ".new"), self.path(name))

    def session(self):
        """The session, if the process that leads it still exists."""
        pid, _, start_time = self.read("task").partition(" ")
        try:
            return int(pid) if Process(pid).start_time == int(start_time) else None
        except (OSError, ValueError):
            return None

    def write_limits(self, resources):
        limits = {}
        for resource in resources:
            if resource.name in ("cpus", "mem"):
                value = limits.get(resource.name, 0) + resource.scalar.value
                limits[resource.name] = value
        self.write("limits", json.dumps(limits))

    def remove(self):
        trash = tempfile.mkdtemp(dir=os.path.join(root(), "trash"))
        try:
            os.rename(self.directory, trash)
        except FileNotFoundError:
            pass  # Another destroy was faster.
        shutil.rmtree(trash, ignore_errors=True)


def is_locked(fd):
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


# The supervisor.


class Supervisor:
    def __init__(self, container, launch, life, request):
        self.container = container
        self.life = life
        self.destroyed = False
        self.task = None
        signal.signal(signal.SIGTERM, self.on_destroy)
        signal.signal(signal.SIGALRM, self.on_grace_over)
        container.write("supervisor", str(os.getpid()))
        self.task = start_task(request)
        start_time = Process(self.task).start_time
        container.write("task", f"{self.task} {start_time}")
        os.close(launch)

    def on_destroy(self, *_):
        self.destroyed = True
        if self.task is not None:
            for pidfd in signal_session(self.task, signal.SIGTERM):
                os.close(pidfd)
            signal.alarm(GRACE_SECONDS)

    def on_grace_over(self, *_):
        for pidfd in signal_session(self.task, signal.SIGKILL):
            os.close(pidfd)

    def run(self):
        # The session keeps its number until its leader is reaped.
        os.waitid(os.P_PID, self.task, os.WEXITED | os.WNOWAIT)
        kill_session(self.task)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.alarm(0)
        status = os.waitpid(self.task, 0)[1]
        end = {"status": status, "destroyed": self.destroyed}
        os.write(self.life, json.dumps(end).encode())
        os.fsync(self.life)


def start_task(request):
    """Returns the process id; raises OSError or Failure if it cannot start."""
    if request.executor_info.HasField("command"):
        command = request.executor_info.command
    elif request.task_info.HasField("command"):
        command = request.task_info.command
    else:
        raise Failure("neither the executor nor the task has a command")
    if command.shell:
        argv, executable = ["sh", "-c", command.value], "/bin/sh"
    else:
        argv = list(command.arguments) or [command.value]
        executable = command.value
    environment = dict(os.environ)
    for variable in command.environment.variables:
        environment[variable.name] = variable.value

    as_user = {}
    if request.user:
        try:
            user = pwd.getpwnam(request.user)
        except KeyError:
            raise Failure(f"there is no user {request.user!r}") from None
        if user.pw_uid != os.geteuid():
            groups = os.getgrouplist(user.pw_name, user.pw_gid)
            as_user = dict(
                user=user.pw_uid, group=user.pw_gid, extra_groups=groups
            )

    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    output, errors = (
        os.open(os.path.join(request.directory, name), flags, 0o644)
        for name in ("stdout", "stderr")
    )
    try:
        task = subprocess.Popen(
            argv,
            executable=executable,
            cwd=request.directory,
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            **as_user,
        )
    finally:
        os.close(output)
        os.close(errors)
    task.returncode = 0  # The supervisor reaps it, not Popen.
    return task.pid


def supervise(container, launch, life, report, request):
    """The life of the process that launch leaves behind."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.chdir("/")
    try:
        supervisor = Supervisor(container, launch, life, request)
    except Exception as error:  # pylint: disable=broad-except
        os.write(report, str(error).encode())
        return
    os.close(report)
    supervisor.run()


# The commands.


def launch():
    request = read_record(containerizer_pb2.Launch())
    container = Container(request.container_id)
    make_directories()
    # It appears under its name with both locks held.
    made = tempfile.mkdtemp(dir=os.path.join(root(), "trash"))
    locks = []
    for name in ("launch", "life"):
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        locks.append(os.open(os.path.join(made, name), flags, 0o600))
        fcntl.flock(locks[-1], fcntl.LOCK_EX)
    try:
        os.rename(made, container.directory)
    except OSError as error:
        shutil.rmtree(made)
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise Failure(f"container {container.id!r} exists") from None
        raise
    container.write_limits(request.executor_info.resources)

    problem, report = os.pipe()
    if os.fork() == 0:
        try:
            os.close(problem)
            supervise(container, *locks, report, request)
        finally:
            os._exit(0)
    os.close(report)
    for lock in locks:
        os.close(lock)
    # At the end of the pipe the task runs, or the reason why not is known.
    with open(problem, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if text or not container.read("task"):
        container.remove()
        raise Failure(text or "the supervisor died")


def update():
    request = read_record(containerizer_pb2.Update())
    container = Container(request.container_id)
    os.close(container.known())
    container.write_limits(request.resources)


def usage():
    request = read_record(containerizer_pb2.Usage())
    container = Container(request.container_id)
    life = container.known()
    session = container.session()
    if session is None or not is_locked(life):
        return  # It has ended: there are no data now.
    ticks_per_second = os.sysconf("SC_CLK_TCK")
    members = list(session_members(session))
    limits = json.loads(container.read("limits") or "{}")
    answer = statistics_pb2.ResourceStatistics()
    answer.timestamp = time.time()
    answer.cpus_user_time_secs = (
        sum(process.user_ticks for process in members) / ticks_per_second
    )
    answer.cpus_system_time_secs = (
        sum(process.system_ticks for process in members) / ticks_per_second
    )
    answer.mem_rss_bytes = (
        sum(process.rss_pages for process in members) * os.sysconf("SC_PAGE_SIZE")
    )
    answer.processes = len(members)
    answer.threads = sum(process.threads for process in members)
    if "cpus" in limits:
        answer.cpus_limit = limits["cpus"]
    if "mem" in limits:
        answer.mem_limit_bytes = int(limits["mem"] * (1 << 20))
    write_record(answer)


def wait():
    request = read_record(containerizer_pb2.Wait())
    container = Container(request.container_id)
    life = container.known()
    fcntl.flock(life, fcntl.LOCK_SH)
    # This reads the open file, because a destroy may have removed its name.
    end = json.loads(os.pread(life, 4096, 0) or b"{}")
    # Old agents demand `killed`, which means "used too much memory", and
    # `message`; newer ones look at `state`.
    answer = containerizer_pb2.Termination(killed=False)
    if "status" not in end:
        answer.message = "the container's supervisor died before it"
        answer.state = mesos_pb2.TASK_FAILED
    else:
        status = answer.status = end["status"]
        if os.WIFSIGNALED(status):
            answer.message = f"killed by signal {os.WTERMSIG(status)}"
        else:
            answer.message = f"exited with {os.WEXITSTATUS(status)}"
        if end["destroyed"]:
            answer.state = mesos_pb2.TASK_KILLED
        elif status == 0:
            answer.state = mesos_pb2.TASK_FINISHED
        else:
            answer.state = mesos_pb2.TASK_FAILED
    write_record(answer)


def destroy():
    request = read_record(containerizer_pb2.Destroy())
    container = Container(request.container_id)
    life = container.open_once_launched()
    if life is None:
        return  # Gone already, which is what was asked for.
    try:
        supervisor = os.pidfd_open(int(container.read("supervisor")))
    except (OSError, ValueError):
        supervisor = None
    # The number is the supervisor's while the lock is held.
    if supervisor is not None and is_locked(life):
        try:
            signal.pidfd_send_signal(supervisor, signal.SIGTERM)
        except ProcessLookupError:
            pass
        fcntl.flock(life, fcntl.LOCK_SH)
    session = container.session()
    if session is not None:
        kill_session(session)  # The supervisor died, the task lives.
    container.remove()


def containers():
    answer = containerizer_pb2.Containers()
    directory = os.path.join(root(), "containers")
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        answer.containers.add(value=name)
    write_record(answer)


def recover():
    """Only the disk knows anything, so there is nothing to recover."""
    make_directories()
    for name in os.listdir(os.path.join(root(), "trash")):
        trash = os.path.join(root(), "trash", name)
        shutil.rmtree(trash, ignore_errors=True)


COMMANDS = {
    "launch": launch,
    "update": update,
    "usage": usage,
    "wait": wait,
    "destroy": destroy,
    "containers": containers,
    "recover": recover,
}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        print(f"usage: {sys.argv[0]} {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        COMMANDS[sys.argv[1]]()
    except Exception as error:  # pylint: disable=broad-except
        print(f"python_program {sys.argv[1]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
