"""Measures predictions: our generated code beside ONNX Runtime, OpenVINO and PyTorch, in turns, on networks of nets/.

What it does, options and what the numbers mean: README.md beside this file.
"""

import argparse
import glob
import json
import os
import re
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np

import build
import chart
import data
import environment
import predict_network
import train
import weights
from train import log, say, write
from workers import Failure, Worker, pinned, run_program

BATCH, IMAGES, CLASSES = 64, 256, 10  # classes: of synthetic images
TOLERANCE = 1e-4  # of outputs
MOST_CALLS, COLD_CALLS = 20000, 30  # of a turn
HOWS = {"one": "an image a call", "many": f"{BATCH} images a call", "cold": "an image a call, caches cold"}
PEERS = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "torch": "PyTorch", "torch.compile": "torch.compile"}


@dataclass
class Row:
    """A contender; its turns by how it is called, each with percentiles of microseconds an image."""
    name: str
    worker: object
    manner: str = ""
    version: str = ""
    hows: tuple = tuple(HOWS)
    calls: dict = field(default_factory=dict)  # of a turn
    turns: dict = field(default_factory=dict)
    failed: bool = False

    @property
    def ours(self):
        return self.name.startswith("cnnc")

    @property
    def prototype(self):
        return self.name.startswith("prototype")

    def of(self, how, what="median"):
        """Each turn's percentile."""
        return [turn[what] for turn in self.turns[how]]

    def median(self, how, what="median"):
        return statistics.median(self.of(how, what))

    def ratio(self, how, other, what="median"):
        """Its time over another's, of each round, which both were in; the median of these."""
        return statistics.median(mine / its for mine, its in zip(self.of(how, what), other.of(how, what)))


@dataclass
class Result:
    """A network measured."""
    network: object
    parameters: int
    rows: list

    def of(self, how):
        """Who was called so, the fastest first."""
        return sorted((row for row in self.rows if row.turns.get(how)), key=lambda row: row.median(how))

    def best(self, how, name="cnnc"):
        """The fastest of ours, or of those whose names begin so; None if there is none."""
        return next((row for row in self.of(how) if row.name.split()[0] == name), None)


# ---- contenders ------------------------------------------------------------------------------------------------------

