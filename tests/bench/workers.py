"""Contenders as processes: pinned to their processors, stopped while it is another's turn.

A worker answers a line on its standard input with a line of JSON on its standard output (driver.c, peak.c, peer.py).
"""

import atexit
import json
import os
import re
import signal
import subprocess
import sys

EPOCH = 60000  # examples that times are scaled to


class Failure(Exception):
    """A contender that cannot run; its message is for the user."""


def run_program(name, main):
    """A benchmark's program: what failed is one line, Ctrl-C ends it as usual; SIGTERM too ends its workers with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Failure as failure:
        sys.exit(f"{name}: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


def first_of_core(cpu):
    """The processor that stands for this one's core, itself where nothing is known."""
    try:
        with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", encoding="ascii") as file:
            return int(re.split("[-,]", file.read())[0])
    except (OSError, ValueError):
        return cpu


def processors(threads):
    """So many processors, of different cores as long as there are any."""
    allowed = sorted(os.sched_getaffinity(0), key=lambda cpu: (first_of_core(cpu) != cpu, cpu))
    if len(allowed) < threads:
        raise Failure(f"{threads} threads, but {len(allowed)} processors")
    return allowed[:threads]


def pinned(command, threads):
    return ["taskset", "-c", ",".join(map(str, processors(threads)))] + command


def settings(threads):
    """What libraries read from the environment: about threads, and that all is done on processors."""
    environment = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
                   "TORCHINDUCTOR_COMPILE_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu",
                   "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if threads == 1:
        environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return environment


class Worker:
    """A persistent process."""

    def __init__(self, command, threads, log):
        self.log = log
        with open(log, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(pinned(command, threads), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, text=True, env=os.environ | settings(threads))
        atexit.register(self.close)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(self.last_words())
        return json.loads(line)

    def last_words(self):
        self.process.wait()
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = file.read().strip().split("\n")
        return f"{lines[-1] or 'ended'} (all of it: {os.path.relpath(self.log)})"

    def ask(self, command):
        """The answer to a command; the process is stopped before and after."""
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failure(self.last_words()) from None
        answer = self.read()
        self.process.send_signal(signal.SIGSTOP)
        return answer

    def go(self, examples, command="go"):
        """Seconds and loss of training on so many examples."""
        answer = self.ask(f"{command} {examples}")
        return answer["seconds"], answer["loss"]

    def close(self):
        self.process.kill()
        self.process.wait()


class Program:
    """A program that is started for each turn, as MNIST=folder PROGRAM EPOCHS THREADS; each epoch is all of MNIST. The
    first epoch warms up, the second counts, whatever examples are asked for."""

    def __init__(self, program, threads, mnist):
        self.command = pinned([program, "2", str(threads)], threads)
        self.environment = os.environ | {"MNIST": mnist}

    def go(self, examples):
        output = subprocess.run(self.command, env=self.environment, text=True, capture_output=True, check=False)
        epochs = re.findall(r"epoch \d+\s+([\d.]+) s(?:\s+loss ([\d.]+))?", output.stdout)
        if output.returncode or len(epochs) < 2:
            raise Failure((output.stderr or output.stdout).strip().split("\n")[-1] or "ended without a word")
        seconds, loss = epochs[-1]
        return float(seconds), float(loss or "nan")

    def close(self):
        pass
