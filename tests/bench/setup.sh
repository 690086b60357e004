# setup.sh: what the benchmarks need; read with "." by train.sh, predict.sh and sweep.sh, which set root before.
# Packages of the system, cnnc as build/cnnc with cnnc-export, and a Python environment of their own, where the programs install the peers.
# shellcheck shell=sh disable=SC2154
. "$root/tools/packages.sh"
need_packages gcc g++ clang libc6-dev cmake make zlib1g-dev pkg-config libprotobuf-c-dev protobuf-c-compiler python3 util-linux
python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3-venv
headers=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
[ -f "$headers/Python.h" ] || need_packages python3-dev # torch.compile compiles against it
echo "building ..." >&2
cmake -S "$root" -B "$root/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF >/dev/null
cmake --build "$root/build" --parallel "$(nproc)" --target cnnc cnnc-export >/dev/null
venv=$root/build/bench-venv
if ! [ -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
"$venv/bin/python" -c 'import numpy' 2>/dev/null || "$venv/bin/pip" install -q --disable-pip-version-check numpy
export PYTHONDONTWRITEBYTECODE=1
