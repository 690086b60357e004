#!/bin/sh
# Trains digits.net with the cnnc command, builds the application against the installed cnnc, and runs it.
set -eu
. "$(dirname "$0")/../prepare.sh"
"$prefix/bin/cnnc" train "$here/digits.net" --data "$here/../mnist" -o "$out/digits.safetensors"
cmake -S "$here" -B "$out/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$out/build" >/dev/null
"$out/build/embed" "$out/digits.safetensors" "$here/../mnist"
