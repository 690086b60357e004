"""The examples that networks are trained on, as .npy files that all contenders read.

28x28x1 inputs: the MNIST images of examples/mnist. Other shapes: synthetic images of as many classes as the network has
outputs, which it can learn, so that activations and gradients are as sparse as in training on real ones; bytes, or numbers
about 0. A network that gives back what it takes: vectors that few numbers decide, and noise.
"""

import gzip
import os

import numpy as np

import description

EXAMPLES, MOST_BYTES = 60000, 256 << 20  # of a file
SHAPES_PER_CLASS, GRID = 4, 4
HIDDEN = 6  # numbers that decide a vector


def read_idx(path):
    with gzip.open(path) as file:
        content = file.read()
    rank = content[3]
    shape = np.frombuffer(content, ">u4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def mnist(folder):
    images = read_idx(os.path.join(folder, "train-images-idx3-ubyte.gz"))
    labels = read_idx(os.path.join(folder, "train-labels-idx1-ubyte.gz"))
    return images[..., None], labels


def synthetic(shape, classes, count, seed=1):
    """Each class has some coarse patterns; an example is one of these, enlarged, moved, with contrast and noise."""
    random = np.random.default_rng(seed)
    height, width, channels = shape
    patterns = random.normal(size=(classes, SHAPES_PER_CLASS, GRID, GRID, channels))
    rows, columns = -(-height // GRID), -(-width // GRID)
    patterns = patterns.repeat(rows, axis=2).repeat(columns, axis=3)[:, :, :height, :width].astype(np.float32)
    labels = random.integers(classes, size=count).astype(np.uint8)
    images = np.empty((count,) + shape, np.uint8)
    for i, label in enumerate(labels):
        pattern = patterns[label, random.integers(SHAPES_PER_CLASS)]
        pattern = np.roll(pattern, random.integers(-2, 3, size=2), axis=(0, 1))
        noise = random.standard_normal(shape, dtype=np.float32)
        images[i] = np.clip(128 + random.uniform(15, 45) * pattern + 40 * noise, 0, 255)
    return images, labels


def vectors(length, count, seed=1):
    """Of mean 0 and about variance 1, a tenth of it noise."""
    random = np.random.default_rng(seed)
    hidden = random.standard_normal((count, HIDDEN), np.float32)
    x = np.tanh(hidden @ random.standard_normal((HIDDEN, 4 * HIDDEN), np.float32))
    x = x @ random.standard_normal((4 * HIDDEN, length), np.float32)
    return np.sqrt(0.9) * x / x.std() + np.sqrt(0.1) * random.standard_normal((count, length), np.float32)


def count(network):
    """So many examples there are of a network's data."""
    size = description.elements(network.input.shape) * (1 if network.input_type == "u8" else 4)
    return min(EXAMPLES, MOST_BYTES // size)


def examples(network, number, mnist_folder):
    """The first inputs and targets of a network's data."""
    shape = network.input.shape
    if shape == (28, 28, 1):
        return [part[:number] for part in mnist(mnist_folder)]
    if len(shape) == 1:
        inputs = vectors(shape[0], number).astype(np.float32)
        return inputs, inputs
    images, labels = synthetic(shape, network.output.shape[-1], number)
    return images if network.input_type == "u8" else (images / np.float32(64) - 2), labels


def prepare(network, mnist_folder, folder):
    """Makes the files unless they are there; 'X.npy,Y.npy'."""
    shape, classes = network.input.shape, network.output.shape[-1]
    name = "mnist" if shape == (28, 28, 1) else f"synthetic-{network.input_type}-{'x'.join(map(str, shape))}-{classes}"
    paths = [os.path.join(folder, f"{name}-{what}.npy") for what in ("inputs", "targets")]
    if not all(map(os.path.exists, paths)):
        os.makedirs(folder, exist_ok=True)
        for path, array in zip(paths, examples(network, count(network), mnist_folder)):
            np.save(path, array)
    return ",".join(paths)


# ---- for the peers ---------------------------------------------------------------------------------------------------

class Examples:
    """Inputs in the layout and type of the files; targets as class indices or numbers."""

    def __init__(self, paths):
        inputs, targets = paths.split(",")
        self.inputs = np.load(inputs)
        self.targets = np.load(targets)
        if self.targets.dtype.kind in "iu":
            self.targets = self.targets.astype(np.int64)


def batches(network, data, examples, random):
    """Index arrays of whole batches, an epoch after the other until there are enough."""
    size = network.batch_size
    for _ in range(0, examples, len(data.inputs)):
        whole = min(examples, len(data.inputs)) // size * size
        order = random.permutation(whole) if network.shuffle else np.arange(whole)
        yield from order.reshape(-1, size)
