#!/usr/bin/env python3
"""What others compute from files of cnnc export, compared with Keras's references: export_outputs.py CNNC [NAME...]

For each net of tests/nets and tests/nets/oracle that has a reference: ONNX by onnxruntime, weights for Keras by the
model that keras_oracle.py builds, where CNNC_TEST_ORACLE names that file. Outputs may differ by 1e-5 of the largest.
Prints a table; exit status 77 where neither can be imported.
"""
import os, pathlib, runpy, subprocess, sys, tempfile

BOUND = 1e-5
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tests = pathlib.Path(__file__).resolve().parent
try:
    import numpy
    from safetensors.numpy import load_file, save_file
except ImportError: sys.exit(77)


def runtime():
    try: import onnxruntime
    except ImportError: return None
    types = {"tensor(float)": numpy.float32, "tensor(uint8)": numpy.uint8, "tensor(int32)": numpy.int32}

    def outputs(net, file, inputs):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return session.run(None, {i.name: x.astype(types[i.type]) for i, x in zip(session.get_inputs(), inputs)})
    return outputs


def keras_oracle():
    if not os.environ.get("CNNC_TEST_ORACLE"): return None
    language = runpy.run_path(os.environ["CNNC_TEST_ORACLE"])

    def outputs(net, file, inputs):
        model = language["build"](language["parse"](net.read_text()))[0]
        for w in model.weights: w.assign(numpy.full(w.shape, 7))
        model.load_weights(file)
        y = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        return [v.numpy() for v in (y if isinstance(y, (list, tuple)) else [y])]
    return outputs


def numbered(tensors, what):
    return [tensors[k] for k in [what] + [f"{what}_{i}" for i in range(1, 64)] if k in tensors]


def worst(net, ending, outputs, tensors, folder):
    weights, file = f"{folder}/weights.safetensors", f"{folder}/{net.stem}{ending}"
    save_file({k[len("initial/"):]: v for k, v in tensors.items() if k.startswith("initial/")}, weights)
    subprocess.run([sys.argv[1], "export", net, "--weights", weights, "-o", file], check=True)
    found, wanted = outputs(net, file, numbered(tensors, "input")), numbered(tensors, "output")
    if [y.shape for y in found] != [y.shape for y in wanted]: return float("inf")
    return max(float(abs(y - w).max() / max(abs(w).max(), 1e-30)) for y, w in zip(found, wanted))


def main():
    peers = [(name, ending, outputs) for name, ending, outputs in (("onnxruntime", ".onnx", runtime()), ("keras", ".weights.h5", keras_oracle())) if outputs]
    if not peers: sys.exit(77)
    failed = compared = 0
    print(f"{'largest difference':32s}" + "".join(f"{name:>14s}" for name, _, _ in peers))
    with tempfile.TemporaryDirectory() as folder:
        for net in sorted(tests.glob("nets/*.net")) + sorted(tests.glob("nets/oracle/*.net")):
            reference = tests / "reference" / f"{net.stem}.safetensors"
            if not reference.exists() or (sys.argv[2:] and net.stem not in sys.argv[2:]): continue
            tensors = load_file(reference)
            differences = [worst(net, ending, outputs, tensors, folder) for _, ending, outputs in peers]
            fine = all(d <= BOUND for d in differences)
            failed, compared = failed + (not fine), compared + 1
            print(f"{net.stem:32.32s}" + "".join(f"{d:14.1e}" for d in differences) + ("" if fine else "  beyond the bound"))
    print(f"{compared} networks, {failed} beyond {BOUND}")
    sys.exit(bool(failed) or not compared)


main()
