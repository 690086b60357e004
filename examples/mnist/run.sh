#!/bin/sh
# Sets up what is missing, builds cnnc and trains the MNIST convnet on all 60,000 images.
# Options are handed to 'cnnc train': --epochs=N, --threads=N, --seed=N ...
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tools/packages.sh"
need_packages gcc libc6-dev cmake make zlib1g-dev libzip-dev
echo "building cnnc ..."
cmake -S "$root" -B "$root/build" -DBUILD_TESTING=OFF >/dev/null
cmake --build "$root/build" --parallel "$(nproc)" --target cnnc >/dev/null
exec "$root/build/cnnc" train "$root/examples/mnist/mnist.net" --data "$root/examples/mnist" "$@"
