"""One rival in a process of its own: predicts with a network from its description when told to.

    predict_peer.py NAME THREADS BATCH

Reads commands from standard input, one a line, and answers each with a line of JSON; "outputs" and "go" as predict.c:

    load NET WEIGHTS IMAGES.npy     in each of the peer's manners, keeps the fastest:
                                    {"manner": ..., "version": ..., "empty": microseconds of a call that does nothing}
    outputs HOW FILE
    go HOW CALLS
"""

import gc
import importlib
import json
import os
import statistics
import sys

import numpy as np

import predict_network
from calls import percentiles, timed

# A peer is a module with version(), context() and manners(net, file of weights, threads); each manner is a label and a
# predictor. Its call(images, output) and empty_call() give what calls.py times.
PEERS = {
    "onnxruntime": ("predict_onnxruntime", {}),
    "openvino": ("predict_openvino", {}),
    "torch": ("predict_torch", {}),
    "torch.compile": ("predict_torch", {"compiled": True}),
}
CALIBRATION_CALLS, EMPTY_CALLS = 200, 2000


class Contender:
    """A predictor with calls for all examples, one by one and in batches."""

    def __init__(self, predictor, network, images, batch):
        self.outputs = {how: np.empty((len(images), *network.output.shape), np.float32) for how in (1, batch)}
        self.calls = {size: [predictor.call(images[i:i + size], self.outputs[size][i:i + size])
                             for i in range(0, len(images), size)] for size in (1, batch)}
        self.predictor, self.batch = predictor, batch

    def size(self, how):
        return self.batch if how == "many" else 1

    def go(self, how, count):
        return percentiles(timed(self.calls[self.size(how)], int(count), how == "cold"), self.size(how))

    def write(self, how, path):
        output = self.outputs[self.size(how)]
        output.fill(np.nan)
        for call in self.calls[self.size(how)]:
            call.ready()
            call.finish(call.run())
        output.tofile(path)
        return {"examples": len(output)}

    def empty(self):
        return statistics.median(timed([self.predictor.empty_call()], EMPTY_CALLS)) / 1000


def load(module, options, threads, batch, net, file, paths):
    network, images = predict_network.read(net), np.load(paths)
    made = {label: Contender(predictor, network, images, batch)
            for label, predictor in module.manners(net, file, threads, **options)}
    speeds = {label: contender.go("one", CALIBRATION_CALLS)["median"] for label, contender in made.items()}
    manner = min(speeds, key=speeds.get)
    return manner, made[manner]


def serve(module, options, threads, batch, answer):
    contender = None
    for line in sys.stdin:
        command, *words = line.split()
        if command == "load":
            contender = None
            manner, contender = load(module, options, threads, batch, *words)
            answer(manner=manner, version=module.version(), empty=contender.empty())
        elif command == "outputs":
            answer(**contender.write(*words))
        elif command == "go":
            answer(**contender.go(*words))
        gc.collect()


def main():
    # Libraries may print what they like: answers go to the real standard output, all else to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    module_name, options = PEERS[name]
    module = importlib.import_module(module_name)
    gc.disable()  # not while something is timed
    with module.context():
        serve(module, options, threads, batch, lambda **values: print(json.dumps(values), file=answers, flush=True))


if __name__ == "__main__":
    main()
