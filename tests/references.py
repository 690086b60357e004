#!/usr/bin/env python3
"""Makes the reference files that tests compare with, by Keras: references.py KERAS_ORACLE.py [NAME...]

For each NAME.net of tests/nets, its tiny and its warned a tests/reference/NAME.safetensors, for each tests/optimizers/NAME.net one beside it.
Needs what keras_oracle.py needs. Files beyond 60 KB are not kept, of MLPerf Tiny's networks (tiny_*) those beyond 300 KB; gradient/input is
the first to be left out. Those of tests/nets/oracle are the oracle's own
but for recurrent, which is made here: with TensorFlow the gradient of an embedding is a list of rows, one for each
token that came, and Keras's optimizers square each row for itself where a token came twice. With JAX and PyTorch,
and in cnnc, rows of a token are added up first; so they are here.

Keras's fit scales the loss by loss_scale_factor and apply_gradients divides by it again; the oracle does only the
latter. So these traces come from the network without the option.
"""
import pathlib, re, runpy, subprocess, sys, tempfile
import numpy
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

tests = pathlib.Path(__file__).resolve().parent
oracle, names = sys.argv[1], sys.argv[2:]
KEPT, KEPT_TINY = 60 * 1024, 300 * 1024
DENSE = """
import runpy, sys, keras, tensorflow as tf
apply = keras.optimizers.Optimizer.apply_gradients
keras.optimizers.Optimizer.apply_gradients = lambda o, pairs: apply(o, [(tf.convert_to_tensor(g), v) for g, v in pairs])
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


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


def draw_target(rng, loss, shape):
    if loss == "categorical_crossentropy": return numpy.eye(shape[-1], dtype=numpy.float32)[rng.integers(0, shape[-1], shape[:-1])]
    if loss == "binary_crossentropy": return rng.integers(0, 2, shape).astype(numpy.float32)
    return rng.normal(0, 1, shape).astype(numpy.float32)


def add_training(net, out, steps):
    """Of a network with several outputs and losses the oracle writes only outputs, and it knows no weights of examples: here are
    targets and what training does."""
    import keras, tensorflow as tf
    language = runpy.run_path(oracle)
    model, compiled, fit, _ = language["build"](language["parse"](net.read_text()))
    weighted = fit.get("class_weight") or fit.get("sample_weight")
    if not compiled or (len(model.outputs) < 2 and not weighted) or not out.exists(): return
    tensors, rng = load_file(out), numpy.random.default_rng(1)
    with safe_open(out, "np") as f: metadata = f.metadata()
    key = lambda w: "/".join(w.path.split("/")[-2:])
    for w in model.weights: w.assign(tensors["initial/" + key(w)])
    x, n = tf.constant(tensors["input"]), len(model.outputs)
    listed = compiled["loss"] if isinstance(compiled["loss"], list) else [compiled["loss"]] * n
    losses = [language["loss_of"]({"loss": l}) for l in listed]
    weights = compiled.get("loss_weights", [1] * n)
    call = lambda training: model(x, training=training) if n > 1 else [model(x, training=training)]
    targets = [draw_target(rng, name, y.shape) for (name, _), y in zip(losses, call(False))] if n > 1 else [tensors["target"]]
    for i, t in enumerate(targets): tensors["target" + (f"_{i}" if i else "")] = t
    each = None
    if fit.get("class_weight"):
        t = targets[0]
        each = numpy.array(fit["class_weight"], numpy.float32)[(t.argmax(-1) if t.ndim > 1 and t.shape[-1] > 1 else t.reshape(-1)).astype(int)]
    if fit.get("sample_weight"): tensors[f"target_{n}"] = each = rng.uniform(0, 2, x.shape[0]).astype(numpy.float32)
    optimizer = language["optimizer_of"](compiled)

    def step():
        with tf.GradientTape() as g:
            g.watch(x)
            total = tf.add_n([w * f(t, y, sample_weight=each) for w, (_, f), t, y in zip(weights, losses, targets, call(True))] + model.losses)
        return total.numpy(), g.gradient(total, model.trainable_variables + [x])
    loss, gradients = step()
    tensors["loss"] = numpy.float32(loss).reshape(1)
    for w, g in zip(model.trainable_variables, gradients): tensors["gradient/" + key(w)] = g.numpy()
    tensors["gradient/input"] = gradients[-1].numpy()
    for m, layer, t, y in zip(compiled.get("metrics", []) if n > 1 else [], model.outputs, targets, call(False)):
        value = metric(m, {}, t, y.numpy())
        tensors[f"metric/{layer._keras_history.operation.name}_{m}"] = numpy.array([value], numpy.float32)
    traced = []
    for _ in range(steps):
        loss, gradients = step()
        traced.append(loss)
        optimizer.apply_gradients(zip(gradients[:-1], model.trainable_variables))
    tensors["losses"] = numpy.array(traced, numpy.float32)
    for w in model.weights: tensors["after/" + key(w)] = w.numpy()
    save_file(tensors, out, metadata)


def add_metrics(net, out):
    """metric/NAME: the network's metrics at the initial weights, where there are some that are more than a mean."""
    language = runpy.run_path(oracle)
    if not net.stem.startswith("metrics") or not out.exists(): return
    model, compiled, _, _ = language["build"](language["parse"](net.read_text()))
    tensors, listed, seen = load_file(out), compiled.get("metrics", []), []
    for w in model.weights: w.assign(tensors["initial/" + "/".join(w.path.split("/")[-2:])])
    with safe_open(out, "np") as f: metadata = f.metadata()
    x = tensors["input"]
    output = model(x if x.dtype.kind == "i" else x.astype(numpy.float32))  # with the logits that Keras's fit finds behind it
    for m in listed if isinstance(listed, list) else [listed]:
        name, options = m if isinstance(m, tuple) else (m, {})
        name = {"mae": "mean_absolute_error", "mse": "mean_squared_error"}.get(name, name)
        value = metric(name, options, tensors["target"], output)
        before = seen.count(name)
        seen.append(name)
        if value is not None: tensors[f"metric/{name}_{before}" if before else f"metric/{name}"] = numpy.array([value], numpy.float32)
    save_file(tensors, out, metadata)


def keep(out, most):
    if most == KEPT_TINY and out.stat().st_size > most:
        with safe_open(out, "np") as f: metadata = f.metadata()
        save_file({k: v for k, v in load_file(out).items() if k != "gradient/input"}, out, metadata)
    if out.stat().st_size > most: out.unlink(); print("  too large, not kept")


def make(net, out, steps):
    text = net.read_text()
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / net.name
        source.write_text(re.sub(r",\s*loss_scale_factor=\d+", "", text))
        subprocess.run([sys.executable, "-c", DENSE, oracle, source, out, "--batch", "4", "--steps", str(steps)], check=True)
    add_metrics(net, out)
    add_training(net, out, steps)
    keep(out, KEPT_TINY if net.stem.startswith("tiny_") else KEPT)


for folder, to, steps in (("nets", "reference", 5), ("optimizers", "optimizers", 7)):
    nets = [net for below in ("", "tiny", "warned") for net in sorted((tests / folder / below).glob("*.net"))]
    for net in nets + [tests / "nets/oracle/recurrent.net"] * (folder == "nets"):
        if not names or net.stem in names: make(net, tests / to / f"{net.stem}.safetensors", steps)
