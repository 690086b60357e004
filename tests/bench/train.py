"""Measures training: our generated code beside PyTorch, Keras and JAX, in turns, on the networks of nets/.

What it does, options and what the numbers mean: README.md beside this file.
"""

import argparse
import gzip
import json
import math
import os
import platform
import statistics
import sys
from dataclasses import dataclass, field

import build
import chart
import data
import description
import environment
from workers import EPOCH, Failure, Program, Worker, run_program

HERE = build.HERE
WARM_BATCHES = 4  # before each turn, not timed: caches, frequency


@dataclass
class Row:
    """A contender on one number of threads."""
    name: str
    threads: int
    worker: object
    manner: str = ""
    version: str = ""
    examples: int = 0  # of a turn
    seconds: list = field(default_factory=list)  # of each turn, scaled to an epoch
    loss: float = float("nan")
    failed: bool = False

    @property
    def ours(self):
        return self.name.startswith("cnnc")

    @property
    def median(self):
        return statistics.median(self.seconds)


@dataclass
class Result:
    """A network measured."""
    network: object
    flops: int  # of an epoch, dense
    gflops: dict  # peak by threads
    rows: list

    def of(self, threads):
        return [row for row in self.rows if row.threads == threads and row.seconds]

    def ours(self, threads):
        """The fastest of ours, or None."""
        return min((row for row in self.of(threads) if row.ours), key=lambda row: row.median, default=None)

    def roofline(self, threads):
        return self.flops / (1e9 * self.gflops[threads])


# ---- contenders ------------------------------------------------------------------------------------------------------

def log(name):
    return build.path("log", name.replace(" ", "-") + ".txt")


def say(text):
    print(text, file=sys.stderr, flush=True)


def our_drivers(options, net):
    """(name, program, variant) of each compiler, algorithm and variant."""
    algorithms = options.algorithm.split(",") if options.algorithm else [""]
    variants = options.variant.split(",") if options.variant else [""]
    for algorithm in algorithms:
        settings = [f"--algorithm={algorithm}"] if algorithm else []
        name = description.read(net).name + (f"-{algorithm}" if algorithm else "")
        source = build.generate(net, name, settings)
        for compiler in options.compilers:
            program = build.driver(source, compiler, options.runtimes[compiler])
            for variant in variants:
                yield " ".join(filter(None, ("cnnc", compiler, algorithm, variant))), program, variant


def start_ours(options, net, paths):
    for name, program, variant in our_drivers(options, net):
        for threads in options.threads:
            worker = Worker([program, paths, str(threads), variant], threads, log(f"{name} {threads}"))
            yield Row(name, threads, worker, worker.read()["manner"])


def start_prototype(options, network):
    if not options.prototype or network.name != "mnist":
        return
    for compiler in options.compilers:
        program = build.prototype(options.prototype, compiler)
        for threads in options.threads:
            yield Row(f"prototype {compiler}", threads, Program(program, threads, unpacked_mnist()))


def unpacked_mnist():
    """A folder with the four IDX files as a program without zlib wants them."""
    folder = os.path.join(build.ROOT, "examples", "mnist")
    for name in os.listdir(folder):
        target = build.path("data", "idx", name[:-3])
        if name.endswith("-ubyte.gz") and not os.path.exists(target):
            with gzip.open(os.path.join(folder, name)) as packed, open(target, "wb") as file:
                file.write(packed.read())
    return os.path.dirname(target)


def start_peer(name, threads, net, paths):
    command = [sys.executable, os.path.join(HERE, "peer.py"), name, str(threads)]
    worker = Worker(command, threads, log(f"{name} {threads}"))
    answer = worker.ask(f"load {net} {paths}")
    return Row(name, threads, worker, answer["manner"], answer["version"])


def start_peers(options, net, paths):
    """Peers that cannot run are said and left out."""
    for name in options.peers:
        for threads in options.threads:
            say(f"starting {name}, {threads} thread{'s' * (threads > 1)} ...")
            try:
                yield start_peer(name, threads, net, paths)
            except Failure as failure:
                say(f"{name} left out: {failure}")


def interleaved(rows):
    """In order of threads; among these ours stand between the others, not in a row."""
    for threads in sorted({row.threads for row in rows}):
        ours = [row for row in rows if row.threads == threads and row.ours]
        others = [row for row in rows if row.threads == threads and not row.ours]
        while ours or others:
            yield from ours[:1]
            yield from others[:1]
            ours, others = ours[1:], others[1:]


# ---- rounds ----------------------------------------------------------------------------------------------------------

