#!/bin/sh
# Sets up what is missing, builds everything and runs the tests. Arguments go to ctest: -L long for the long suites ...
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tools/packages.sh"
need_packages gcc g++ libc6-dev clang libclang-rt-dev cmake make zlib1g-dev libzip-dev libcmocka-dev
echo "building ..."
cmake -S "$root" -B "$root/build/tests" -DBUILD_TESTING=ON >/dev/null
cmake --build "$root/build/tests" --parallel "$(nproc)" >/dev/null
cd "$root/build/tests"
[ $# -gt 0 ] || set -- -LE long
exec ctest --output-on-failure --parallel "$(nproc)" "$@"
