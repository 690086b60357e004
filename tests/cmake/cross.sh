#!/bin/sh
# An application for aarch64, whose network this machine's cnnc compiles, computes what the same application does here:
# cross.sh SOURCE CNNC WORK. Exit status 77: no compiler for aarch64, or no qemu to run what it makes.
set -eu
source=$1 cnnc=$2 work=$3
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $tool >/dev/null || { echo "missing: $tool"; exit 77; }
done
rm -rf "$work"
mkdir -p "$work"
build() { # FOLDER OPTION ...
    folder=$work/$1
    shift
    cmake -S "$source/tests/cmake/cross" -B "$folder" -DCNNC_SOURCE="$source" -DCNNC_EXECUTABLE="$cnnc" -DCMAKE_BUILD_TYPE=Release "$@" >"$work/log" 2>&1 &&
        cmake --build "$folder" --target cross --parallel 2 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}
build here
build there -DCMAKE_TOOLCHAIN_FILE="$source/tests/cmake/cross/aarch64.cmake"
[ ! -e "$work/there/cnnc/cnnc" ] || { echo "cnnc itself was built for aarch64"; exit 1; }
"$work/here/cross" >"$work/here.txt"
qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/there/cross" >"$work/there.txt"
paste "$work/here.txt" "$work/there.txt" | awk '
    { d = $1 - $2; if (d < 0) d = -d; if (d > worst) worst = d; if (NF != 2 || $1 == "nan" || $2 == "nan") wrong = 1 }
    NR == 1 { first = $1 }
    NR == 10 && !($1 < first) { print "nothing was learnt"; wrong = 1 }
    END { print NR " numbers, the largest difference is " worst; exit wrong || NR != 298 || worst > 1e-5 }'