def choose_examples(row, options, most, batch_size):
    """Whole batches: an epoch, or what fits in a turn. The turn before that tells the speed is not counted."""
    if isinstance(row.worker, Program):
        row.examples = EPOCH
        return
    probe = 16 * batch_size
    seconds, _ = row.worker.go(probe)
    fitting = options.seconds * probe / seconds
    row.examples = max(int(min(most, fitting)) // batch_size, 1) * batch_size


def measure(row, batch_size):
    if isinstance(row.worker, Worker):
        row.worker.go(WARM_BATCHES * batch_size)
    seconds, row.loss = row.worker.go(row.examples)
    row.seconds.append(seconds * EPOCH / row.examples)


def peak_workers(options):
    workers = {threads: Worker([options.peak, str(threads)], threads, log(f"peak {threads}"))
               for threads in options.threads}
    for worker in workers.values():
        worker.read()
    return workers


def each(rows, action):
    """Does it with all rows that have not failed; a peer that fails now is said and counts no more."""
    for row in rows:
        if row.failed:
            continue
        try:
            action(row)
        except Failure as failure:
            if row.ours:
                raise
            say(f"{row.name} on {row.threads} left out: {failure}")
            row.failed, row.seconds = True, []


def play(rows, options, network):
    """All rounds; peak GFLOP/s by threads."""
    peaks, batch_size = peak_workers(options), network.batch_size
    gflops = dict.fromkeys(peaks, 0.0)
    most = min(options.images, data.count(network))
    each(rows, lambda row: choose_examples(row, options, most, batch_size))
    for turn in range(options.rounds):
        say(f"round {turn + 1} of {options.rounds} ...")
        for threads, worker in peaks.items():
            gflops[threads] = max(gflops[threads], worker.ask("go")["gflops"])
        each(rows, lambda row: measure(row, batch_size))
    for worker in peaks.values():
        worker.close()
    return gflops


def measure_network(options, net):
    network = description.read(net)
    paths = data.prepare(network, os.path.join(build.ROOT, "examples", "mnist"), build.path("data", ""))
    say(f"{network.name}: generating and compiling ...")
    rows = []
    try:
        rows.extend(start_ours(options, net, paths))
        rows.extend(start_prototype(options, network))
        rows.extend(start_peers(options, net, paths))
        rows = list(interleaved(rows))
        gflops = play(rows, options, network)
    finally:
        for row in rows:
            row.worker.close()
    return Result(network, description.training_flops(network) * EPOCH, gflops, rows)


# ---- reports ---------------------------------------------------------------------------------------------------------

def head(network, flops):
    work = f"{flops / EPOCH / 1e6:.1f} dense MFLOP an image, forward and backward"
    return [f"### {network.name}", "",
            f"{work}; batches of {network.batch_size}, {network.optimizer}. Seconds for {EPOCH:,} images:", "",
            "| threads | | median | min - max | x ours | images a turn | |", "|--:|---|--:|--:|--:|--:|---|"]


def lines_of(result, threads):
    """The table's lines of a number of threads, the fastest first, the roofline last."""
    best, roofline = result.ours(threads), result.roofline(threads)
    unit = best.median if best else float("nan")
    for row in sorted(result.of(threads), key=lambda row: row.median):
        name = f"**{row.name}**" if row is best else row.name
        yield (f"| {threads} | {name} | {row.median:.2f} | {min(row.seconds):.2f} - {max(row.seconds):.2f} | "
               f"{row.median / unit:.2f} | {row.examples} | {row.manner} |")
    yield (f"| {threads} | dense roofline | {roofline:.2f} | | {roofline / unit:.2f} | | "
           f"{result.gflops[threads]:.0f} GFLOP/s |")


def table(result, options):
    lines = head(result.network, result.flops)
    for threads in options.threads:
        lines.extend(lines_of(result, threads))
    return "\n".join(lines) + "\n"


def warnings(result):
    """Contenders that did not learn: their time is then worth nothing."""
    guess = 1 if result.network.regression else math.log(result.network.output.shape[-1])  # variance of the targets, entropy
    for row in result.rows:
        if row.seconds and isinstance(row.worker, Worker) and not row.loss < guess:
            yield f"{result.network.name}: {row.name} on {row.threads} threads does not learn (loss {row.loss})"


def processor():
    try:
        with open("/proc/cpuinfo", encoding="ascii") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def row_record(result, row):
    best = result.ours(row.threads)
    return {"name": row.name, "threads": row.threads, "ours": row.ours, "manner": row.manner, "version": row.version,
            "images": row.examples, "seconds": row.seconds, "median": row.median, "loss": row.loss,
            "ratio_to_ours": row.median / best.median if best else None}


def record(results, options):
    """All of a run, for --json."""
    return {"processor": processor(), "processors": os.cpu_count(), "rounds": options.rounds,
            "images": options.images, "seconds_per_turn": options.seconds, "epoch": EPOCH,
            "compilers": {name: build.compiler_version(name) for name in options.compilers},
            "networks": [{"name": result.network.name, "batch_size": result.network.batch_size,
                          "optimizer": result.network.optimizer, "flops_per_epoch": result.flops,
                          "peak_gflops": result.gflops,
                          "roofline_seconds": {t: result.roofline(t) for t in options.threads},
                          "rows": [row_record(result, row) for row in result.rows if row.seconds]}
                         for result in results]}


FAMILIES = {"cnnc": "cnnc", "torch": "PyTorch", "keras": "Keras on TensorFlow", "jax": "JAX", "prototype": "prototype"}


def family(row):
    return next(name for word, name in FAMILIES.items() if row.name.startswith(word))


def bars(result, options):
    """The chart's panel: for each family its fastest row, on each number of threads; the fastest family first."""
    times = {}
    for row in filter(lambda row: row.seconds, result.rows):
        by = times.setdefault(family(row), {})
        by[row.threads] = min(row.median, by.get(row.threads, row.median))
    groups = sorted(times.items(), key=lambda item: item[1].get(options.threads[-1], float("inf")))
    panel = [chart.Group(name, "ours" if name == "cnnc" else "peer", by) for name, by in groups]
    roofline = {threads: result.roofline(threads) for threads in options.threads}
    return chart.Panel(result.network.name, panel + [chart.Group("dense roofline", "limit", roofline)])


# ---- the command -----------------------------------------------------------------------------------------------------

def networks(names):
    """Paths of networks, which may be given by name or path; 'all' is all of nets/."""
    folder = os.path.join(HERE, "nets")
    if names == ["all"]:
        names = sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".net"))
    paths = [name if name.endswith(".net") else os.path.join(folder, name + ".net") for name in names]
    for path in paths:
        if not os.path.exists(path):
            raise Failure(f"no network {path}")
    return [os.path.abspath(path) for path in paths]


