"""The examples that networks are trained on, as .npy files that all contenders read.

28x28x1 inputs: the MNIST images of examples/mnist. Other shapes: synthetic images of ten classes that a network can
learn, so that activations and gradients are as sparse as in training on real ones.
"""

import gzip
import os

import numpy as np

EXAMPLES, CLASSES = 60000, 10
SHAPES_PER_CLASS, GRID = 4, 4


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


def synthetic(shape, seed=1, count=EXAMPLES):
    """Each class has some coarse patterns; an example is one of these, enlarged, moved, with contrast and noise."""
    random = np.random.default_rng(seed)
    height, width, channels = shape
    patterns = random.normal(size=(CLASSES, SHAPES_PER_CLASS, GRID, GRID, channels))
    rows, columns = -(-height // GRID), -(-width // GRID)
    patterns = patterns.repeat(rows, axis=2).repeat(columns, axis=3)[:, :, :height, :width].astype(np.float32)
    labels = random.integers(CLASSES, size=count).astype(np.uint8)
    images = np.empty((count,) + shape, np.uint8)
    for i, label in enumerate(labels):
        pattern = patterns[label, random.integers(SHAPES_PER_CLASS)]
        pattern = np.roll(pattern, random.integers(-2, 3, size=2), axis=(0, 1))
        noise = random.standard_normal(shape, dtype=np.float32)
        images[i] = np.clip(128 + random.uniform(15, 45) * pattern + 40 * noise, 0, 255)
    return images, labels


def prepare(shape, mnist_folder, folder):
    """Makes the files unless they are there; 'X.npy,Y.npy'."""
    name = "mnist" if shape == (28, 28, 1) else "synthetic-" + "x".join(map(str, shape))
    paths = [os.path.join(folder, f"{name}-{what}.npy") for what in ("images", "labels")]
    if not all(map(os.path.exists, paths)):
        os.makedirs(folder, exist_ok=True)
        images, labels = mnist(mnist_folder) if name == "mnist" else synthetic(shape)
        np.save(paths[0], images)
        np.save(paths[1], labels)
    return ",".join(paths)


# ---- for the peers ---------------------------------------------------------------------------------------------------

class Examples:
    """Inputs in the layout and type of the files; targets as class indices."""

    def __init__(self, paths):
        inputs, targets = paths.split(",")
        self.inputs = np.load(inputs)
        self.classes = np.load(targets).astype(np.int64)


def batches(network, data, examples, random):
    """Index arrays of whole batches, an epoch after the other until there are enough."""
    size = network.batch_size
    for _ in range(0, examples, len(data.classes)):
        count = min(examples, len(data.classes)) // size * size
        order = random.permutation(count) if network.shuffle else np.arange(count)
        yield from order.reshape(-1, size)
