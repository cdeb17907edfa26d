#!/bin/sh
# Prints the C++ of README.md that contains WORD; with HEAD as the body of a
# function.
#   readme_code.sh README.md WORD [HEAD]
set -eu
code=$(awk -v word="$2" '
  /^```cpp/ { inside = 1; text = ""; next }
  /^```/    { if (inside && index(text, word)) print text; inside = 0 }
  inside    { text = text $0 "\n" }' "$1")
[ -n "$code" ] || { echo "$1: no C++ with $2" >&2; exit 1; }
if [ $# -eq 2 ]; then
  printf '%s\n' "$code"
else
  printf '%s\n' "$code" | grep '^#include'
  printf '%s {\n' "$3"
  printf '%s\n' "$code" | grep -v '^#include'
  printf '}\n'
fi
