#!/bin/sh
# Measures training epochs of generated code beside PyTorch, Keras and JAX. Sets up what is missing.
#     ./tests/bench/train.sh [NET ...] [--rounds=N] [--peers=torch,keras,jax] [--json=FILE] ...; see README.md
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/bench/setup.sh"
# shellcheck disable=SC2154
exec "$venv/bin/python" "$root/tests/bench/train.py" "$@"
