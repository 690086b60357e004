"""A network as an ONNX model, as cnnc exports it.

What runs such models has channels first: where cnnc's model begins by transposing, it is given images that lie so and
transposes nothing. Batches have one size, which is known beforehand.
"""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper

import build

ELEMENTWISE = ("Cast", "Mul", "Add")


def exported(net, weights):
    path = build.path("predict", f"{os.path.basename(net)}.{os.getpid()}.onnx")
    build.run([build.CNNC, "export", net, "--weights", weights, "-o", path])
    model = onnx.load(path)
    os.remove(path)
    return model


def leading_transpose(graph):
    """The transposition of the input to channels first, behind nothing but its scaling; None: there is none."""
    value, scalars = graph.input[0].name, {tensor.name for tensor in graph.initializer if not tensor.dims}
    while True:
        readers = [node for node in graph.node if value in node.input]
        if len(readers) != 1:
            return None
        node = readers[0]
        if node.op_type == "Transpose":
            return node if list(node.attribute[0].ints) == [0, 3, 1, 2] else None
        if node.op_type not in ELEMENTWISE or any(name not in scalars for name in node.input if name != value):
            return None
        value = node.output[0]


def take_channels_first(graph):
    """Whether it does so now."""
    node = leading_transpose(graph)
    if node is None:
        return False
    for other in graph.node:
        for i, name in enumerate(other.input):
            if name == node.output[0]:
                other.input[i] = node.input[0]
    graph.node.remove(node)
    dims = graph.input[0].type.tensor_type.shape.dim
    height, width, channels = (dim.dim_value for dim in dims[1:])
    for dim, value in zip(dims[1:], (channels, height, width)):
        dim.dim_value = value
    return True


def of_batch(model, batch):
    """The model's bytes, for batches of one size."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in [*sized.graph.input, *sized.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = batch
    onnx.checker.check_model(sized, full_check=True)
    return sized.SerializeToString()


def empty_model():
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1]) for name in ("input", "output")]
    node = helper.make_node("Identity", ["input"], ["output"])
    graph = helper.make_graph([node], "empty", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


# ---- for what runs models --------------------------------------------------------------------------------------------

class Predictor:
    """A model for each size of a batch, which `compiled` makes ready to run and `bound` binds to arrays."""

    def __init__(self, net, weights, compiled, bound):
        self.model, self.compiled, self.bound = exported(net, weights), compiled, bound
        self.first = take_channels_first(self.model.graph)
        self.runners = {}

    def call(self, images, output):
        batch = len(images)
        if batch not in self.runners:
            self.runners[batch] = self.compiled(of_batch(self.model, batch))
        if self.first:
            images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        return self.bound(self.runners[batch], images, output)

    def empty_call(self):
        """Of a model that does nothing: what a call costs."""
        return self.bound(self.compiled(empty_model()), *(np.zeros((1, 1), np.float32) for _ in range(2)))
