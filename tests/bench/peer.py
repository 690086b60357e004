"""One rival framework in a process of its own: builds a network from its description and trains it when told to.

    peer.py NAME THREADS

Reads commands from standard input, one a line, and answers each with a line of JSON:

    load NET X.npy,Y.npy [input-gradient]
                   builds the network in each of the framework's manners, keeps the fastest: {"manner": ...}
    go EXAMPLES    trains on so many examples: {"seconds": ..., "loss": ...}
"""

import importlib
import json
import os
import statistics
import sys

import description
from data import Examples

# A peer is a module with version() and manners(kind, network, data, threads); each manner is a label and a function
# that makes a trainer. train(examples) of a trainer, in whole batches, gives seconds and the mean loss.
PEERS = {
    "torch": ("peer_torch", "eager"),
    "torch.compile": ("peer_torch", "compile"),
    "keras": ("peer_keras", "fit"),
    "jax": ("peer_jax", "jit"),
}
CALIBRATION_BATCHES, CALIBRATION_ROUNDS = 8, 3


def calibrate(trainers, batch_size):
    """Label of the fastest; the first call of each is not timed: it compiles."""
    for trainer in trainers.values():
        trainer.train(2 * batch_size)
    if len(trainers) == 1:
        return next(iter(trainers))
    times = {label: [] for label in trainers}
    for _ in range(CALIBRATION_ROUNDS):
        for label, trainer in trainers.items():
            times[label].append(trainer.train(CALIBRATION_BATCHES * batch_size)[0])
    return min(times, key=lambda label: statistics.median(times[label]))


def load(module, kind, threads, net, data, *words):
    network = description.read(net)
    network.input_gradient = "input-gradient" in words
    trainers = {label: make() for label, make in module.manners(kind, network, Examples(data), threads)}
    manner = calibrate(trainers, network.batch_size)
    return manner, trainers[manner]


def answer(stream, **values):
    print(json.dumps(values), file=stream, flush=True)


def main():
    # Libraries may print what they like: answers go to the real standard output, all else to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, threads = sys.argv[1], int(sys.argv[2])
    module_name, kind = PEERS[name]
    module = importlib.import_module(module_name)
    trainer = None
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "load":
            trainer = None
            manner, trainer = load(module, kind, threads, *rest)
            answer(answers, manner=manner, version=module.version())
        elif command == "go":
            seconds, loss = trainer.train(int(rest[0]))
            answer(answers, seconds=seconds, loss=loss)


if __name__ == "__main__":
    main()
