#!/bin/sh
# The packages that cpack makes: package.sh SOURCE BUILD WORK
# The tarball is unpacked and used where it lies; the Debian package is installed, used, removed, and has left nothing.
# Exit status 77: not root, no dpkg, or cnnc is installed here already.
set -eu
source=$1 build=$2 work=$3
missing() { echo "skipped: $1"; exit 77; }
wrong() { echo "wrong: $1"; exit 1; }
[ "$(id -u)" = 0 ] || missing "only root can install a package"
command -v dpkg-shlibdeps >/dev/null || missing "no dpkg-dev"
! dpkg-query -W cnnc >/dev/null 2>&1 || missing "the package cnnc is installed here"

rm -rf "$work"
mkdir -p "$work/tree"
cpack --config "$build/CPackConfig.cmake" -B "$work/packages" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# An application that finds cnnc, in the folder given or where the system has it.
use() { # WHAT [CMAKE_PREFIX_PATH]
    echo "== $1: $(command -v cnnc || echo "$2/bin/cnnc") =="
    "${2:-/usr}/bin/cnnc" --version
    cmake -S "$source/tests/cmake/app" -B "$work/$1" -DHOW=find_package -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=${2:-}" >"$work/log" 2>&1 &&
        cmake --build "$work/$1" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    "$work/$1/app"
    found=$(sed -n 's/^cnnc_DIR:PATH=//p' "$work/$1/CMakeCache.txt")
    case $found in "${2:-/usr}"/*) ;; *) wrong "another cnnc was found, in $found" ;; esac
}

tar -xzf "$work"/packages/cnnc-*.tar.gz -C "$work/tree"
use tarball "$(echo "$work"/tree/cnnc-*)"

trap 'dpkg --purge cnnc >/dev/null 2>&1 || true' EXIT
dpkg -i "$work"/packages/cnnc*.deb
files=$(dpkg -L cnnc)
use deb
dpkg --purge cnnc
trap - EXIT
for file in $files; do # folders that others use too stay, and nothing else
    if [ -e "$file" ] && { [ ! -d "$file" ] || case $file in *cnnc*) true ;; *) false ;; esac; }; then wrong "$file is left"; fi
done
left=$(find /usr/bin /usr/include /usr/lib /usr/share /etc /opt /var/lib -xdev -name '*cnnc*' ! -path "$work/*")
[ -z "$left" ] || wrong "left behind: $left"
echo "nothing is left"
