"""Reads the subset of the .net language that the benchmarks use, with shapes and the FLOPs of the dense network.

Enough for networks of one input and one output that are right: it checks nothing that cnnc has checked before.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction

POSITIONAL = {
    "conv2d": ("filters", "kernel"),
    "depthwise_conv2d": ("kernel",),
    "dense": ("units",),
    "max_pooling2d": ("pool",),
    "average_pooling2d": ("pool",),
    "dropout": ("rate",),
    "input": ("shape",),
}
ACTIVATIONS = ("relu", "relu6", "tanh", "sigmoid", "softmax", "linear")
CONVOLUTIONS = ("conv2d", "depthwise_conv2d")
KERNELS = CONVOLUTIONS + ("dense",)  # layers that have one
POOLINGS = ("max_pooling2d", "average_pooling2d")
ELEMENTWISE = ACTIVATIONS + ("add", "batch_normalization", "dropout")  # layers that leave the shape as it is


@dataclass
class Layer:
    name: str
    kind: str
    inputs: list  # names of the layers it reads
    options: dict
    shape: tuple = ()  # of one example of its output

    @property
    def activation(self):
        return self.options.get("activation", "linear")

    @property
    def bias(self):
        return self.options.get("use_bias", True)

    @property
    def multiplier(self):
        """Outputs of each channel of a depthwise convolution."""
        return self.options.get("depth_multiplier", 1)

    @property
    def momentum(self):
        """How much of the moving statistics a batch normalization keeps."""
        return self.options.get("momentum", 0.99)

    @property
    def epsilon(self):
        return self.options.get("epsilon", 1e-3)

    @property
    def l2(self):
        """The loss has so much of the kernel's squares."""
        word, options = call(self.options.get("kernel_regularizer", ""))
        assert word in ("", "l2")
        return options.get("l2", 0.01) if word else 0.0

    @property
    def he_normal(self):
        """Whether the kernel begins as he_normal; else, as Keras's default, glorot_uniform."""
        return self.options.get("kernel_initializer") == "he_normal"


@dataclass
class Network:
    name: str = ""
    layers: list = field(default_factory=list)  # the input first
    optimizer: str = "rmsprop"
    optimizer_options: dict = field(default_factory=dict)
    loss: str = ""
    metrics: list = field(default_factory=list)
    batch_size: int = 32
    shuffle: bool = True
    input_gradient: bool = False  # not of the language: whether training wants the gradient in the input

    @property
    def input(self):
        return self.layers[0]

    @property
    def output(self):
        return self.layers[-1]

    @property
    def scale(self):
        return self.input.options.get("scale", 1.0)

    @property
    def offset(self):
        return self.input.options.get("offset", 0.0)

    @property
    def input_type(self):
        return self.input.options.get("type", "f32")

    @property
    def regression(self):
        """Whether targets are numbers of the output's shape: here the inputs; else they are classes."""
        return self.loss == "mean_squared_error"

    def layer(self, name):
        return next(layer for layer in self.layers if layer.name == name)

    def input_shape(self, layer):
        return self.layer(layer.inputs[0]).shape


# ---- text ------------------------------------------------------------------------------------------------------------

def statements(text):
    """Lines without comments, continued lines joined."""
    text = re.sub(r"\\\n", " ", text)
    lines = (re.sub(r"#.*", "", line).strip() for line in text.split("\n"))
    return [line for line in lines if line]


