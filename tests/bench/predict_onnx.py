"""A network as an ONNX model.

It takes images with the channels first, as what runs such models has them, so that nothing is transposed in a
prediction; padding is Keras's, which ONNX can say. Dense kernels are permuted for it beforehand.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import description
import weights

OPSET, IR = 17, 8
ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "softmax": "Softmax"}
TYPES = {"u8": TensorProto.UINT8, "f32": TensorProto.FLOAT}


def shape_of(shape, batch):
    """With the channels first."""
    return [batch, shape[2], *shape[:2]] if len(shape) == 3 else [batch, *shape]


class Builder:
    """Nodes and constants of a model; each method gives the name of a value."""

    def __init__(self, network, tensors):
        self.network, self.tensors = network, tensors
        self.nodes, self.constants = [], []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name))
        return name

    def node(self, kind, inputs, name, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def activated(self, kind, value, name):
        if kind == "linear":
            return value
        attributes = {"axis": -1} if kind == "softmax" else {}
        return self.node(ACTIVATIONS[kind], [value], name, **attributes)

    def scaled(self, value):
        value = self.node("Cast", [value], "floats", to=TensorProto.FLOAT)
        if self.network.scale != 1:
            value = self.node("Mul", [value, self.constant("scale", self.network.scale)], "scaled")
        if self.network.offset != 0:
            value = self.node("Add", [value, self.constant("offset", self.network.offset)], "moved")
        return value

    def window(self, layer):
        size, strides = description.window(layer)
        (top, bottom), (left, right) = description.padding(layer, self.network.input_shape(layer))
        return {"kernel_shape": size, "strides": strides, "pads": [top, left, bottom, right]}

    def layer(self, layer, inputs):
        name = f"{layer.name}_out"
        if layer.kind == "conv2d":
            kernel = self.constant(f"{layer.name}_kernel", self.tensors[f"{layer.name}/kernel"].transpose(3, 2, 0, 1))
            bias = self.constant(f"{layer.name}_bias", self.tensors[f"{layer.name}/bias"])
            return self.node("Conv", [*inputs, kernel, bias], name, **self.window(layer))
        if layer.kind == "dense":
            rows = weights.channels_first(self.network, layer, self.tensors[f"{layer.name}/kernel"])
            kernel = self.constant(f"{layer.name}_kernel", rows)
            bias = self.constant(f"{layer.name}_bias", self.tensors[f"{layer.name}/bias"])
            return self.node("Gemm", [*inputs, kernel, bias], name)
        if layer.kind == "max_pooling2d":
            return self.node("MaxPool", inputs, name, **self.window(layer))
        if layer.kind == "average_pooling2d":
            return self.node("AveragePool", inputs, name, count_include_pad=0, **self.window(layer))
        if layer.kind == "flatten":
            return self.node("Flatten", inputs, name, axis=1)
        if layer.kind == "add":
            return self.node("Sum" if len(inputs) > 2 else "Add", inputs, name)
        return self.activated(layer.kind, inputs[0], name)

    def graph(self, batch):
        first, last = self.network.input, self.network.output
        values = {first.name: self.scaled("input")}
        for layer in self.network.layers[1:]:
            value = self.layer(layer, [values[name] for name in layer.inputs])
            values[layer.name] = self.activated(layer.activation, value, f"{layer.name}_activated")
        self.node("Identity", [values[last.name]], "output")
        source = helper.make_tensor_value_info("input", TYPES[self.network.input_type], shape_of(first.shape, batch))
        result = helper.make_tensor_value_info("output", TensorProto.FLOAT, shape_of(last.shape, batch))
        return helper.make_graph(self.nodes, self.network.name, [source], [result], self.constants)


def checked(graph):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def model_of(network, tensors, batch):
    """The model's bytes, for batches of one size."""
    return checked(Builder(network, tensors).graph(batch))


def empty_model():
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1]) for name in ("input", "output")]
    node = helper.make_node("Identity", ["input"], ["output"])
    return checked(helper.make_graph([node], "empty", ends[:1], ends[1:]))


# ---- for what runs models --------------------------------------------------------------------------------------------

class Predictor:
    """A model for each size of a batch, which `compiled` makes ready to run and `bound` binds to arrays."""

    def __init__(self, network, tensors, compiled, bound):
        self.network, self.tensors, self.compiled, self.bound = network, tensors, compiled, bound
        self.runners = {}

    def call(self, images, output):
        batch = len(images)
        if batch not in self.runners:
            self.runners[batch] = self.compiled(model_of(self.network, self.tensors, batch))
        if images.ndim == 4:
            images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        return self.bound(self.runners[batch], images, output)

    def empty_call(self):
        """Of a model that does nothing: what a call costs."""
        return self.bound(self.compiled(empty_model()), *(np.zeros((1, 1), np.float32) for _ in range(2)))
