#!/bin/sh
# Trains on Fashion-MNIST, which Debian has as a package: the convnet of ../mnist, or "run.sh residual" a small residual network.
# Further options are handed to 'cnnc train'.
set -eu
net=fashion
[ "${1:-}" != residual ] || { net=residual; shift; }
. "$(dirname "$0")/../prepare.sh"
data=${FASHION_MNIST:-/usr/share/datasets/fashion-mnist}
if [ ! -d "$data" ] && [ -z "${FASHION_MNIST:-}" ]; then
    . "$root/tools/packages.sh"
    need_packages dataset-fashion-mnist
fi
data=$(cd "$data" && pwd)
cd "$out"
exec "$prefix/bin/cnnc" train "$here/$net.net" --data "$data" "$@"
