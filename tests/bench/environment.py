"""The peers' packages, installed from the registry that pip is set up for into the environment that this runs in."""

import importlib.util
import shutil
import subprocess
import sys

from workers import Failure

PACKAGES = {"torch": ["torch"], "torch.compile": ["torch"], "keras": ["tensorflow-cpu", "keras"], "jax": ["jax"],
            "onnxruntime": ["onnx", "onnxruntime"], "openvino": ["onnx", "openvino"]}
MODULES = {"tensorflow-cpu": "tensorflow"}  # that are not called as their packages
GIGABYTES = {"torch": 12, "tensorflow-cpu": 3}  # free, while installing; others 1


def install(peers):
    """What is missing for these peers. All in one call, so that pip finds versions that agree."""
    packages = list(dict.fromkeys(package for peer in peers for package in PACKAGES[peer]))
    missing = [package for package in packages if importlib.util.find_spec(MODULES.get(package, package)) is None]
    if not missing:
        return
    needed = sum(GIGABYTES.get(package, 1) for package in missing)
    if shutil.disk_usage(sys.prefix).free < needed << 30:
        raise Failure(f"installing {', '.join(missing)} needs {needed} GB in {sys.prefix}")
    print(f"installing {', '.join(missing)} ...", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"] + missing, check=True)
    importlib.invalidate_caches()
