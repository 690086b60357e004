"""Random layers: are results right, and is our training step faster than PyTorch's?

What it does, options and what the numbers mean: README.md beside this file.
"""

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys

import numpy as np

import build
import description
import environment
from workers import Failure, Worker, run_program

SEED, CASES, BATCH, BATCHES = 1, 200, 64, 2
MOST_FLOPS, MOST_ELEMENTS = 3e8, 40000  # of an example: training; input
MIDDLE = 4  # from so many channels on, a layer counts as one in the middle of a network: with gradient in its input


# ---- cases -----------------------------------------------------------------------------------------------------------

def log_uniform(draw, low, high):
    return min(int(math.exp(draw.uniform(math.log(low), math.log(high + 1)))), high)


def draw_channels(draw):
    """Many and few alike."""
    return draw.randint(1, 130) if draw.random() < 0.5 else log_uniform(draw, 1, 130)


def size(pair):
    return "x".join(map(str, pair))


def draw_convolution(draw):
    """Input shape, lines."""
    height = draw.randint(5, 33)
    width = height if draw.random() < 0.7 else draw.randint(5, 33)
    channels, filters = draw_channels(draw), draw_channels(draw)
    kernel = draw.randint(1, 7)
    kernel = (kernel, kernel if draw.random() < 0.8 else draw.randint(1, 7))
    strides = draw.choice((1, 1, 1, 1, 2, 2, 3))
    words = [f"conv2d {filters} {size(kernel)}"]
    if strides > 1:
        words.append(f"strides={strides}")
    if draw.random() < 0.5:
        words.append("padding=same")
    if draw.random() < 0.7:
        words.append("activation=relu")
    lines = [" ".join(words)]
    if draw.random() < 0.4:
        lines.append(f"max_pooling2d {draw.choice(('2x2', '3x3'))}")
    return (height, width, channels), lines


def draw_dense(draw):
    words = f"dense {log_uniform(draw, 1, 1024)}" + (" activation=relu" if draw.random() < 0.7 else "")
    return (log_uniform(draw, 1, 4096),), [words]


def text_of(index, shape, lines):
    head = [f"network case{index}", f"input {size(shape)}"]
    tail = ["flatten", "dense 10 activation=softmax",
            "compile optimizer=sgd(learning_rate=0.0001) loss=sparse_categorical_crossentropy",
            f"fit epochs=1 batch_size={BATCH} shuffle=false"]
    return "\n".join(head + lines + tail) + "\n"


def possible(network):
    sizes = [n for layer in network.layers for n in layer.shape]
    return (min(sizes) > 0 and description.elements(network.input.shape) <= MOST_ELEMENTS
            and description.training_flops(network) <= MOST_FLOPS)


class Case:
    """One network: `index` and the seed decide all of it."""

    def __init__(self, index, seed):
        self.index = index
        self.net = build.path("sweep", f"case{index}.net")
        draw = random.Random(f"{seed}.{index}")
        while True:
            shape, lines = (draw_convolution if draw.random() < 0.8 else draw_dense)(draw)
            with open(self.net, "w", encoding="utf-8") as file:
                file.write(text_of(index, shape, lines))
            self.network = description.read(self.net)
            self.network.input_gradient = shape[-1] >= MIDDLE
            if possible(self.network):
                break
        self.label = f"{size(shape)}: {', '.join(lines)}"

    def data(self):
        """Files with random examples; the same two for all cases, one after the other."""
        draw = np.random.default_rng(self.index)
        paths = [build.path("sweep", name) for name in ("inputs.npy", "labels.npy")]
        np.save(paths[0], draw.standard_normal((BATCHES * BATCH, *self.network.input.shape), dtype=np.float32))
        np.save(paths[1], draw.integers(10, size=BATCHES * BATCH).astype(np.uint8))
        return ",".join(paths)


# ---- results ---------------------------------------------------------------------------------------------------------

