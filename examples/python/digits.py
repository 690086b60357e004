"""Trains a network of cnnc's on MNIST and reads digits with it.

    python3 digits.py LIBRARY FOLDER       LIBRARY: libdigits_net.so; FOLDER has the MNIST files
"""

import gzip
import sys

import numpy as np

from cnnc import Net


def mnist(folder, split):
    with gzip.open(f"{folder}/{split}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28, 1)
    with gzip.open(f"{folder}/{split}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int32)
    return images, labels


def main(library, folder):
    net = Net(library, "digits")
    images, labels = mnist(folder, "train")
    test_images, test_labels = mnist(folder, "t10k")
    random = np.random.default_rng(0)

    def accuracy():
        (probabilities,) = net.predict([test_images])
        return np.mean(probabilities.argmax(axis=1) == test_labels)

    print(f"before: accuracy {accuracy():.4f}")
    order = random.permutation(len(images)).astype(np.uint32)
    for first in range(0, len(order), 64):
        loss, _ = net.train([images], [labels], order[first : first + 64])
    print(f"after: accuracy {accuracy():.4f}, loss of the last batch {loss:.4f}")

    for name, array in net.weights().items():
        print(f"{name:16} {array.shape!s:15} mean {array.mean():+.4f}")
    bias = net.weights()["dense/bias"]
    bias[7] = 100  # seen by the network at once: it is its own memory
    net.changed()
    print("with another bias everything is a", *set(net.predict([test_images])[0].argmax(axis=1)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: digits.py LIBRARY FOLDER")
    main(*sys.argv[1:])
