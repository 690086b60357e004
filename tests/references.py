#!/usr/bin/env python3
"""Makes the reference files that tests compare with, by Keras: references.py KERAS_ORACLE.py [NAME...]

For each tests/nets/NAME.net a tests/reference/NAME.safetensors, for each tests/optimizers/NAME.net one beside it.
Needs what keras_oracle.py needs. Files beyond 60 KB are not kept.

Keras's fit scales the loss by loss_scale_factor and apply_gradients divides by it again; the oracle does only the
latter. So these traces come from the network without the option, and their gradients are multiplied by it here.
"""
import pathlib, re, runpy, subprocess, sys, tempfile
import numpy
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

tests = pathlib.Path(__file__).resolve().parent
oracle, names = sys.argv[1], sys.argv[2:]
KEPT = 60 * 1024


def metric(name, options, target, output):
    """A metric as Keras's fit would choose it; None where Keras has none of that name."""
    import keras
    if name == "accuracy": name = "binary_accuracy" if output.shape[-1] == 1 else "sparse_categorical_accuracy" if target.ndim < output.ndim else "categorical_accuracy"
    try: m = keras.metrics.get(name)
    except ValueError: return None
    if not isinstance(m, keras.metrics.Metric): m = keras.metrics.MeanMetricWrapper(m, name=name, **options)
    elif options: m = type(m)(**options)
    m.update_state(target, output)
    return float(m.result())


def add_metrics(net, out):
    """metric/NAME: the network's metrics at the initial weights, where there are some that are more than a mean."""
    language = runpy.run_path(oracle)
    compiled = [kw for _, _, word, _, kw, _ in language["parse"](net.read_text()) if word == "compile"]
    if not net.stem.startswith("metrics") or not compiled or not out.exists(): return
    tensors, listed = load_file(out), compiled[0].get("metrics", [])
    with safe_open(out, "np") as f: metadata = f.metadata()
    for m in listed if isinstance(listed, list) else [listed]:
        name, options = m if isinstance(m, tuple) else (m, {})
        name = {"mae": "mean_absolute_error", "mse": "mean_squared_error"}.get(name, name)
        value = metric(name, options, tensors["target"], tensors["output"])
        if value is not None: tensors["metric/" + name] = numpy.array([value], numpy.float32)
    save_file(tensors, out, metadata)


def make(net, out, steps):
    text = net.read_text()
    scale = re.search(r",\s*loss_scale_factor=(\d+)", text)
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / net.name
        source.write_text(text.replace(scale[0], "") if scale else text)
        subprocess.run([sys.executable, oracle, source, out, "--batch", "4", "--steps", str(steps)], check=True)
    if scale:
        with safe_open(out, "np") as f: metadata = f.metadata()
        save_file({k: v * v.dtype.type(scale[1]) if k.startswith("gradient/") else v for k, v in load_file(out).items()}, out, metadata)
    add_metrics(net, out)
    if out.stat().st_size > KEPT: out.unlink(); print("  too large, not kept")


for folder, to, steps in (("nets", "reference", 5), ("optimizers", "optimizers", 7)):
    for net in sorted((tests / folder).glob("*.net")):
        if not names or net.stem in names: make(net, tests / to / f"{net.stem}.safetensors", steps)
