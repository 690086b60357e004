#!/bin/sh
# Builds the program against the installed cnnc and runs it.
set -eu
. "$(dirname "$0")/../prepare.sh"
cmake -S "$here" -B "$out/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$out/build" >/dev/null
data=$(cd "$here/../mnist" && pwd)
cd "$out"
build/finetune "$data"
