"""Calls of a peer that predicts, and their times."""

import time
from dataclasses import dataclass
from typing import Callable

import numpy as np

EVICTED_BYTES, WARM_CALLS = 64 << 20, 50


@dataclass
class Call:
    """A prediction of certain images."""
    run: Callable  # what is timed
    ready: Callable = lambda: None  # before it
    finish: Callable = lambda result: None  # after it: what run gave comes to the output


def percentiles(times, batch):
    """Microseconds an example, of nanoseconds a call; as predict.c has them."""
    times = np.sort(np.array(times)) / (1000 * batch)
    last = len(times) - 1
    return {"median": times[len(times) // 2], "p10": times[len(times) // 10], "p90": times[last - len(times) // 10],
            "least": times[0]}


def timed(calls, count, evict=False):
    """Nanoseconds of each of so many calls, which go round those given."""
    other = np.zeros(EVICTED_BYTES // 8 if evict else 0, np.int64)
    clock, times = time.perf_counter_ns, []
    for i in range(min(WARM_CALLS, count // 4 + 1)):
        calls[i % len(calls)].ready()
        calls[i % len(calls)].run()
    for i in range(count):
        call = calls[i % len(calls)]
        call.ready()
        run = call.run
        other[::8] += 1  # a line of the caches each
        start = clock()
        run()
        times.append(clock() - start)
    return times
