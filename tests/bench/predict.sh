#!/bin/sh
# Measures predictions of generated code beside ONNX Runtime, OpenVINO and PyTorch. Sets up what is missing.
#     ./tests/bench/predict.sh [NET ...|all] [--rounds=N] [--peers=onnxruntime,openvino,torch] [--json=FILE] ...; see README.md
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/bench/setup.sh"
# shellcheck disable=SC2154
exec "$venv/bin/python" "$root/tests/bench/predict.py" "$@"
