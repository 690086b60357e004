"""PyTorch that predicts, eager or by torch.compile; in inference mode, without anything of autograd."""

import numpy as np
import torch

import description
import peer_torch
import weights
from calls import Call

context, version = torch.inference_mode, peer_torch.version


def lie_as_keras(network, layer, module):
    """Windows lie where Keras's do: padding that is not the same on both sides is a copy, PyTorch has no other."""
    (top, bottom), (left, right) = description.padding(layer, network.input_shape(layer))
    if (top, left) == (bottom, right):
        module.copied, module.padding = None, (top, left)
    else:
        module.copied, module.padding = (left, right, top, bottom), (0, 0)
    if layer.kind in description.CONVOLUTIONS:
        module.conv.padding = module.padding


NORMALIZATION = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def set_weights(network, layer, module, tensors):
    own = {name: torch.from_numpy(np.array(tensor)) for path, tensor in tensors.items()
           for above, name in [path.split("/")] if above == layer.name}
    if layer.kind == "batch_normalization":
        for name, keras_name in NORMALIZATION.items():
            getattr(module, name).data = own[keras_name]
        return
    if layer.kind == "dense":
        kernel = torch.from_numpy(weights.channels_first(network, layer, own["kernel"].numpy())).t()
    else:
        order = (2, 3, 0, 1) if layer.kind == "depthwise_conv2d" else (3, 2, 0, 1)
        module, kernel = module.conv, own["kernel"].permute(order).reshape(module.conv.weight.shape)
    module.weight.data = kernel.contiguous()
    if layer.bias:
        module.bias.data = own["bias"]


class Predictor(torch.nn.Module):
    """From bytes to what the network gives: Model stops before the softmax."""

    def __init__(self, network, tensors):
        super().__init__()
        self.network, self.model = network, peer_torch.Model(network)
        for layer in network.layers[1:]:
            module = getattr(self.model.parts, layer.name + "_", None)
            if isinstance(module, peer_torch.Window):
                lie_as_keras(network, layer, module)
            if layer.kind in description.KERNELS + ("batch_normalization",):
                set_weights(network, layer, module, tensors)
        last = network.output
        self.softmax = "softmax" in (last.kind, last.activation)

    def forward(self, x):
        x = x.float()
        if self.network.scale != 1:
            x = x * self.network.scale
        if self.network.offset != 0:
            x = x + self.network.offset
        y = self.model(x)
        return torch.softmax(y, -1) if self.softmax else y


class Torch:
    """In one layout, eager or compiled."""

    def __init__(self, network, tensors, layout, compiled):
        self.layout = layout
        self.model = Predictor(network, tensors).eval().to(memory_format=layout)
        if compiled:
            self.model = torch.compile(self.model, dynamic=False)

    def call(self, images, output):
        x = torch.from_numpy(images)
        if x.dim() == 4:
            x = x.permute(0, 3, 1, 2).contiguous(memory_format=self.layout)
        return Call(lambda: self.model(x), finish=lambda y: np.copyto(output, y.numpy()))

    def empty_call(self):
        x, nothing = torch.zeros(1, 1), torch.nn.Identity()
        return Call(lambda: nothing(x))


def manners(net, file, threads, compiled=False):
    network, tensors = description.read(net), weights.load(file)
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    layouts = {"channels last": torch.channels_last, "contiguous": torch.contiguous_format}
    if all(layer.kind != "conv2d" for layer in network.layers):
        layouts = {"": torch.contiguous_format}
    for label, layout in layouts.items():
        yield label, Torch(network, tensors, layout, compiled)