def value(text):
    """A number, a truth value, a size (a tuple) or a word."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"\d+(x\d+)+", text):
        return tuple(int(n) for n in text.split("x"))
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    try:
        return float(Fraction(text))
    except ValueError:
        return text


def call(text):
    """'sgd(momentum=0.9)' as ('sgd', {'momentum': 0.9})."""
    word, _, rest = text.partition("(")
    pairs = (part.split("=") for part in rest.rstrip(")").split(",") if part.strip())
    return word, {key.strip(): value(number.strip()) for key, number in pairs}


def arguments(text):
    """Positional and keyword arguments, which spaces outside of parentheses separate; keywords stay text."""
    words = re.findall(r"(?:[^\s(]|\([^)]*\))+", text)
    positional = [word for word in words if not re.match(r"\w+=", word)]
    keywords = dict(word.split("=", 1) for word in words if re.match(r"\w+=", word))
    return positional, keywords


def read_layer(network, line, counts):
    named = re.match(r"(\w+) = (.*)", line)
    name, line = named.groups() if named else (None, line)
    line, _, sources = line.partition(" from ")
    kind, _, rest = line.partition(" ")
    positional, keywords = arguments(rest)
    options = dict(zip(POSITIONAL.get(kind, ()), map(value, positional)))
    options |= {key: value(text) for key, text in keywords.items()}
    if name is None:
        name = f"{kind}_{counts[kind]}" if counts.get(kind) else kind
        counts[kind] = counts.get(kind, 0) + 1
    inputs = re.split(r"[,\s]+", sources.strip()) if sources else []
    if not inputs and kind != "input":
        inputs = [network.output.name]
    layer = Layer(name, kind, inputs, options)
    layer.shape = output_shape(network, layer)
    network.layers.append(layer)


def read_compile(network, rest):
    _, keywords = arguments(rest)
    network.optimizer, network.optimizer_options = call(keywords.get("optimizer", "rmsprop"))
    network.loss = keywords["loss"]
    network.metrics = keywords.get("metrics", "").split(",") if "metrics" in keywords else []


def read_fit(network, rest):
    _, keywords = arguments(rest)
    network.batch_size = int(keywords.get("batch_size", 32))
    network.shuffle = keywords.get("shuffle", "true") == "true"


def read(path):
    """The network that a file describes."""
    network, counts = Network(), {}
    with open(path, encoding="utf-8") as file:
        for line in statements(file.read()):
            word, _, rest = line.partition(" ")
            if word == "network":
                network.name = rest.strip()
            elif word == "compile":
                read_compile(network, rest)
            elif word == "fit":
                read_fit(network, rest)
            else:
                read_layer(network, line, counts)
    return network


# ---- shapes ----------------------------------------------------------------------------------------------------------

def pair(size):
    return size if isinstance(size, tuple) else (size, size)


def window(layer):
    """Kernel or pool and strides of a convolution or pooling, each (height, width)."""
    size = pair(layer.options.get("kernel", layer.options.get("pool", 2)))
    default = 1 if layer.kind in CONVOLUTIONS else size
    return size, pair(layer.options.get("strides", default))


def padding(layer, shape):
    """Rows above and below, columns left and right: ((top, bottom), (left, right))."""
    size, strides = window(layer)
    if layer.options.get("padding", "valid") == "valid":
        return (0, 0), (0, 0)
    totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(shape, size, strides)]
    return tuple((total // 2, total - total // 2) for total in totals)


def output_shape(network, layer):
    if layer.kind == "input":
        shape = layer.options["shape"]
        return shape if isinstance(shape, tuple) else (shape,)
    shape = network.input_shape(layer)
    if layer.kind in CONVOLUTIONS + POOLINGS:
        size, strides = window(layer)
        padded = [n + sum(p) for n, p in zip(shape, padding(layer, shape))]
        outputs = tuple((n - k) // s + 1 for n, k, s in zip(padded, size, strides))
        return outputs + (layer.options.get("filters", shape[2] * layer.multiplier),)
    if layer.kind == "global_average_pooling2d":
        return shape[-1:]
    if layer.kind == "dense":
        return shape[:-1] + (layer.options["units"],)
    if layer.kind == "flatten":
        return (elements(shape),)
    if layer.kind in ELEMENTWISE:
        return shape
    raise ValueError(f"the benchmarks know no layer '{layer.kind}'")


def elements(shape):
    count = 1
    for n in shape:
        count *= n
    return count


# ---- the dense network's work ----------------------------------------------------------------------------------------

def layer_flops(network, layer):
    """Of one product of the layer: its output; the gradients in its weights and in its input cost as much each."""
    if layer.kind in CONVOLUTIONS:
        channels = network.input_shape(layer)[2] if layer.kind == "conv2d" else 1
        return 2 * elements(layer.shape) * elements(window(layer)[0]) * channels
    if layer.kind == "dense":
        return 2 * elements(layer.shape) * network.input_shape(layer)[-1]
    return 0


def has_weights_below(network, name):
    layer = network.layer(name)
    return layer.kind in KERNELS or any(has_weights_below(network, below) for below in layer.inputs)


def training_flops(network):
    """FLOPs of an example, forward and backward, every product of the description done densely. No gradient is
    computed in the network's input unless it is wanted."""
    total = 0
    for layer in network.layers:
        products = 2 + any(network.input_gradient or has_weights_below(network, below) for below in layer.inputs)
        total += products * layer_flops(network, layer)
    return total
