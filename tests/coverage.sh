#!/bin/sh
# Runs the tests in a build that counts (preset coverage) and prints lines and branches reached of compiler/ and runtime/.
# usage: tests/coverage.sh [--report] [ctest arguments]     --report: only prints what earlier runs counted
# Not among the tests: cnnc in other projects' builds (cmake_*), which need a compiler without counters.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/packages.sh"
need_packages gcc g++ libc6-dev clang cmake ninja-build zlib1g-dev libzip-dev libcmocka-dev gcovr
cd "$root"
build=$root/build/coverage
status=0
if [ "${1:-}" = --report ]; then
    shift
else
    cmake --preset coverage -G Ninja -DBUILD_TESTING=ON >/dev/null
    cmake --build --preset coverage --parallel "$(nproc)" >/dev/null
    find "$build" -name '*.gcda' -delete
    ctest --preset coverage --parallel "$(nproc)" "$@" || status=$?
fi
# Not counted: what is reached only by a bug of ours, and what is said when memory ends.
unreachable='.*(\bbug\(|"[^"]*no memory for|out_of_memory\().*'
report() {
    gcovr --root "$root" --object-directory "$build" --exclude-unreachable-branches --exclude-throw-branches \
        --exclude-lines-by-pattern "$unreachable" "$@" "$build/CMakeFiles"
}
# Of parser, escaping and readers, then of everything.
readers='(compiler/(parse(_cursor|_value)?|template_parse|tuning|commands/depfile|base/(file|strbuf|diag))|runtime/(json|idx|npy|safetensors|checkpoint|file|dataset|weights))\.[ch]'
echo "== parser, escaping, readers: lines, branches"
report --filter "$readers" --sort-percentage
report --filter "$readers" --sort-percentage --branches
echo "== all"
report --filter compiler/ --filter runtime/ --sort-percentage --print-summary
exit "$status"