class Prototype:
    """A hand-written rival, started for each turn. It times itself, prints
    'dispatch  median 15.7 us  p10 15.5  p90 16.1', and is ended then."""

    def __init__(self, program):
        self.command = pinned(["stdbuf", "-oL", program], 1)

    def ask(self, _):
        number = r"\s+([\d.]+)"
        line = re.compile(rf"dispatch\s+median{number} us\s+p10{number}\s+p90{number}")
        with subprocess.Popen(self.command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            found = next(filter(None, map(line.match, process.stdout)), None)
            process.kill()
        if not found:
            raise Failure(f"{self.command[-1]} prints no line 'dispatch  median ...'")
        return dict(zip(("median", "p10", "p90"), map(float, found.groups())))

    def close(self):
        pass


def examples(network):
    """Bytes, or numbers from 0 to 1 or tokens where the network takes such."""
    shape, random = network.input.shape, np.random.default_rng(1)
    if network.input.classes:
        return random.integers(network.input.classes, size=(IMAGES, *shape)).astype(np.int32)
    if shape == (28, 28, 1):
        images = data.mnist(os.path.join(build.ROOT, "examples", "mnist"))[0][:IMAGES]
    elif len(shape) == 3:
        images = data.synthetic(shape, CLASSES, IMAGES)[0]
    else:
        images = random.integers(256, size=(IMAGES, *shape)).astype(np.uint8)
    return images if network.input.type == "u8" else (images / 255).astype(np.float32)


def files(network):
    """Paths of the weights, of the images as they are and as .npy."""
    tensors, images = weights.initial(network), examples(network)
    paths = [build.path("predict", network.name + end) for end in (".safetensors", ".bin", ".npy")]
    weights.save(paths[0], tensors)
    images.tofile(paths[1])
    np.save(paths[2], images)
    return paths, sum(tensor.size for tensor in tensors.values())


def start_ours(options, net, network, paths):
    for optimize in options.optimize:
        settings = [f"--weights={paths[0]}", f"--optimize={optimize}"]
        if options.target:
            settings.append(f"--target={options.target}")
        for compiler in options.compilers:
            program = build.predictor(net, network, f"predict-{optimize}", settings, compiler, BATCH)
            name = f"cnnc {compiler} {optimize}"
            yield Row(name, Worker([program, paths[1]], 1, log(name)), version=build.compiler_version(compiler))


def start_prototype(options, network):
    if not options.prototype or network.name != "mnist":
        return
    for compiler in options.compilers:
        yield Row(f"prototype {compiler}", Prototype(build.prototype(options.prototype, compiler)), hows=("one",))


def start_peers(options, net, paths):
    """Peers that cannot run are said and left out."""
    for name in options.peers:
        say(f"starting {name} ...")
        command = [sys.executable, os.path.join(build.HERE, "predict_peer.py"), name, str(options.threads), str(BATCH)]
        worker = Worker(command, options.threads, log(f"{name} predict"))
        try:
            answer = worker.ask(f"load {net} {paths[0]} {paths[2]}")
            manner = [answer["manner"]] * bool(answer["manner"]) + [f"an empty call {answer['empty']:.2f} us"]
            yield Row(name, worker, "; ".join(manner), answer["version"])
        except Failure as failure:
            worker.close()
            say(f"{name} left out: {failure}")


def interleaved(rows):
    """Ours stand between the others, not in a row."""
    ours, others = [row for row in rows if row.ours], [row for row in rows if not row.ours]
    while ours or others:
        yield from ours[:1]
        yield from others[:1]
        ours, others = ours[1:], others[1:]


# ---- agreement -------------------------------------------------------------------------------------------------------

def outputs(row, how, network):
    path = build.path("predict", "outputs.bin")
    row.worker.ask(f"outputs {how} {path}")
    return np.fromfile(path, np.float32).reshape(IMAGES, network.output.elements)


def disagreement(mine, others):
    """The largest difference; what is not a number agrees with nothing."""
    difference = np.abs(mine - others)
    return float("inf") if np.isnan(difference).any() else float(difference.max())


def agree(rows, network):
    """All compute the same, and not the same for all images. The largest differences by name."""
    reference, differences = None, {}
    for row in rows:
        for how in ("one", "many"):
            if row.prototype:
                continue
            found = outputs(row, how, network)
            reference = found if reference is None else reference
            worst = disagreement(reference, found)
            if not worst <= TOLERANCE:
                raise Failure(f"{network.name}: {row.name}, {HOWS[how]}, differs from {rows[0].name} by {worst:.3g}")
            differences[row.name] = max(worst, differences.get(row.name, 0.0))
    spread = np.ptp(reference, axis=0).max()
    say(f"outputs differ by {spread:.2g} between images")
    if not spread > 100 * TOLERANCE:
        raise Failure(f"{network.name}: outputs are the same for all images: that they agree says nothing")
    return differences


# ---- rounds ----------------------------------------------------------------------------------------------------------

def each(rows, how, action):
    """Does it with all that are called so and have not failed; a rival that fails now is said and counts no more."""
    for row in rows:
        if row.failed or how not in row.hows:
            continue
        try:
            action(row)
        except Failure as failure:
            if row.ours:
                raise
            say(f"{row.name} left out: {failure}")
            row.failed, row.turns = True, {}


def choose_calls(row, how, seconds):
    """What fits in a turn."""
    if row.prototype:
        row.calls[how] = 0
    elif how == "cold":
        row.calls[how] = COLD_CALLS
    else:
        images = BATCH if how == "many" else 1
        row.worker.ask(f"go {how} {20}")
        least = row.worker.ask(f"go {how} {20}")["p10"]
        row.calls[how] = int(min(max(1e6 * seconds / (least * images), 20), MOST_CALLS))


def play(rows, options):
    for how in HOWS:
        each(rows, how, lambda row, how=how: choose_calls(row, how, options.seconds))
    for turn in range(options.rounds):
        say(f"round {turn + 1} of {options.rounds} ...")
        for how in HOWS:
            each(rows, how, lambda row, how=how: row.turns.setdefault(how, []).append(
                row.worker.ask(f"go {how} {row.calls[how]}")))


def measure_network(options, net):
    network, rows = predict_network.read(net), []
    paths, parameters = files(network)
    say(f"{network.name}: generating and compiling ...")
    try:
        rows.extend(start_ours(options, net, network, paths))
        rows.extend(start_prototype(options, network))
        rows.extend(start_peers(options, net, paths))
        for name, worst in agree(rows, network).items():
            say(f"{name} agrees within {worst:.1e}")
        rows = list(interleaved(rows))
        play(rows, options)
    finally:
        for row in rows:
            row.worker.close()
    return Result(network, parameters, rows)


# ---- reports ---------------------------------------------------------------------------------------------------------

def head(result):
    return [f"### {result.network.name}", "",
            f"{result.parameters:,} parameters, {result.network.flops / 1e6:.2f} dense MFLOP an image. Microseconds an image:", "",
            "| | | median | p10 - p90 | x ours | x ours, p10 | calls a turn | |", "|---|---|--:|--:|--:|--:|--:|---|"]


def lines_of(result, how):
    best = result.best(how)
    for row in result.of(how):
        name = f"**{row.name}**" if row is best else row.name
        yield (f"| {HOWS[how]} | {name} | {row.median(how):.2f} | {row.median(how, 'p10'):.2f} - "
               f"{row.median(how, 'p90'):.2f} | {row.ratio(how, best):.2f} | {row.ratio(how, best, 'p10'):.2f} | "
               f"{row.calls[how] or ''} | {row.manner} |")


def table(result):
    return "\n".join(head(result) + [line for how in HOWS for line in lines_of(result, how)]) + "\n"


def ratio_line(result, how, peers):
    best, cells = result.best(how), []
    for peer in peers:
        row = result.best(how, peer)
        cells.append(f"{row.ratio(how, best):.2f}" if row else "")
    return f"| {result.network.name} | {HOWS[how]} | {best.median(how):.2f} | {best.name} | {' | '.join(cells)} |"


def prototype_line(result):
    """Of each compiler's hot code, and of the fastest of both sides."""
    prototypes = [row for row in result.of("one") if row.prototype]
    ours = [row for row in result.of("one") if row.ours]
    pairs = [(mine, its) for mine in ours for its in prototypes if mine.name.split()[1] == its.name.split()[1]]
    words = [f"{mine.name} {mine.ratio('one', its):.2f}" for mine, its in pairs]
    best = f"fastest / fastest {ours[0].ratio('one', prototypes[0]):.2f}"
    return f"{result.network.name}, our time / the prototype's: {', '.join([best] + words)}"


def ratios(results, options):
    """Peers' times in ours, all networks."""
    peers = [peer for peer in options.peers if any(result.best("one", peer) for result in results)]
    lines = ["### Times of others / ours", "", f"| | | ours, us | | {' | '.join(PEERS[peer] for peer in peers)} |",
             "|---|---|--:|---|" + "--:|" * len(peers)]
    lines += [ratio_line(result, how, peers) for how in HOWS for result in results]
    lines += ["\n" + prototype_line(result) for result in results if result.best("one", "prototype")]
    return "\n".join(lines) + "\n"


def row_record(result, row):
    record_of = {}
    for how in row.turns:
        best = result.best(how)
        record_of[how] = {"calls": row.calls[how], "turns": row.turns[how], "median": row.median(how),
                          "p10": row.median(how, "p10"), "p90": row.median(how, "p90"),
                          "ratio_to_ours": row.ratio(how, best), "ratio_of_p10": row.ratio(how, best, "p10")}
    return {"name": row.name, "ours": row.ours, "manner": row.manner, "version": row.version, "us": record_of}


def record(results, options):
    """All of a run, for --json."""
    return {"processor": train.processor(), "processors": os.cpu_count(), "rounds": options.rounds,
            "seconds_per_turn": options.seconds, "threads": options.threads, "batch": BATCH, "images": IMAGES,
            "target": options.target, "tolerance": TOLERANCE,
            "compilers": {name: build.compiler_version(name) for name in options.compilers},
            "networks": [{"name": result.network.name, "parameters": result.parameters,
                          "rows": [row_record(result, row) for row in result.rows if row.turns]}
                         for result in results]}


def bars(result):
    """The chart's panel: of each family its fastest row, for each way of being called; the fastest family first."""
    families = {"cnnc": "cnnc"} | PEERS | {"prototype": "prototype"}
    groups = []
    for family, label in families.items():
        values = {how: row.median(how) for how in HOWS if (row := result.best(how, family))}
        if values:
            groups.append(chart.Group(label, "ours" if family == "cnnc" else "peer", values))
    groups.sort(key=lambda group: group.values["one"])
    return chart.Panel(result.network.name, groups, "microseconds an image")


# ---- the command -----------------------------------------------------------------------------------------------------

def words_of(text, known, what):
    words = [] if text in ("", "none") else text.split(",")
    for word in words:
        if word not in known:
            raise Failure(f"no {what} '{word}'; there are {', '.join(known)}")
    return words


def parse_options():
    parser = argparse.ArgumentParser(prog="predict.sh", description="measures predictions, ours and others'")
    parser.add_argument("nets", nargs="*", default=["mnist"], help="networks of nets/, paths, 'all', or 'oracle': those of tests/nets/oracle (mnist)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contender (7)")
    parser.add_argument("--seconds", type=float, default=0.2, help="about how long a turn is (0.2)")
    parser.add_argument("--threads", type=int, default=1, help="of the peers; ours has one (1)")
    parser.add_argument("--peers", default="onnxruntime,openvino,torch", help=f"{', '.join(PEERS)}, none")
    parser.add_argument("--compilers", default="", help="gcc, clang (those that are there)")
    parser.add_argument("--optimize", default="hot,cold", help="hot, cold, size, by commas (hot,cold)")
    parser.add_argument("--target", default="", help="cnnc's --target (all of its variants)")
    parser.add_argument("--prototype", metavar="FILE.c", help="a hand-written rival for mnist")
    parser.add_argument("--json", metavar="FILE", help="all numbers")
    parser.add_argument("--svg", metavar="FILE", help="a bar chart")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0 or options.threads < 1:
        parser.error("--rounds, --seconds and --threads are positive")
    options.peers = words_of(options.peers, PEERS, "peer")
    options.optimize = words_of(options.optimize, ("hot", "cold", "size"), "--optimize")
    options.compilers = options.compilers.split(",") if options.compilers else build.compilers()
    if not options.optimize or not options.compilers:
        parser.error("nothing of ours to measure")
    if options.nets == ["oracle"]:
        options.nets = sorted(glob.glob(os.path.join(build.ROOT, "tests", "nets", "oracle", "*.net")))
    options.nets = train.networks(options.nets)
    return options


def main():
    options = parse_options()
    environment.install(options.peers)
    results = []
    for net in options.nets:
        results.append(measure_network(options, net))
        print(table(results[-1]), flush=True)
        if options.json:
            write(options.json, json.dumps(record(results, options), indent=1) + "\n")
        if options.svg:
            write(options.svg, chart.svg([bars(result) for result in results], HOWS))
    print(ratios(results, options), flush=True)


if __name__ == "__main__":
    run_program("predict.sh", main)
