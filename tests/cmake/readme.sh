#!/bin/sh
# Runs what README.md shows: readme.sh short|long SOURCE PREFIX WORK
#
# Every ```sh block runs in a copy of the source that has cnnc built in build/, with the blocks before it; every ```c block is built into a
# program (statements become its main) and every ```cmake block builds it. Blocks that take long have <!-- test: long --> before them, those
# that begin without a clone <!-- test: in an empty folder -->. A block without a mark is short, so a new one is picked up. Exit
# status 77: git is missing.
set -eu
which=$1 source=$2 prefix=$3 work=$4
command -v git >/dev/null || { echo "missing: git"; exit 77; }
rm -rf "$work"
mkdir -p "$work/blocks" "$work/clone" "$work/project"
export XDG_CACHE_HOME="$work/cache"

# Blocks in files NUMBER.LANGUAGE.KIND
awk -v dir="$work/blocks" '
    /^<!-- test: long -->$/ { kind = "long"; next }
    /^<!-- test: in an empty folder -->$/ { kind = "outside"; next }
    /^<!-- test:/ { print "README.md:" NR ": what is this mark?"; exit 1 }
    /^```/ && !file { file = sprintf("%s/%02d.%s.%s", dir, ++n, substr($0, 4) == "" ? "text" : substr($0, 4), kind ? kind : "short"); kind = ""; printf "" > file; next }
    /^```$/ { close(file); file = ""; next }
    file { print > file }' "$source/README.md"

# As a clone has it: what git knows, or, without git, all that was unpacked; committed, so that it can be cloned.
(cd "$source" && { git ls-files -z --cached --others --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print0; }) |
    (cd "$source" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\n" "$f"; done' sh) | tar -C "$source" -cf - -T - | tar -C "$work/clone" -xf -
(cd "$work/clone" && git init -q && git add -A && git -c user.name=test -c user.email=test@localhost commit -qm test)
export CNNC="$work/clone"
mkdir -p "$work/clone/build" # until a block builds it there, the cnnc under test
ln -sf "$prefix/bin/cnnc" "$work/clone/build/cnnc"

run() { # BLOCK FOLDER
    echo "== $(basename "$1") =="
    cat "$1"
    (cd "$2" && sh -eux "$1") >"$work/log" 2>&1 </dev/null || { cat "$work/log"; echo "failed: $1"; exit 1; }
    tail -n 6 "$work/log"
}

# A program of a ```c block: its #includes, then the arrays that its statements are about, then the statements.
program() {
    if grep -q 'int main(' "$1"; then cat "$1"; return; fi
    echo '#include <stdlib.h>'
    grep '^#include' "$1"
    echo 'static unsigned char images[64 * MNIST_INPUT];'
    echo 'static float one_hot[64 * MNIST_OUTPUT], probabilities[64 * MNIST_OUTPUT];'
    echo 'int main(void) {'
    grep -v '^#include' "$1"
    echo 'return !(loss >= 0) || !p || !(probabilities[0] >= 0); }'
}

count=0
cp "$source/examples/mnist/mnist.net" "$work/project"
for block in "$work"/blocks/*; do
    case $which:$block in
    short:*.text.short) # the description that the page begins with, and no other, is a whole one
        ! head -n 1 "$block" | grep -q '^network ' || "$prefix/bin/cnnc" summary "$block" >/dev/null
        continue
        ;;
    *.text.*) continue ;;
    short:*.c.short)
        echo "== $(basename "$block") =="
        program "$block" >"$work/project/app.c"
        (cd "$work/project" && "$prefix/bin/cnnc" mnist.net -o mnist_net.c && cc -O2 -I"$source/runtime" app.c mnist_net.c -lm -o program && ./program)
        ;;
    short:*.cmake.short) # after a ```c block
        echo "== $(basename "$block") =="
        { echo 'cmake_minimum_required(VERSION 3.20)' && echo 'project(app LANGUAGES C)' && cat "$block"; } >"$work/project/CMakeLists.txt"
        cmake -S "$work/project" -B "$work/project/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
        cmake --build "$work/project/build" >/dev/null
        "$work/project/build/app"
        ;;
    long:*.sh.outside)
        mkdir "$work/outside"
        [ "$(grep -c . "$block")" -le 6 ] || { echo "more than 6 commands: $block"; exit 1; }
        run "$block" "$work/outside"
        ;;
    short:*.sh.short | long:*.sh.long)
        [ ! -L "$work/clone/build/cnnc" ] || ! grep -q '^\./' "$block" || rm "$work/clone/build/cnnc" # it builds its own
        run "$block" "$work/clone"
        [ -e "$work/clone/build/cnnc" ] || ln -s "$prefix/bin/cnnc" "$work/clone/build/cnnc"
        ;;
    *.sh.* | *.c.* | *.cmake.*) continue ;; # of the other suite
    *) echo "a block in a language without a test: $block" && exit 1 ;;
    esac
    count=$((count + 1))
done
echo "$count blocks"
[ "$count" -gt 0 ]
