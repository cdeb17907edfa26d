#!/bin/sh
# Copyright 2026 The External Containerizer Authors.
# SPDX-License-Identifier: Apache-2.0

# The first process of the machine that cgroup_layouts_test starts, whose root
# is the host's, read-only:
#
#   guest_init.sh LAYOUT PROGRAM [ARGUMENT...]
#
# Mounts what a machine has, with cgroups in one of these layouts, runs the
# program, and turns the machine off:
#
#   unified    version 2 alone, and the program in the root cgroup, where
#              processes and cgroups go together
#   delegated  the same, but the program in /agent/main, and
#              $POSIX_TEST_CGROUP_PARENT is the empty /agent/containers, as
#              systemd's Delegate=yes is meant to be used
#   occupied   the same, but the program in /agent, which can have no cgroups
#              with limits below itself
#   legacy     version 1 alone, cpu and cpuacct in one, as distributions have it
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
layout=$1
shift

prepare() {
  mount -t proc proc /proc || return
  mount -t sysfs sysfs /sys || return
  # What tests write. Everybody may come here; not so to where Bazel runs them.
  mount -t tmpfs -o mode=755 tmpfs /mnt || return
  case $TEST_SRCDIR in
    /tmp/*) ;;
    *) mount -t tmpfs -o mode=1777 tmpfs /tmp || return ;;
  esac
  export TEST_TMPDIR=/mnt TMPDIR=/mnt HOME=/mnt
  export GTEST_COLOR=no
  "mount_$layout"
}

mount_unified() { mount -t cgroup2 cgroup2 /sys/fs/cgroup; }

delegate() {
  echo '+memory +cpu +pids' >"/sys/fs/cgroup$1/cgroup.subtree_control"
}

join() { echo 0 >"/sys/fs/cgroup$1/cgroup.procs"; }

mount_delegated() {
  mount_unified || return
  mkdir -p /sys/fs/cgroup/agent/main /sys/fs/cgroup/agent/containers
  delegate '' && delegate /agent && join /agent/main || return
  export POSIX_TEST_CGROUP_PARENT=/agent/containers
}

mount_occupied() {
  mount_unified || return
  mkdir /sys/fs/cgroup/agent
  delegate '' && join /agent
}

mount_legacy() {
  mount -t tmpfs tmpfs /sys/fs/cgroup || return
  for controllers in cpu,cpuacct memory pids; do
    mkdir "/sys/fs/cgroup/$controllers" || return
    mount -t cgroup -o "$controllers" cgroup "/sys/fs/cgroup/$controllers" ||
      return
  done
}

echo 'guest: started'
if prepare; then
  "$@" </dev/null 2>&1
  echo "guest: exit status $?"
fi
echo o >/proc/sysrq-trigger
# The kernel has no use for itself without its first process.
exec sleep 60