def cnnc_options(options):
    return [f"--algorithm={options.algorithm}"] if options.algorithm else []


def check(case, options):
    """What 'cnnc check' complains of: each variant of the generated code against plain loops in double precision, and
    these against differences. None when all is well."""
    command = [build.CNNC, "check", case.net] + cnnc_options(options)
    home = os.environ | {"CC": options.compiler, "XDG_CACHE_HOME": build.path("cache", "")}
    done = subprocess.run(command, capture_output=True, text=True, env=home, check=False)
    if done.returncode == 0:
        return None
    wrong = [line.strip() for line in done.stdout.split("\n") if line and not line.endswith("ok") and "  " in line]
    return done.stderr.strip() or "; ".join(wrong[-5:]) or f"exit status {done.returncode}"


class Rival:
    """PyTorch, one process for all cases; a new one after a failure."""

    def __init__(self):
        self.worker = None

    def load(self, case, paths):
        if not self.worker:
            command = [sys.executable, os.path.join(build.HERE, "peer.py"), "torch", "1"]
            self.worker = Worker(command, 1, build.path("log", "sweep-torch.txt"))
        words = " input-gradient" if case.network.input_gradient else ""
        return self.worker.ask(f"load {case.net} {paths}{words}")

    def lost(self):
        if self.worker:
            self.worker.close()
        self.worker = None


def start_ours(case, options, paths):
    settings = cnnc_options(options) + ["--input-gradient"] * case.network.input_gradient
    source = build.generate(case.net, "sweep", settings)
    program = build.driver(source, options.compiler, options.runtime)
    worker = Worker([program, paths, "1", options.variant], 1, build.path("log", "sweep-ours.txt"))
    worker.read()
    for file in (source, source[:-2] + ".h", program):
        os.remove(file)
    return worker


def examples_of_turn(worker, options):
    """Whole epochs of the few examples there are, as many as fit in a turn."""
    epoch = BATCHES * BATCH
    worker.go(epoch, "steps")
    seconds, _ = worker.go(epoch, "steps")
    return epoch * max(1, int(options.seconds / seconds))


def measure(case, options, rival):
    """Microseconds a step, ours and PyTorch's, in turns."""
    paths = case.data()
    ours = start_ours(case, options, paths)
    try:
        manner = rival.load(case, paths)["manner"]
        examples = examples_of_turn(ours, options)
        times = {"ours": [], "torch": []}
        for _ in range(options.rounds):
            times["ours"].append(ours.go(examples, "steps")[0])
            times["torch"].append(rival.worker.go(examples)[0])
    finally:
        ours.close()
    scale = 1e6 * BATCH / examples
    record = {name: [round(scale * t, 2) for t in turns] for name, turns in times.items()}
    medians = {name: statistics.median(turns) for name, turns in record.items()}
    return {"manner": manner, "microseconds": record, "ratio": round(medians["ours"] / medians["torch"], 4)}


def try_case(case, options, rival):
    record = {"case": case.index, "network": case.label, "input_gradient": case.network.input_gradient,
              "flops": description.training_flops(case.network)}
    try:
        if options.check:
            record["check"] = check(case, options) or "ok"
        if options.time:
            record |= measure(case, options, rival)
    except Failure as failure:
        record["error"] = str(failure)
        rival.lost()
    return record


# ---- reports ---------------------------------------------------------------------------------------------------------

def microseconds(record, name):
    return statistics.median(record["microseconds"][name])


def line_of(record):
    words = [f"{record['case']:4}"]
    if "check" in record:
        words.append("right" if record["check"] == "ok" else "WRONG")
    if "ratio" in record:
        ours, torch = (microseconds(record, name) for name in ("ours", "torch"))
        speed = record["flops"] * BATCH / ours / 1e3
        words.append(f"{record['ratio']:6.3f}  ours {ours:9.1f} us {speed:6.1f} GFLOP/s  torch {torch:9.1f} us")
    if "error" in record:
        words.append("FAILED " + record["error"].split("\n", maxsplit=1)[0])
    return "  ".join(words) + "  " + record["network"]


