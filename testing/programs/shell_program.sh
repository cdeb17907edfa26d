#!/bin/sh
# Copyright 2026 The External Containerizer Authors.
# SPDX-License-Identifier: Apache-2.0

# An external containerizer program in POSIX shell: no protobuf library, only
# od, head, tail, wc, date and env, and of util-linux flock, setsid and setpriv.
# It shows how little the protocol needs. A container is a session of processes;
# `launch` leaves a supervisor behind, which writes down how it ended. In
#
#     $MESOS_WORK_DIRECTORY/program/shell/c=<container id>/
#
#     launch  flock()ed until `launch` is over, one way or the other
#     life    flock()ed until the container has ended; then says how
#     task    process id, which is the session's, and start time
set -eu

grace=3  # seconds between SIGTERM and SIGKILL
newline='
'

fail() {
  printf 'shell_program: %s\n' "$*" >&2
  exit 1
}

# --- Reading: a record is a length in 4 bytes, and a protobuf message.

# Keeps the message of the record on stdin as descriptor 5, a file without a
# name, and its size in $size.
read_record() {
  record=$(mktemp)
  # shellcheck disable=SC2094
  exec 4>"$record" 5<"$record"
  rm "$record"
  record=/dev/fd/5
  # shellcheck disable=SC2046
  set -- $(head -c 4 | od -An -v -tu1)
  [ $# -eq 4 ] || fail 'stdin ended inside the length of the record'
  size=$(($1 | $2 << 8 | $3 << 16 | $4 << 24))
  [ "$size" -le 67108864 ] || fail "a record of $size bytes was announced"
  head -c "$size" >&4
  exec 4>&-
  [ "$(wc -c <"$record")" -eq "$size" ] || fail 'stdin ended inside the record'
}

# Sets $value to the varint at offset $1, and $next to the offset behind it.
varint() {
  value=0 shift=0 next=$1
  for byte in $(od -An -v -tu1 -j "$1" -N 10 "$record"); do
    next=$((next + 1))
    value=$((value | (byte & 127) << shift))
    [ "$byte" -ge 128 ] || return 0
    shift=$((shift + 7))
  done
  fail 'the message ends inside a number'
}

# Prints each value of the field numbered $2 in the message $1, which is
# START:END, the offsets in the file. A number is printed as it is, and a string
# or a message as START:END. Other values are skipped.
fields() (
  next=${1%:*}
  while [ "$next" -lt "${1#*:}" ]; do
    varint "$next"
    number=$((value >> 3))
    case $((value & 7)) in
      0) varint "$next" && found=$value ;;
      1) next=$((next + 8)) found='' ;;
      2)
        varint "$next"
        if [ "$value" -lt 0 ] || [ "$value" -gt "$size" ]; then
          fail 'the message is damaged'
        fi
        found=$next:$((next + value))
        next=$((next + value))
        ;;
      5) next=$((next + 4)) found='' ;;
      *) fail 'the message is damaged' ;;
    esac
    [ "$next" -le "${1#*:}" ] || fail 'the message is damaged'
    [ "$number" -ne "$2" ] || printf '%s\n' "$found"
  done
)

# The last value of the field: field START:END NUMBER
field() {
  values=$(fields "$1" "$2")
  printf '%s\n' "${values##*"$newline"}"
}

# Sets $text to the bytes at START:END, with newlines at the end.
text() {
  text=''
  [ -n "$1" ] || return 0
  text=$(tail -c "+$((${1%:*} + 1))" "$record" |
    head -c "$((${1#*:} - ${1%:*}))" && echo .)
  text=${text%.}
}

# Sets $text to the text of a field: text_field START:END NUMBER
text_field() {
  range=$(field "$1" "$2")
  text "$range"
}

