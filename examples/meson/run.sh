#!/bin/sh
# Builds the program of ../make by Meson with the installed cnnc and runs it.
set -eu
. "$(dirname "$0")/../prepare.sh" pkg-config meson
pc=$(find "$prefix" -name cnnc.pc)
[ -f "$out/build/build.ninja" ] || PKG_CONFIG_PATH=${pc%/*} meson setup "$out/build" "$here" >"$out/setup.log" || { cat "$out/setup.log"; exit 1; }
ninja -v -C "$out/build"
"$out/build/shapes"
