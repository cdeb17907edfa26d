#!/bin/sh
# old_release.sh OLD NEW: OLD and NEW are binaries of posix, OLD of an earlier release. OLD launches
# containers; NEW lists them, asks for them, waits for them and destroys them while the supervisors
# of OLD run. Needs protoc, and is started in the top directory of the tree. Prints "ok" and exits
# with 0, or says what fails.
set -u
[ $# = 2 ] || { echo "usage: $0 OLD NEW" >&2; exit 2; }
old=$1 new=$2
dir=$(mktemp -d) || exit 2
mkdir "$dir/work" "$dir/sandbox" && ln -s "$PWD" "$dir/external_containerizer"
export MESOS_WORK_DIRECTORY="$dir/work"

# message MESSAGE TEXT: a record on stdout.
message() {
  (cd "$dir" && printf '%s' "$2" | protoc -I. --encode="external_containerizer.wire.$1" \
    external_containerizer/containerizer/wire/containerizer.proto) >"$dir/message" || exit 2
  size=$(wc -c <"$dir/message")
  printf "$(printf '\\%03o\\%03o\\000\\000' $((size % 256)) $((size / 256)))"
  cat "$dir/message"
}
launch() {
  message Launch "container_id { value: '$1' } directory: '$dir/sandbox' slave_id { value: 's' }
    slave_pid: 'slave@127.0.0.1:5051' checkpoint: false
    executor_info { executor_id { value: 'e' } framework_id { value: 'f' } command { value: '$2' } }" |
    "$old" launch || fail "OLD cannot launch $1"
}
about() { message "$2" "container_id { value: '$3' }" | "$new" "$1"; }
fail() { echo "falls short: $*"; status=1; finish; }
finish() {
  for id in one two three; do message Destroy "container_id { value: '$id' }" | "$old" destroy; done 2>/dev/null
  rm -rf "$dir"
  exit "${status:-0}"
}

launch one 'sleep 2; exit 5'
launch two 'exec sleep 1000'
launch three 'exit 6'
"$new" recover || fail "recover"
for id in one two three; do "$new" containers | grep -aq "$id" || fail "$id is not listed"; done
[ "$(about usage Usage two | wc -c)" -gt 4 ] || fail "no usage of two"
# The end of "one" is written after NEW has begun to wait.
about wait Wait one | grep -aq 'exited with code 5' || fail "the end of one"
about wait Wait three | grep -aq 'exited with code 6' || fail "the end of three"
about destroy Destroy two || fail "destroy of two"
for id in one three; do about destroy Destroy $id || fail "destroy of $id"; done
[ "$("$new" containers | wc -c)" = 4 ] || fail "something is left"
echo ok
finish
