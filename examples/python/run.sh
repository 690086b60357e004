#!/bin/sh
# Builds the shared library against the installed cnnc and trains from Python. PYTHON names a Python with NumPy.
set -eu
. "$(dirname "$0")/../prepare.sh" python3-numpy
cmake -S "$here" -B "$out/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$out/build" >/dev/null
for python in ${PYTHON:-python3 /usr/bin/python3}; do
    ! "$python" -c 'import numpy' 2>/dev/null || exec "$python" -B "$here/digits.py" "$out/build/libdigits_net.so" "$here/../mnist"
done
echo "no Python with NumPy" >&2
exit 3
