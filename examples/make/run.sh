#!/bin/sh
# Builds the program, here, with the installed cnnc and runs it.
set -eu
. "$(dirname "$0")/../prepare.sh" pkg-config
pc=$(find "$prefix" -name cnnc.pc)
PKG_CONFIG_PATH=${pc%/*} make -C "$here"
"$here/shapes"
