#!/bin/sh
# A project of 'cnnc new', built with an installed cnnc and run: new.sh PREFIX WORK
# and what it refuses, which leaves nothing behind.
set -eu
prefix=$1 work=$2
rm -rf "$work"
mkdir -p "$work/empty"
cd "$work"
wrong() { cat said; echo "wrong: $1"; exit 1; }

"$prefix/bin/cnnc" new rings >said
[ "$(ls -A rings | tr '\n' ' ')" = "CMakeLists.txt README.md main.c rings.net " ] || wrong "its files: $(ls -A rings)"
"$prefix/bin/cnnc" fmt --check rings/rings.net >said || wrong "rings.net is not formatted"
cmake -S rings -B rings/build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror" >said 2>&1 || wrong "cmake"
cmake --build rings/build >said 2>&1 || wrong "it does not build"
rings/build/train >said 2>&1 || wrong "it does not train"
tr '\r' '\n' <said | sed 's/.*loss:* \([0-9.]*\).*/\1/;t;d' >losses # all that were shown: in the first epochs and at the end
awk 'NR == 1 { first = $1 } { last = $1 } END { exit !(NR > 20 && last < first / 2) }' losses || wrong "the loss does not fall"
awk '/other points/ { exit !($NF > 0.9) }' said || wrong "it has not learnt"
grep -q 'other points' said || wrong "no test"
[ -s rings.safetensors ] || wrong "no weights"

# What is there stays.
cp -r rings before
for name in rings said; do
    status=0
    "$prefix/bin/cnnc" new "$name" 2>refused >&2 || status=$?
    [ "$status" = 3 ] && grep -q "cannot make $name: it is there already" refused || wrong "$name was taken: $status"
done
diff -r before rings

# No names, and a disk that is full: nothing is left.
cd empty
: >../said
for name in class NULL SIZE_MAX cnnc cnnc_net 1st a-b a/b ../up 'a b' '' "a$(printf '%063d' 0)" 'a
input 3'; do
    status=0
    "$prefix/bin/cnnc" new "$name" >../said 2>&1 || status=$?
    [ "$status" = 2 ] && grep -q "cannot be\|at most 63\|control character" ../said || { cd ..; wrong "the name '$name': $status"; }
done
status=0
(trap '' XFSZ && ulimit -f 0 && exec "$prefix/bin/cnnc" new full) 2>/dev/null >&2 || status=$?
[ "$status" = 3 ] || { cd ..; wrong "a full disk: $status"; }
[ -z "$(ls -A)" ] || { cd ..; wrong "left behind"; }
[ ! -e ../up ] || wrong "a folder elsewhere"
echo "fine"
