"""Weights of networks that were not trained, so that all contenders of a benchmark compute the same."""

import json

import numpy as np

import description

BIAS = 0.05  # biases are none to leave out
NORMALIZATION = (("gamma", 1, 0.2), ("beta", 0, BIAS), ("moving_mean", 0, BIAS), ("moving_variance", 1, 0.2))


def he(random, shape, inputs):
    """He's uniform distribution: outputs of networks with relu differ as much as their inputs do."""
    limit = np.sqrt(6 / inputs)
    return random.uniform(-limit, limit, shape).astype(np.float32)


def kernel_shape(network, layer):
    """In Keras's layouts: height x width x in x out, or in x outputs of each; in x out."""
    outputs = layer.multiplier if layer.kind == "depthwise_conv2d" else layer.shape[-1]
    window = description.window(layer)[0] if layer.kind in description.CONVOLUTIONS else ()
    return (*window, network.input_shape(layer)[-1], outputs)


def kernel(random, network, layer):
    """Of the first layer so much smaller as bytes that are not scaled are large."""
    shape = kernel_shape(network, layer)
    products = description.elements(shape[:-2] if layer.kind == "depthwise_conv2d" else shape[:-1])
    large = 255 * network.scale if network.input_type == "u8" and layer.inputs == [network.input.name] else 1
    return he(random, shape, products) / np.float32(max(large, 1))


def initial(network, seed=1):
    """By name as cnnc's files of weights have them."""
    random, tensors = np.random.default_rng(seed), {}
    for layer in network.layers:
        if layer.kind in description.KERNELS:
            tensors[f"{layer.name}/kernel"] = kernel(random, network, layer)
        if layer.kind in description.KERNELS and layer.bias:
            tensors[f"{layer.name}/bias"] = random.uniform(-BIAS, BIAS, layer.shape[-1]).astype(np.float32)
        if layer.kind == "batch_normalization":
            for name, middle, width in NORMALIZATION:
                numbers = random.uniform(middle - width, middle + width, layer.shape[-1])
                tensors[f"{layer.name}/{name}"] = numbers.astype(np.float32)
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
