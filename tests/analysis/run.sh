#!/bin/sh
# Analyses of compiler/, runtime/ and tools/; any finding is a failure.
# usage: tests/analysis/run.sh [warnings|analyzer|cppcheck|tidy|asan|tsan|msan ...]       (all of them)
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tools/packages.sh"
need_packages gcc g++ libc6-dev clang clang-tidy cppcheck cmake ninja-build zlib1g-dev libzip-dev libcmocka-dev python3 libpng-dev libjpeg62-turbo-dev
need_packages pkg-config libhdf5-dev libjansson-dev libprotobuf-c-dev protobuf-c-compiler # cnnc import and export
cd "$root"
build=$root/build
jobs=${JOBS:-$(nproc)}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
sources() { ls compiler/*.c compiler/*/*.c runtime/*.c tools/*/*.c; }

# The functions below are called where "set -e" does not count: each step of theirs says what its failure does.
# Fails when the command fails or says anything.
silent() {
    "$@" >"$log" 2>&1 && [ ! -s "$log" ] && return
    cat "$log"
    return 1
}

build_of() { # PRESET [TARGET ...]
    preset=$1
    shift
    cmake --preset "$preset" -G Ninja -DBUILD_TESTING=ON >/dev/null || return 1
    cmake --build "$build/$preset" --parallel "$jobs" ${1:+--target "$@"} >"$log" 2>&1 || { cat "$log"; return 1; }
}

# gcc's and clang's warnings, in tests too, where both presets have them as errors
run_warnings() {
    build_of gcc && build_of clang
}

# Not -Wanalyzer-malloc-leak: of gcc 12 it loses what is kept in an array; the sanitizer of leaks (asan) does not.
run_analyzer() {
    cmake --preset gcc -B "$build/analyzer" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O1 -fanalyzer -Wno-analyzer-malloc-leak -Werror" >/dev/null || return 1
    cmake --build "$build/analyzer" --parallel "$jobs" --target cnnc cnnc_runtime cnnc-images cnnc-import cnnc-export >"$log" 2>&1 || { cat "$log"; return 1; }
}

# autoVariables: the template engine's frames point at those before them on the stack, which is what they are for.
# invalidFunctionArg: the logarithm of a sum, which it takes for that of no elements.
# Of other projects' headers only jansson.h, whose loop is a macro.
run_cppcheck() {
    mkdir -p "$build/cppcheck" && ln -sf /usr/include/jansson.h "$build/cppcheck" || return 1
    silent cppcheck -q --std=c11 --error-exitcode=1 --enable=warning,performance,portability -D__GNUC__=12 -DCNNC_ZLIB -DCNNC_LIBZIP \
        --suppress=autoVariables:compiler/template.c --suppress=invalidFunctionArg:compiler/ops/categorical_crossentropy.c \
        -Icompiler -Iruntime -Itools/images -Itools/import -Itools/export -Itools/shared -I"$build/cppcheck" compiler runtime tools
}

# One file at a time: in one process clang 14 carries its notion of va_list from file to file.
run_tidy() {
    build_of clang || return 1
    sources | xargs -P "$jobs" -n 1 clang-tidy --quiet -p "$build/clang" >"$log" 2>/dev/null || { cat "$log"; return 1; }
}

run_asan() {
    build_of asan && ctest --preset asan --parallel "$jobs"
}

# What has threads: the runtime's pool and what trains on it.
run_tsan() {
    build_of tsan && ctest --preset tsan --parallel "$jobs"
}

# The compiler reads every network and prints every stage; it writes the C as well.
run_msan() {
    build_of msan cnnc || return 1
    for net in tests/nets/*.net tests/nets/*/*.net tests/optimizers/*.net examples/*/*.net tests/golden/errors/*.net tests/golden/warnings/*.net; do
        for options in --emit=parse --emit=build --emit=plan --emit=c "--inference --emit=c"; do
            status=0
            # shellcheck disable=SC2086 # words
            "$build/msan/cnnc" "$net" $options >/dev/null 2>"$log" || status=$?
            if [ "$status" -gt 1 ] || grep -q MemorySanitizer "$log"; then
                echo "$net $options: exit status $status"
                cat "$log"
                return 1
            fi
        done
    done
}

[ $# -gt 0 ] || set -- warnings analyzer cppcheck tidy msan tsan asan
failed=
for name in "$@"; do
    case $name in
    warnings | analyzer | cppcheck | tidy | asan | tsan | msan) ;;
    *) echo "unknown analysis: $name" >&2; exit 2 ;;
    esac
    echo "== $name"
    ("run_$name") || failed="$failed $name"
done
[ -z "$failed" ] || { echo "findings:$failed" >&2; exit 1; }
echo "no findings"
