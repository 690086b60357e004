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


def initialize(layer, module):
    """As Keras does by default, or he_normal."""
    if layer.he_normal:
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    else:
        nn.init.xavier_uniform_(module.weight)
    if layer.bias:
        nn.init.zeros_(module.bias)


class Convolution(Window):
    def __init__(self, layer, shape):
        super().__init__(layer, shape)
        groups = shape[2] if layer.kind == "depthwise_conv2d" else 1
        self.conv = nn.Conv2d(shape[2], layer.shape[2], self.size, self.strides, self.padding,
                              groups=groups, bias=layer.bias)
        initialize(layer, self.conv)

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
    module = nn.Linear(shape[-1], layer.shape[-1], bias=layer.bias)
    initialize(layer, module)
    return module


def batch_normalization(layer, shape):
    """PyTorch's momentum is the part of the new."""
    kind = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
    return kind(shape[-1], eps=layer.epsilon, momentum=1 - layer.momentum)


def module_of(network, layer):
    """The layer's module, without its activation; None where forward does it."""
    make = {
        "conv2d": Convolution,
        "depthwise_conv2d": Convolution,
        "max_pooling2d": MaxPooling,
        "average_pooling2d": AveragePooling,
        "global_average_pooling2d": lambda layer, shape: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "dense": dense,
        "batch_normalization": batch_normalization,
        "dropout": lambda layer, shape: nn.Dropout(layer.options["rate"]),
        "flatten": lambda layer, shape: nn.Flatten(),
    }.get(layer.kind)
    return make(layer, network.input_shape(layer)) if make else None


def activate(kind, x):
    return {"relu": F.relu, "relu6": F.relu6, "tanh": torch.tanh, "sigmoid": torch.sigmoid}.get(kind, lambda x: x)(x)


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


def parameter_groups(network, model):
    """What l2 adds to gradients is PyTorch's weight_decay, as its users have it: the loss that is told is without it."""
    groups = {}
    for layer in network.layers[1:]:
        module = getattr(model.parts, layer.name + "_", None)
        for name, parameter in module.named_parameters() if module else ():
            groups.setdefault(2 * layer.l2 * name.endswith("weight"), []).append(parameter)
    return [{"params": parameters, "weight_decay": decay} for decay, parameters in groups.items()]


def optimizer_of(network, parameters):
    """PyTorch adds RMSprop's epsilon to the root, Keras under it."""
    get = network.optimizer_options.get
    if network.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=get("learning_rate", 0.001), eps=get("epsilon", 1e-7),
                                betas=(get("beta_1", 0.9), get("beta_2", 0.999)), fused=True)
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
        self.targets = torch.from_numpy(data.targets)
        self.model = Model(network).to(memory_format=layout)
        self.optimizer = optimizer_of(network, parameter_groups(network, self.model))
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
            x, targets = self.inputs[index], self.targets[index]
        else:
            rows = slice(int(index[0]), int(index[-1]) + 1)
            x, targets = self.inputs[rows], self.targets[rows]
        if x.dim() == 4 and self.layout == torch.channels_last:
            x = x.permute(0, 3, 1, 2)
        if self.network.input_gradient:
            x = x.detach().requires_grad_()
        return x, targets

    def batch_loss(self, x, targets):
        x = x if x.dtype == torch.float32 else x.float()
        if self.network.scale != 1 or self.network.offset != 0:
            x = x * self.network.scale + self.network.offset
        y = self.model(x)
        hits = (y.detach().argmax(1) == targets).sum() if "accuracy" in self.network.metrics else None
        return F.mse_loss(y, targets) if self.network.regression else F.cross_entropy(y, targets), hits

    def train(self, examples):
        start, total, hits, steps = time.perf_counter(), torch.zeros(()), torch.zeros((), dtype=torch.int64), 0
        for index in batches(self.network, self.data, examples, self.random):
            x, targets = self.batch(index)
            self.optimizer.zero_grad(set_to_none=True)
            loss, batch_hits = self.loss(x, targets)
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