def peer_names(text):
    """'torch' is both of PyTorch's manners."""
    known = {"torch": ["torch", "torch.compile"], "torch.eager": ["torch"], "torch.compile": ["torch.compile"],
             "keras": ["keras"], "jax": ["jax"]}
    words = [] if text in ("", "none") else text.split(",")
    for word in words:
        if word not in known:
            raise Failure(f"no peer '{word}'; there are {', '.join(known)}")
    return [name for word in words for name in known[word]]


def parse_options():
    parser = argparse.ArgumentParser(prog="train.sh", description="measures training epochs, ours and others'")
    parser.add_argument("nets", nargs="*", default=["mnist"], help="networks of nets/, paths, or 'all' (mnist)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender (5)")
    parser.add_argument("--images", type=int, default=EPOCH, help="most images of a turn (60000)")
    parser.add_argument("--seconds", type=float, default=3, help="a turn that would take longer has fewer images (3)")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, by commas (1,2)")
    parser.add_argument("--peers", default="torch,keras,jax", help="torch, keras, jax, none (torch,keras,jax)")
    parser.add_argument("--compilers", default="", help="gcc, clang (those that are there)")
    parser.add_argument("--variant", default="", help="avx512, avx2, vec16, scalar, by commas (the best)")
    parser.add_argument("--algorithm", default="", help="cnnc's --algorithm; several by commas (its default)")
    parser.add_argument("--prototype", metavar="FILE.c", help="a hand-written rival for mnist")
    parser.add_argument("--json", metavar="FILE", help="all numbers")
    parser.add_argument("--svg", metavar="FILE", help="a bar chart")
    options = parser.parse_args()
    options.threads = [int(text) for text in options.threads.split(",")]
    options.compilers = options.compilers.split(",") if options.compilers else build.compilers()
    return options


def prepare(options):
    options.nets = networks(options.nets)
    options.peers = peer_names(options.peers)
    environment.install(options.peers)
    options.peak = build.peak()
    options.runtimes = {name: build.runtime(name) for name in options.compilers}


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    options = parse_options()
    prepare(options)
    results = []
    for net in options.nets:
        results.append(measure_network(options, net))
        print(table(results[-1], options), flush=True)
        for warning in warnings(results[-1]):
            say(f"warning: {warning}")
        if options.json:
            write(options.json, json.dumps(record(results, options), indent=1) + "\n")
        if options.svg:
            labels = {threads: f"{threads} thread{'s' * (threads > 1)}" for threads in options.threads}
            write(options.svg, chart.svg([bars(result, options) for result in results], labels))


if __name__ == "__main__":
    run_program("train.sh", main)