def summary(records):
    checked = [record for record in records if "check" in record]
    timed = [record for record in records if "ratio" in record]
    wrong = [record for record in checked if record["check"] != "ok"]
    losers = sorted((record for record in timed if record["ratio"] >= 1), key=lambda record: -record["ratio"])
    failed = [record for record in records if "error" in record]
    lines = []
    if checked:
        lines.append(f"{len(checked) - len(wrong)} of {len(checked)} right")
    lines += [f"  wrong: case {record['case']}, {record['network']}: {record['check']}" for record in wrong]
    if timed:
        mean = math.exp(statistics.fmean(math.log(record["ratio"]) for record in timed))
        lines.append(f"{len(timed) - len(losers)} of {len(timed)} faster than PyTorch; time over PyTorch's "
                     f"{mean:.3f} (geometric mean), {min(r['ratio'] for r in timed):.3f} to "
                     f"{max(r['ratio'] for r in timed):.3f}")
    lines += [f"  slower: {line_of(record)}" for record in losers]
    lines += [f"  failed: case {record['case']}, {record['network']}: {record['error']}" for record in failed]
    return "\n".join(lines)


def save(path, records, options):
    content = {"seed": options.seed, "compiler": build.compiler_version(options.compiler),
               "algorithm": options.algorithm, "variant": options.variant, "batch_size": BATCH,
               "rounds": options.rounds, "cases": records}
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    os.replace(path + ".part", path)


def resumed(options):
    """Cases that --json has already, if they are to be kept."""
    if not options.resume or not os.path.exists(options.json):
        return []
    with open(options.json, encoding="utf-8") as file:
        content = json.load(file)
    if content["seed"] != options.seed:
        raise Failure(f"{options.json} is of seed {content['seed']}")
    return [record for record in content["cases"] if "error" not in record]


# ---- the command -----------------------------------------------------------------------------------------------------

def parse_options():
    parser = argparse.ArgumentParser(prog="sweep.sh", description="checks random layers, times them beside PyTorch's")
    parser.add_argument("--first", type=int, default=0, help="the first case (0)")
    parser.add_argument("--count", type=int, default=CASES, help=f"how many ({CASES})")
    parser.add_argument("--seed", type=int, default=SEED, help="of all cases (1)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (7)")
    parser.add_argument("--seconds", type=float, default=0.05, help="of a turn of ours (0.05)")
    parser.add_argument("--compiler", default=build.compilers()[0], help="gcc or clang, for our C")
    parser.add_argument("--algorithm", default="", help="cnnc's --algorithm")
    parser.add_argument("--variant", default="", help="avx512, avx2, vec16, scalar (the best)")
    parser.add_argument("--no-check", dest="check", action="store_false", help="only times")
    parser.add_argument("--no-time", dest="time", action="store_false", help="only checks")
    parser.add_argument("--json", metavar="FILE", help="all numbers, written after each case")
    parser.add_argument("--resume", action="store_true", help="keep the cases that the JSON file has")
    options = parser.parse_args()
    if options.resume and not options.json:
        parser.error("--resume wants --json")
    return options


def main():
    options = parse_options()
    if options.time:
        environment.install(["torch"])
        options.runtime = build.runtime(options.compiler)
    records, rival = resumed(options), Rival()
    done = {record["case"] for record in records}
    for index in range(options.first, options.first + options.count):
        if index in done:
            continue
        records.append(try_case(Case(index, options.seed), options, rival))
        print(line_of(records[-1]), flush=True)
        if options.json:
            save(options.json, records, options)
    print(summary(records))
    sys.exit(any("error" in record or record.get("check", "ok") != "ok" for record in records))


if __name__ == "__main__":
    run_program("sweep.sh", main)
