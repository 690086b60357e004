#!/usr/bin/env python3
"""make.py: the ONNX models of this folder, small networks as exporters write them, with random weights, an input and onnxruntime's outputs.

    python3 make.py        needs onnx, onnxruntime and numpy; what is there already is made anew, the same but for rounding
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))


class Net:
    """Nodes and weights of one model."""

    def __init__(self, name, opset=13):
        self.name, self.opset = name, opset
        self.random = np.random.default_rng(sum(map(ord, name)))
        self.nodes, self.weights, self.count = [], [], 0

    def weight(self, *shape, scale=None, values=None, dtype=np.float32):
        if values is None:
            fan = np.prod(shape[1:]) if len(shape) > 1 else 1
            values = self.random.normal(0, scale or (1 / np.sqrt(fan)), shape)
        self.count += 1
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), f"w{self.count}"))
        return f"w{self.count}"

    def ints(self, *values):
        return self.weight(values=values, dtype=np.int64)

    def add(self, op, *inputs, outputs=1, **attributes):
        self.count += 1
        names = [f"/{op.lower()}_{self.count}/{op}_output_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, name=f"/{op.lower()}_{self.count}/{op}", **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, channels, filters, kernel=3, group=1, bias=True, **attributes):
        attributes.setdefault("pads", [kernel // 2] * 4)
        w = [self.weight(filters, channels // group, kernel, kernel)] + ([self.weight(filters, scale=0.3)] if bias else [])
        return self.add("Conv", x, *w, kernel_shape=[kernel, kernel], group=group, **attributes)

    def norm(self, x, channels):
        stats = [self.weight(values=self.random.uniform(0.5, 1.5, channels)), self.weight(channels, scale=0.2), self.weight(channels, scale=0.2),
                 self.weight(values=self.random.uniform(0.5, 1.5, channels))]
        return self.add("BatchNormalization", x, *stats, epsilon=1e-5)

    def dense(self, x, n, m):
        return self.add("Gemm", x, self.weight(m, n), self.weight(m, scale=0.3), transB=1)

    def linear(self, x, n, m):
        return self.add("Add", self.add("MatMul", x, self.weight(n, m, scale=1 / np.sqrt(n))), self.weight(m, scale=0.3))

    def save(self, inputs, outputs):
        """inputs: name, shape with 'N' for the batch, array."""
        kinds = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64, np.dtype(np.uint8): TensorProto.UINT8}
        given = [helper.make_tensor_value_info(n, kinds[a.dtype], s) for n, s, a in inputs]
        arrays = {n: a for n, _, a in inputs}

        def model_with(shapes):
            made = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in zip(outputs, shapes)]
            graph = helper.make_graph(self.nodes, self.name, given, made, self.weights)
            return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=7)

        session = onnxruntime.InferenceSession(model_with([None] * len(outputs)).SerializeToString(), providers=["CPUExecutionProvider"])
        results = session.run(None, arrays)
        model = model_with([["N", *r.shape[1:]] for r in results])
        onnx.checker.check_model(model)
        data = os.path.join(HERE, self.name, "test_data_set_0")
        os.makedirs(data, exist_ok=True)
        onnx.save(model, os.path.join(HERE, self.name, "model.onnx"))
        for kind, arrays in (("input", [a for _, _, a in inputs]), ("output", results)):
            for i, a in enumerate(arrays):
                with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as f:
                    f.write(numpy_helper.from_array(a).SerializeToString())


def image(net, *shape):
    return net.random.normal(0, 1, shape).astype(np.float32)


def cnn():
    """Convolutions of padding that Keras has not, a pooling that hangs over, a flatten of channels first."""
    n = Net("cnn")
    x = n.add("Relu", n.norm(n.conv("x", 3, 8, 3, bias=False, strides=[2, 2], pads=[1, 1, 1, 1]), 8))
    x = n.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = n.add("LeakyRelu", n.conv(x, 8, 6), alpha=0.1)
    x = n.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = n.add("Dropout", n.add("Relu", n.dense(n.add("Flatten", x), 24, 10)))
    y = n.add("Softmax", n.dense(x, 10, 4), axis=1)
    n.save([("x", ["N", 3, 16, 14], image(n, 3, 3, 16, 14))], [y])


def pixels():
    """Bytes that the network itself makes numbers of; a convolution in one dimension; a softmax over all that is behind its axis."""
    n = Net("pixels", 10)
    x = n.add("Mul", n.add("Cast", "x", to=TensorProto.FLOAT), n.weight(values=1 / 255))
    x = n.add("Conv", x, n.weight(6, 4, 3), n.weight(6), pads=[2, 0], strides=[2])
    x = n.add("Softmax", n.add("MaxPool", n.add("Softplus", x), kernel_shape=[3], strides=[2], pads=[1, 1]), axis=1)
    y = n.add("Conv", x, n.weight(6, 1, 5, scale=1), group=6, pads=[4, 4], dilations=[2])
    n.save([("x", ["N", 4, 20], n.random.integers(0, 256, (3, 4, 20)).astype(np.uint8))], [x, n.add("Clip", y, min=-0.02, max=0.03)])


def residual():
    n = Net("residual", 11)
    x = n.add("Relu", n.norm(n.conv("x", 3, 8, 3), 8))
    y = n.norm(n.conv(n.add("Relu", n.norm(n.conv(x, 8, 8), 8)), 8, 8), 8)
    x = n.add("Relu", n.add("Add", y, x))
    y = n.norm(n.conv(n.add("Relu", n.norm(n.conv(x, 8, 12, strides=[2, 2]), 12)), 12, 12), 12)
    x = n.add("Relu", n.add("Add", y, n.norm(n.conv(x, 8, 12, 1, strides=[2, 2]), 12)))
    shape = n.add("Concat", n.add("Unsqueeze", n.add("Gather", n.add("Shape", "x"), n.weight(values=0, dtype=np.int64), axis=0), axes=[0]), n.ints(-1), axis=0)
    n.save([("x", ["N", 3, 8, 8], image(n, 2, 3, 8, 8))], [n.dense(n.add("Reshape", n.add("GlobalAveragePool", x), shape), 12, 5)])


def mobile():
    """Depthwise, relu6 as Clip, h-swish in parts, squeeze and excitation."""
    n = Net("mobile", 13)
    limits = n.weight(values=0.0), n.weight(values=6.0)
    x = n.add("Clip", n.norm(n.conv("x", 3, 8, strides=[2, 2]), 8), *limits)
    x = n.add("Clip", n.norm(n.conv(x, 8, 16, 3, group=8), 16), *limits)
    s = n.add("ReduceMean", x, axes=[2, 3], keepdims=1)
    s = n.add("HardSigmoid", n.conv(n.add("Relu", n.conv(s, 16, 4, 1)), 4, 16, 1), alpha=1 / 6)
    x = n.add("Mul", x, s)
    x = n.conv(x, 16, 8, 3, group=2)
    x = n.add("Div", n.add("Mul", x, n.add("Clip", n.add("Add", x, n.weight(values=3.0)), *limits)), n.weight(values=6.0))
    x = n.add("Mul", x, n.add("Sigmoid", x))
    x = n.add("PRelu", x, n.weight(8, 1, 1, scale=0.5))
    n.save([("x", ["N", 3, 9, 11], image(n, 2, 3, 9, 11))], [n.dense(n.add("Flatten", n.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])), 8 * 2 * 3, 3)])


def inception():
    """Branches side by side, a mean with padding counted and one without, channels by a constant each, two outputs."""
    n = Net("inception", 12)
    a = n.conv("x", 4, 3, 1)
    b = n.conv("x", 4, 5, 3, dilations=[2, 2], pads=[2, 2, 2, 2])
    c = n.add("AveragePool", "x", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1], count_include_pad=1)
    d = n.add("AveragePool", "x", kernel_shape=[3, 3], strides=[1, 1], pads=[0, 1, 2, 1])
    e = n.conv(n.add("MaxPool", "x", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]), 4, 2, 1)
    x = n.add("Concat", a, b, c, d, e, axis=1)
    x = n.add("Sub", n.add("Mul", x, n.weight(1, 18, 1, 1)), n.weight(18, 1, 1))
    p, q = n.add("Split", x, outputs=2, axis=1)
    y = n.add("Tanh", n.dense(n.add("Flatten", n.add("MaxPool", p, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)), 9 * 4 * 3, 6))
    z = n.add("Transpose", n.add("Conv", q, n.weight(2, 9, 3, 2), auto_pad="SAME_LOWER", strides=[2, 1]), perm=[0, 2, 3, 1])
    n.save([("x", ["N", 4, 7, 6], image(n, 2, 4, 7, 6))], [y, z])


def channels_last():
    """As tf2onnx writes them: transposed before and after each convolution, shapes computed."""
    n = Net("channels_last", 15)
    x = n.add("Transpose", "x", perm=[0, 3, 1, 2])
    x = n.add("Transpose", n.add("Relu", n.add("Conv", x, n.weight(6, 2, 3, 3), n.weight(6), auto_pad="SAME_UPPER", strides=[2, 2])), perm=[0, 2, 3, 1])
    x = n.add("Add", n.add("Mul", x, n.weight(values=n.random.uniform(0.5, 1.5, 6))), n.weight(6))
    x = n.add("Transpose", n.add("Conv", n.add("Transpose", x, perm=[0, 3, 1, 2]), n.weight(4, 6, 2, 3)), perm=[0, 2, 3, 1])
    batch = n.add("Slice", n.add("Cast", n.add("Shape", x), to=TensorProto.INT32), n.weight(values=[0], dtype=np.int32), n.weight(values=[1], dtype=np.int32))
    x = n.add("Reshape", x, n.add("Cast", n.add("Concat", batch, n.weight(values=[-1], dtype=np.int32), axis=0), to=TensorProto.INT64))
    n.save([("x", ["N", 8, 9, 2], image(n, 3, 8, 9, 2))], [n.linear(x, 3 * 3 * 4, 5)])


def tokens():
    """An embedding, a bidirectional LSTM and a GRU as PyTorch exports them, sequences first inside."""
    n = Net("tokens", 14)
    x = n.add("Transpose", n.add("Gather", n.weight(20, 6, scale=1), "x"), perm=[1, 0, 2])
    y, _, _ = n.add("LSTM", x, n.weight(2, 20, 6), n.weight(2, 20, 5), n.weight(2, 40, scale=0.3), outputs=3, hidden_size=5, direction="bidirectional")
    x = n.add("Reshape", n.add("Transpose", y, perm=[0, 2, 1, 3]), n.ints(0, 0, -1))
    _, h = n.add("GRU", x, n.weight(1, 12, 10), n.weight(1, 12, 4), n.weight(1, 24, scale=0.3), outputs=2, hidden_size=4, linear_before_reset=1)
    n.save([("x", ["N", 7], n.random.integers(0, 20, (3, 7)))], [n.dense(n.add("Squeeze", h, n.ints(0)), 4, 2)])


def mixer():
    """Layer normalization and GELU in parts, products along both axes."""
    n = Net("mixer", 13)

    def normalized(x):
        d = n.add("Sub", x, n.add("ReduceMean", x, axes=[-1]))
        v = n.add("ReduceMean", n.add("Pow", d, n.weight(values=2.0)), axes=[-1])
        y = n.add("Div", d, n.add("Sqrt", n.add("Add", v, n.weight(values=1e-5))))
        return n.add("Add", n.add("Mul", y, n.weight(8, scale=1)), n.weight(8))

    def gelu(x):
        gate = n.add("Add", n.add("Erf", n.add("Div", x, n.weight(values=np.sqrt(2.0)))), n.weight(values=1.0))
        return n.add("Mul", n.add("Mul", x, gate), n.weight(values=0.5))

    x = n.add("Conv", "x", n.weight(8, 3, 4, 4), n.weight(8), strides=[4, 4])
    x = n.add("Transpose", n.add("Reshape", x, n.ints(0, 8, -1)), perm=[0, 2, 1])
    y = n.add("Transpose", normalized(x), perm=[0, 2, 1])
    y = n.linear(gelu(n.linear(y, 6, 10)), 10, 6)
    x = n.add("Add", x, n.add("Transpose", y, perm=[0, 2, 1]))
    x = n.add("Add", x, n.linear(gelu(n.linear(normalized(x), 8, 12)), 12, 8))
    x = n.add("Gather", n.add("Concat", x, n.add("Slice", x, n.ints(1), n.ints(3), n.ints(1)), axis=1), n.weight(values=6, dtype=np.int64), axis=1)
    n.save([("x", ["N", 3, 8, 12], image(n, 2, 3, 8, 12))], [n.add("LogSoftmax", n.linear(x, 8, 5), axis=-1)])


def upward():
    """From a vector to a map: reshape, transposed convolution, resizes, a skip."""
    n = Net("upward", 13)
    x = n.add("Reshape", n.linear("x", 5, 4 * 3 * 2), n.ints(-1, 4, 3, 2))
    y = n.add("ConvTranspose", x, n.weight(4, 3, 4, 4, scale=0.3), n.weight(3), strides=[2, 2], pads=[1, 1, 1, 1])
    z = n.add("Resize", n.conv(x, 4, 3), "", n.weight(values=[1.0, 1, 2, 2]), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    x = n.add("Concat", n.add("Elu", y), z, axis=1)
    x = n.add("Resize", n.conv(x, 6, 2), "", n.weight(values=[1.0, 1, 2, 2]), mode="linear", coordinate_transformation_mode="half_pixel")
    x = n.add("Pad", x, n.ints(0, 0, 1, 2, 0, 0, 1, 0), mode="reflect")
    n.save([("x", ["N", 5], image(n, 2, 5))], [n.add("Sigmoid", n.conv(x, 2, 1))])


def merges():
    """Tensors and constants merged, views of one tensor as several outputs, the input as an output."""
    n = Net("merges")
    a = n.add("Relu", "x")
    d = n.add("Identity", "x")
    merged = [n.add("Sum", a, n.weight(1, 2), d, n.weight(3, 1)), n.add("Max", n.weight(1, 2), a, d), n.add("Mean", a, d, a)]
    n.save([("x", ["N", 3, 2], image(n, 2, 3, 2))], [a, n.add("Identity", a), n.add("Flatten", a), d, *merged])


def recurrent():
    """Sequences first, the batch second; all directions, all steps and the last state."""
    n = Net("recurrent", 14)

    def layer(op, gates, units, directions=1, **attributes):
        w = [n.weight(directions, gates * units, 6), n.weight(directions, gates * units, units), n.weight(directions, 2 * gates * units, scale=0.3)]
        return n.add(op, "x", *w, outputs=3 if op == "LSTM" else 2, hidden_size=units, **attributes)

    y, h, _ = layer("LSTM", 4, 5, 2, direction="bidirectional")
    y2, h2, _ = layer("LSTM", 4, 3, direction="reverse")
    r, rh = layer("RNN", 1, 4, activations=["Relu"])
    results = [n.add("Transpose", v, perm=p) for v, p in ((y, [2, 0, 1, 3]), (h, [1, 0, 2]), (y2, [2, 0, 1, 3]), (h2, [1, 0, 2]), (r, [2, 0, 3, 1]), (rh, [1, 0, 2]))]
    n.save([("x", [7, "N", 6], image(n, 7, 3, 6))], results)


def old():
    """What was other in the first versions: softmax over several axes, limits as attributes, Upsample."""
    n = Net("old", 9)
    x = n.add("Softmax", n.add("Conv", "x", n.weight(4, 3, 2, 2)), axis=1)
    y = n.add("LogSoftmax", n.add("Transpose", x, perm=[0, 2, 3, 1]), axis=2)
    up = [n.add("Upsample", "x", n.weight(values=[1.0, 1, 2, 3]), mode="nearest"), n.add("Upsample", "x", n.weight(values=[1.0, 1, 2, 2]), mode="linear")]
    n.save([("x", ["N", 3, 5, 4], image(n, 2, 3, 5, 4))], [x, y, n.add("Clip", x, min=0.01, max=0.02), *up])


def blocks():
    n = Net("blocks")
    back = n.add("SpaceToDepth", n.add("DepthToSpace", "x", blocksize=2), blocksize=2)
    normal = n.add("InstanceNormalization", "x", n.weight(8), n.weight(8))
    n.save([("x", ["N", 8, 3, 2], image(n, 2, 8, 3, 2))], [n.add("DepthToSpace", "x", blocksize=2, mode="CRD"), back, normal, n.add("Conv", back, n.weight(3, 8, 2, 2))])


def fixed():
    """A batch of 1 that shapes are made with."""
    n = Net("fixed")
    x = n.add("Reshape", n.add("Relu", "x"), n.ints(1, 12))
    rows = n.add("Reshape", n.add("Softmax", n.add("Reshape", x, n.ints(4, 3))), n.add("Concat", n.add("Shape", x), n.ints(1), axis=0))
    larger = n.add("Expand", n.add("ReduceMean", "x", axes=[2, 3], keepdims=1), n.ints(1, 3, 2, 5)), n.add("Tile", "x", n.ints(1, 2, 1, 3))
    n.save([("x", [1, 3, 2, 2], image(n, 1, 3, 2, 2))], [n.add("Add", x, n.weight(1, 12)), rows, *larger])


def normalized():
    """Layer normalization as tf2onnx has it: by a global pooling, a reciprocal, and both of its terms apart."""
    n = Net("normalized", 15)
    x = n.add("Transpose", n.add("Conv", "x", n.weight(6, 5, 3), n.weight(6)), perm=[0, 2, 1])
    mean = n.add("GlobalAveragePool", x)
    d = n.add("Sub", x, mean)
    variance = n.add("GlobalAveragePool", n.add("Mul", d, d))
    r = n.add("Mul", n.add("Reciprocal", n.add("Sqrt", n.add("Add", variance, n.weight(values=1e-3)))), n.weight(1, 1, 6, scale=1))
    x = n.add("Add", n.add("Mul", x, r), n.add("Add", n.add("Mul", n.add("Neg", mean), r), n.weight(1, 1, 6, scale=1)))
    n.save([("x", ["N", 5, 9], image(n, 2, 5, 9))], [n.add("Relu", x)])


def shared():
    """Constants added to one view of a layer's output, of which other nodes, or the network's user, take another one."""
    n = Net("shared")
    a = n.add("Conv", "x", n.weight(3, 2, 1, 1))
    turned = n.add("Add", n.add("Transpose", a, perm=[0, 2, 3, 1]), n.weight(3))
    x = n.add("Add", n.add("Relu", n.add("Transpose", turned, perm=[0, 3, 1, 2])), a)
    b = n.add("MatMul", x, n.weight(5, 4))
    c = n.add("Add", n.add("Identity", b), n.weight(4))
    given = n.add("MatMul", x, n.weight(5, 3))
    n.save([("x", ["N", 2, 4, 5], image(n, 2, 2, 4, 5))], [n.add("Mul", b, c), given, n.add("Add", n.add("Unsqueeze", given, n.ints(1)), n.weight(3))])


def sizes():
    """Sizes of which the nearest elements depend on how floats round: doubles have others."""
    n = Net("sizes")
    ways = [dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"), dict(mode="nearest"),
            dict(mode="nearest", coordinate_transformation_mode="align_corners", nearest_mode="ceil"), dict(mode="linear")]
    outputs = [n.add("Resize", "x", "", "", n.ints(1, 1, 14, size), **way) for size in (2, 6, 17, 27) for way in ways]
    outputs += [n.add("Resize", "x", "", n.weight(values=[1, 1, scale, 1]), **way) for scale in (0.6, 1.2, 2.4) for way in ways[:1]]
    n.save([("x", [1, 1, 14, 10], image(n, 1, 1, 14, 10))], outputs)


def fewer():
    """A Resize without a nearest_mode: of fewer elements those above."""
    n = Net("fewer", 10)
    n.save([("x", ["N", 1, 5, 10], image(n, 2, 1, 5, 10))], [n.add("Resize", "x", n.weight(values=[1, 1, *s]), mode=m) for s, m in (((1, 0.4), "nearest"), ((0.4, 1.5), "nearest"), ((1, 0.4), "linear"))])


def states():
    """All states and the last one of the same layers, forwards, backwards, in both directions, and of one step."""
    n = Net("states")
    outputs = []
    for x, direction in (("x", "forward"), ("x", "reverse"), ("x", "bidirectional"), (n.add("Slice", "x", n.ints(1), n.ints(2), n.ints(0)), "bidirectional")):
        d = 1 + (direction == "bidirectional")
        y, h = n.add("LSTM", x, n.weight(d, 8, 3), n.weight(d, 8, 2), n.weight(d, 16), hidden_size=2, direction=direction, outputs=2)
        outputs += [n.add("ReduceMean", y, axes=[0, 1], keepdims=0), n.add("Transpose", h, perm=[1, 0, 2])]
    n.save([("x", [4, "N", 3], image(n, 4, 2, 3))], outputs)


ALL = [cnn, pixels, residual, mobile, inception, channels_last, tokens, mixer, upward, merges, recurrent, old, blocks, fixed, normalized, shared, sizes, fewer, states]
if __name__ == "__main__":
    for make in ALL:
        if len(sys.argv) < 2 or make.__name__ in sys.argv[1:]:
            make()
