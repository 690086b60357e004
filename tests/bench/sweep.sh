#!/bin/sh
# Checks 200 random layers and times them beside PyTorch's, on one thread. Sets up what is missing.
#     ./tests/bench/sweep.sh [--first=N] [--count=N] [--json=FILE [--resume]] ...; see README.md
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/bench/setup.sh"
# shellcheck disable=SC2154
exec "$venv/bin/python" "$root/tests/bench/sweep.py" "$@"
