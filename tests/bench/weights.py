"""Weights of networks that were not trained, so that all contenders of a benchmark compute the same."""

import json

import numpy as np

import description

BIAS = 0.05  # biases are none to leave out


def he(random, shape, inputs):
    """He's uniform distribution: outputs of networks with relu differ as much as their inputs do."""
    return random.uniform(-1, 1, shape) * np.sqrt(6 / inputs)


def between(least, most):
    return lambda random, shape, kind: random.uniform(least, most, shape)


def kernel(random, shape, kind):
    """Of a depthwise convolution each channel's taps are all that an output sees; of a transposed one the channels of
    its input come last."""
    if kind.startswith("Depthwise"):
        shape_seen = shape[:-2]
    elif kind.endswith("Transpose"):
        shape_seen = (*shape[:-2], shape[-1])
    else:
        shape_seen = shape[:-1]
    return he(random, shape, description.elements(shape_seen))


# By the name of a weight; others are biases, or like them.
DRAWS = {"kernel": kernel, "pointwise_kernel": kernel, "gamma": between(0.5, 1.5), "moving_variance": between(0.5, 1.5),
         "depthwise_kernel": lambda random, shape, kind: kernel(random, shape, "Depthwise"), "embeddings": between(-1, 1),
         "recurrent_kernel": lambda random, shape, kind: he(random, shape, 6 * shape[0]), "alpha": between(0, 0.5)}


def initial(network, seed=1):
    """By name as cnnc's files of weights have them, in Keras's layouts: height x width x in x out; in x out."""
    random, tensors = np.random.default_rng(seed), {}
    for name, shape in network.parameters.items():
        draw = DRAWS.get(name.rsplit("/", 1)[-1], between(-BIAS, BIAS))
        tensor = draw(random, shape, network.kinds[name.split("/")[0]])
        if not tensors and network.input.type == "u8":  # the first kernel is the smaller the larger the bytes are
            tensor /= max(255 * network.scale, 1)
        tensors[name] = tensor.astype(np.float32)
    return tensors


def flattened_shape(network, layer):
    """What a dense layer's input was before it was flattened, (height, width, channels); None if it was not."""
    below = network.layer(layer.inputs[0])
    shape = network.input_shape(below) if below.kind == "flatten" else ()
    return shape if len(shape) == 3 else None


def channels_first(network, layer, kernel):
    """A dense layer's kernel for an input that was flattened with the channels first."""
    shape = flattened_shape(network, layer)
    if shape is None:
        return kernel
    return np.ascontiguousarray(kernel.reshape(*shape, -1).transpose(2, 0, 1, 3).reshape(kernel.shape))


# ---- safetensors files of 32-bit floats ------------------------------------------------------------------------------

def save(path, tensors):
    head, at = {}, 0
    for name, tensor in tensors.items():
        head[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [at, at + tensor.nbytes]}
        at += tensor.nbytes
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.astype("<f4").tobytes())


def load(path):
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        head, content = json.loads(file.read(size)), file.read()
    return {name: np.frombuffer(content[slice(*about["data_offsets"])], "<f4").reshape(about["shape"])
            for name, about in head.items() if name != "__metadata__"}