# Reads the record of any command and sets $message, $id and $state.
read_request() {
  read_record
  message=0:$size
  container_id=$(field "$message" 1)
  [ -n "$container_id" ] || fail 'the message names no container'
  text_field "$container_id" 1
  id=$text
  case $id in
    '' | */*) fail "this cannot be a container's id" ;;
  esac
  # The shell drops NUL bytes.
  [ "$(printf %s "$id" | wc -c)" -eq $((${range#*:} - ${range%:*})) ] ||
    fail "this cannot be a container's id"
  state=$root/c=$id
}

# --- Writing.

out='' out_size=0

put_byte() {
  out="$out\\$(($1 / 64))$(($1 / 8 % 8))$(($1 % 8))"
  out_size=$((out_size + 1))
}

put_varint() {
  rest=$1
  while [ "$rest" -ge 128 ]; do
    put_byte $((rest & 127 | 128))
    rest=$((rest >> 7))
  done
  put_byte "$rest"
}

# Numbers and strings: put_number FIELD NUMBER, put_text FIELD STRING
put_number() { put_varint $(($1 << 3)) && put_varint "$2"; }

put_text() {
  put_varint $(($1 << 3 | 2))
  put_varint "$(printf %s "$2" | wc -c)"
  for byte in $(printf %s "$2" | od -An -v -tu1); do put_byte "$byte"; done
}

# A double: put_hundredths FIELD NUMBER, which is divided by 100. The mantissa
# gets 53 bits; the first bit is not stored.
put_hundredths() {
  put_varint $(($1 << 3 | 1))
  scaled=$2 exponent=1075 bits=0
  if [ "$scaled" -gt 0 ]; then
    while [ "$scaled" -lt $((100 << 52)) ]; do
      scaled=$((scaled << 1)) exponent=$((exponent - 1))
    done
    bits=$((exponent << 52 | scaled / 100 & (1 << 52) - 1))
  fi
  for shift in 0 8 16 24 32 40 48 56; do
    put_byte $((bits >> shift & 255))
  done
}

write_record() {
  length='' size=$out_size
  for byte in 0 8 16 24; do
    byte=$((size >> byte & 255))
    length="$length\\$((byte / 64))$((byte / 8 % 8))$((byte % 8))"
  done
  # shellcheck disable=SC2059
  printf "$length$out"
}

# --- Processes.

# Sets $stat to the fields of /proc/$pid/stat from `state` on, or to nothing if
# the process is gone. The name before them may contain anything, so they begin
# after the last ")".
read_stat() {
  stat=''
  { while IFS= read -r line; do stat=$line; done <"/proc/$pid/stat"; } \
    2>/dev/null || :
  stat=${stat##*) }
}

# Prints the processes of session $1 that have not ended.
members() {
  session=$1
  for pid in /proc/[0-9]*; do
    pid=${pid#/proc/}
    read_stat
    # shellcheck disable=SC2086
    set -- $stat
    case ${4:-} in
      "$session") [ "$1" = Z ] || echo "$pid" ;;
    esac
  done
}

start_time() {
  pid=$1
  read_stat
  # shellcheck disable=SC2086
  set -- $stat
  echo "${20:-}"
}

# kill_members SIGNAL SESSION
kill_members() {
  for pid in $(members "$2"); do kill -s "$1" "$pid" 2>/dev/null || :; done
}

# Returns when no process of session $1 is left, not even one that was forking.
end_session() {
  while [ -n "$(members "$1")" ]; do kill_members KILL "$1"; done
}

# Opens `life` as descriptor 7 once launch is over. False if there is none.
open_container() {
  # `command`, because a failing `exec` would end the shell.
  { command exec 6<"$state/launch" 7<"$state/life"; } 2>/dev/null || return 1
  flock -s 6
  exec 6<&-
}

is_alive() { ! flock -s -n 7; }

# Sets $task if the process that leads the session still exists.
read_task() {
  task='' started=''
  { read -r task started <"$state/task"; } 2>/dev/null || :
  if [ -z "$task" ] || [ "$(start_time "$task")" != "$started" ]; then
    task=''
  fi
}

# --- The commands.

launch() {
  read_request
  text_field "$message" 4
  sandbox=$text
  text_field "$message" 5
  user=$text

  # executor_info.command, else task_info.command.
  command=''
  for number in 3 2; do
    info=$(field "$message" "$number")
    if [ -n "$info" ] && [ -z "$command" ]; then command=$(field "$info" 7); fi
  done
  [ -n "$command" ] || fail 'neither the executor nor the task has a command'

  # The words of the command are collected in "$@".
  text_field "$command" 3
  with_shell=$(field "$command" 6)
  if [ "$with_shell" = 0 ]; then
    # The first argument is the program's own name, which sh cannot set.
    name=$text
    arguments=$(fields "$command" 7)
    set --
    for argument in $arguments; do
      text "$argument"
      set -- "$@" "$text"
    done
    [ $# -eq 0 ] || shift
    set -- "$name" "$@"
  else
    set -- sh -c "$text"
  fi
  environment=$(field "$command" 2)
  variables=${environment:+$(fields "$environment" 1)}
  for variable in $variables; do
    text_field "$variable" 1
    name=$text
    text_field "$variable" 2
    set -- "$name=$text" "$@"
  done
  set -- env "$@"
  if [ -n "$user" ] && [ "$user" != "$(id -un)" ]; then
    group=$(id -g -- "$user") || fail "there is no such user"
    set -- setpriv --reuid="$user" --regid="$group" --init-groups "$@"
  fi

  mkdir -p "$root"
  mkdir "$state" || fail 'the container exists, or cannot be made'
  exec 8>"$state/launch" 9>"$state/life"
  flock 8
  flock 9
  setsid "$self" supervise "$state" "$sandbox" "$@" \
    </dev/null >/dev/null 2>&1 5<&- &
  # From now on only the supervisor holds the locks.
  exec 8>&- 9>&-
  flock -s "$state/launch" true
  if [ ! -s "$state/task" ]; then
    rm -rf "$state"
    fail "cannot write in the sandbox, $sandbox"
  fi
}

# The process that launch leaves behind: supervise STATE SANDBOX COMMAND...
supervise() {
  state=$1 sandbox=$2
  shift 2
  cd "$sandbox"
  : >>stdout
  : >>stderr
  setsid "$@" >>stdout 2>>stderr 8>&- 9>&- &
  task=$!
  cd /
  echo "$task $(start_time "$task")" >"$state/task"
  exec 8>&-
  code=0
  wait "$task" || code=$?
  end_session "$task"
  # The shell says 128 + number for a signal; waitpid() says the number.
  if [ "$code" -gt 128 ] && [ "$code" -le 192 ]; then
    echo $((code - 128)) >&9
  else
    echo $((code << 8)) >&9
  fi
}

update() {
  read_request
  open_container || fail 'there is no such container'
}

usage() {
  read_request
  open_container || fail 'there is no such container'
  read_task
  # It has ended, so it has no data now.
  if [ -z "$task" ] || ! is_alive; then return 0; fi
  user_ticks=0 system_ticks=0 pages=0 processes=0
  for pid in $(members "$task"); do
    read_stat
    # shellcheck disable=SC2086
    set -- $stat
    [ $# -gt 22 ] || continue
    user_ticks=$((user_ticks + ${12} + ${14}))
    system_ticks=$((system_ticks + ${13} + ${15}))
    pages=$((pages + ${22}))
    processes=$((processes + 1))
  done
  ticks_per_second=$(getconf CLK_TCK)
  put_hundredths 1 "$(date +%s)00"
  put_hundredths 2 $((user_ticks * 100 / ticks_per_second))
  put_hundredths 3 $((system_ticks * 100 / ticks_per_second))
  put_number 5 $((pages * $(getconf PAGESIZE)))
  put_number 30 "$processes"
  write_record
}

wait_for_end() {
  read_request
  open_container || fail 'there is no such container'
  flock -s 7
  status=''
  # This reads the open file, because a destroy may have removed its name.
  read -r status <&7 || :
  # Old agents demand `killed`, which means "used too much memory", and
  # `message`; newer ones look at `state`: 2 is finished, 3 failed.
  put_number 1 0
  case $status in
    '')
      put_text 2 'the supervisor of the container died before it'
      put_number 4 3
      ;;
    *)
      if [ $((status & 127)) -eq 0 ]; then
        put_text 2 "exited with $((status >> 8))"
      else
        put_text 2 "killed by signal $status"
      fi
      put_number 3 "$status"
      put_number 4 $((status == 0 ? 2 : 3))
      ;;
  esac
  write_record
}

destroy() {
  read_request
  # A container that is gone already is as wanted.
  if ! open_container; then
    rm -rf "$state" # What a launch that was killed may have left.
    return 0
  fi
  read_task
  if [ -n "$task" ]; then
    # It may still be on its way into its session.
    kill -s TERM "$task" 2>/dev/null || :
    kill_members TERM "$task"
    if ! flock -s -w "$grace" 7; then kill_members KILL "$task"; fi
    end_session "$task"
  fi
  flock -s 7
  rm -rf "$state"
}

containers() {
  for state in "$root"/c=*; do
    [ -d "$state" ] || continue
    id=${state##*/c=}
    # A message with one string: a tag, the string's length, and the string.
    length=$(printf %s "$id" | wc -c)
    put_varint 10
    put_varint $((length + (length < 128 ? 2 : 3)))
    put_text 1 "$id"
  done
  write_record
}

case $0 in
  /*) self=$0 ;;
  *) self=$PWD/$0 ;;
esac
if [ "${1:-}" = supervise ]; then
  shift
  supervise "$@"
  exit
fi
root=${MESOS_WORK_DIRECTORY:?is not set}/program/shell
case ${1:-} in
  launch | update | usage | destroy | containers) "$1" ;;
  wait) wait_for_end ;;
  recover) mkdir -p "$root" ;;  # Only the disk knows anything.
  *)
    echo "usage: $0 launch|update|usage|wait|destroy|containers|recover" >&2
    exit 2
    ;;
esac
