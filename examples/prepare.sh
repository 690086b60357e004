# prepare.sh: what the run.sh beside each example begins with; read with ".", arguments are the Debian packages that it needs beside cnnc's own.
#
# Afterwards: $here is the example's folder, $out a folder for what it makes, $prefix where cnnc is installed: built here first,
# unless CNNC_PREFIX names a place where it already is. CNNC_OUT names another folder for what the examples make.
# shellcheck shell=sh
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${CNNC_OUT:-$root/build/examples}/$(basename "$here")
prefix=${CNNC_PREFIX:-$root/build/prefix}
mkdir -p "$out"
if [ -z "${CNNC_PREFIX:-}" ]; then
    . "$root/tools/packages.sh"
    need_packages gcc libc6-dev cmake make zlib1g-dev libzip-dev "$@"
    echo "building cnnc ..."
    cmake -S "$root" -B "$root/build" -DBUILD_TESTING=OFF >/dev/null
    cmake --build "$root/build" --parallel "$(nproc)" >/dev/null
    cmake --install "$root/build" --prefix "$prefix" >/dev/null
fi
