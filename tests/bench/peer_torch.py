"""PyTorch: eager or torch.compile, in contiguous (NCHW) and channels-last layout."""

import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import description
from data import batches


def version():
    return f"PyTorch {torch.__version__}"


class Window(nn.Module):
    """What convolutions and poolings share. Padding that is the same on both sides, or that may be without changing
    the output's shape, is left to PyTorch's operator, as its users would do; other padding is a copy of its own.
    For strides above 1 the windows then lie otherwise than Keras's: the same work on other pixels."""

    def __init__(self, layer, shape):
        super().__init__()
        self.size, self.strides = description.window(layer)
        sides = description.padding(layer, shape)
        self.padding = tuple((sum(side) + 1) // 2 for side in sides)
        self.ceil = False
        outputs = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(shape, self.padding, self.size, self.strides)]
        self.copied = None
        if tuple(outputs) != layer.shape[:2]:
            (top, bottom), (left, right) = sides
            self.copied, self.padding = (left, right, top, bottom), (0, 0)

    def padded(self, x, value=0.0):
        return x if self.copied is None else F.pad(x, self.copied, value=value)


class Convolution(Window):
    def __init__(self, layer, shape):
        super().__init__(layer, shape)
        self.conv = nn.Conv2d(shape[2], layer.shape[2], self.size, self.strides, self.padding)
        nn.init.xavier_uniform_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def forward(self, x):
        return self.conv(self.padded(x))


class MaxPooling(Window):
    def forward(self, x):
        return F.max_pool2d(self.padded(x, -float("inf")), self.size, self.strides, self.padding)


class AveragePooling(Window):
    def forward(self, x):
        assert self.copied is None
        return F.avg_pool2d(x, self.size, self.strides, self.padding, count_include_pad=False)


def dense(layer, shape):
    module = nn.Linear(shape[-1], layer.shape[-1])
    nn.init.xavier_uniform_(module.weight)
    nn.init.zeros_(module.bias)
    return module


def module_of(network, layer):
    """The layer's module, without its activation; None where forward does it."""
    make = {
        "conv2d": Convolution,
        "max_pooling2d": MaxPooling,
        "average_pooling2d": AveragePooling,
        "dense": dense,
        "flatten": lambda layer, shape: nn.Flatten(),
    }.get(layer.kind)
    return make(layer, network.input_shape(layer)) if make else None


def activate(kind, x):
    return {"relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}.get(kind, lambda x: x)(x)


class Model(nn.Module):
    """The network up to the softmax's input, on which the loss works."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.parts = nn.ModuleDict()
        for layer in network.layers[1:]:
            module = module_of(network, layer)
            if module is not None:
                self.parts[layer.name + "_"] = module

    def forward(self, x):
        values = {self.network.input.name: x}
        for layer in self.network.layers[1:]:
            inputs = [values[name] for name in layer.inputs]
            if layer.kind == "add":
                y = sum(inputs[1:], inputs[0])
            elif layer.kind in description.ACTIVATIONS:
                y = activate(layer.kind, inputs[0])
            else:
                y = self.parts[layer.name + "_"](inputs[0])
            values[layer.name] = activate(layer.activation, y)
        return values[self.network.output.name]


def optimizer_of(network, parameters):
    """PyTorch adds RMSprop's epsilon to the root, Keras under it."""
    get = network.optimizer_options.get
    if network.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=get("learning_rate", 0.01), momentum=get("momentum", 0.0),
                               nesterov=get("nesterov", False), fused=True)
    return torch.optim.RMSprop(parameters, lr=get("learning_rate", 0.001), alpha=get("rho", 0.9),
                               eps=get("epsilon", 1e-7) ** 0.5, momentum=get("momentum", 0.0), foreach=True)


class Trainer:
    def __init__(self, network, data, layout, compiled):
        torch.manual_seed(0)
        self.network, self.data, self.layout = network, data, layout
        self.random = np.random.default_rng(0)
        self.inputs = self.stored_inputs(data)
        self.classes = torch.from_numpy(data.classes)
        self.model = Model(network).to(memory_format=layout)
        self.optimizer = optimizer_of(network, self.model.parameters())
        self.loss = self.batch_loss
        self.update = self.optimizer.step
        if compiled:
            self.loss = torch.compile(self.batch_loss, dynamic=False)
            self.update = torch.compile(self.optimizer.step)

    def stored_inputs(self, data):
        inputs = torch.from_numpy(data.inputs)
        if inputs.dim() == 4 and self.layout == torch.contiguous_format:
            inputs = inputs.permute(0, 3, 1, 2).contiguous()
        return inputs

    def batch(self, index):
        """The examples as the model wants them: NCHW by shape, in memory as the layout says."""
        if self.network.shuffle:
            index = torch.from_numpy(index)
            x, classes = self.inputs[index], self.classes[index]
        else:
            rows = slice(int(index[0]), int(index[-1]) + 1)
            x, classes = self.inputs[rows], self.classes[rows]
        if x.dim() == 4 and self.layout == torch.channels_last:
            x = x.permute(0, 3, 1, 2)
        if self.network.input_gradient:
            x = x.detach().requires_grad_()
        return x, classes

    def batch_loss(self, x, classes):
        x = x if x.dtype == torch.float32 else x.float()
        if self.network.scale != 1 or self.network.offset != 0:
            x = x * self.network.scale + self.network.offset
        logits = self.model(x)
        hits = (logits.detach().argmax(1) == classes).sum() if "accuracy" in self.network.metrics else None
        return F.cross_entropy(logits, classes), hits

    def train(self, examples):
        start, total, hits, steps = time.perf_counter(), torch.zeros(()), torch.zeros((), dtype=torch.int64), 0
        for index in batches(self.network, self.data, examples, self.random):
            x, classes = self.batch(index)
            self.optimizer.zero_grad(set_to_none=True)
            loss, batch_hits = self.loss(x, classes)
            loss.backward()
            self.update()
            total += loss.detach()
            if batch_hits is not None:
                hits += batch_hits
            steps += 1
        return time.perf_counter() - start, float(total) / steps


def manners(kind, network, data, threads):
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    layouts = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}
    if len(network.input.shape) != 3:
        layouts = {"": torch.contiguous_format}
    for label, layout in layouts.items():
        yield label, lambda layout=layout: Trainer(network, data, layout, kind == "compile")
