"""What predictions need to know of a network of any description: cnnc tells it in the tables of the C that it writes."""

import re
from dataclasses import dataclass
from fractions import Fraction

import build

TYPES = {"CNNC_F32": "f32", "CNNC_U8": "u8", "CNNC_I32": "i32"}


@dataclass
class Tensor:
    """Of one example."""
    type: str
    shape: tuple
    classes: int  # of tokens

    @property
    def elements(self):
        count = 1
        for n in self.shape:
            count *= n
        return count


@dataclass
class Network:
    name: str
    input: Tensor
    output: Tensor
    kinds: dict       # of layers by name: Keras's classes
    parameters: dict  # shapes by name
    flops: float      # of layers that multiply by weights, an example
    scale: float      # what bytes are multiplied by first


def sizes(text):
    return tuple(int(n) for n in text.split(","))


def table(text, what):
    return re.search(rf"(\w+)_{what}\[\] = \{{(.*?)\}};\n", text, re.DOTALL)


def tensors(text, what):
    rows = re.findall(r'\{"\w+", (CNNC_\w+), \d+, \{([^}]*)\}, \d+, (\d+)\}', table(text, what).group(2))
    return [Tensor(TYPES[kind], sizes(shape), int(classes)) for kind, shape, classes in rows]


def scale_of(net):
    with open(net, encoding="utf-8") as file:
        scale = re.search(r"^[^#\n]*\binput .*\bscale=(\S+)", file.read(), re.MULTILINE)
    return float(Fraction(scale.group(1))) if scale else 1.0


def read(net):
    """The network that a file describes; of one input and one output."""
    source = build.path("tables", "network.c")
    build.run([build.CNNC, net, "--target=scalar", "-o", source])
    with open(source, encoding="utf-8") as file:
        text = file.read()
    inputs, outputs, parameters = tensors(text, "inputs"), tensors(text, "outputs"), table(text, "parameter_table")
    if len(inputs) != 1 or len(outputs) != 1:
        raise build.Failure(f"{net}: predictions are measured of networks with one input and one output")
    kinds = re.findall(r'\{"(\w+)", "(\w+)", \d', table(text, "layers").group(2))
    shapes = re.findall(r'\{"([\w/]+)", \d+, \{([^}]*)\}', parameters.group(2)) if parameters else []
    work = re.search(r"FLOPs an example: ([\d,]+) forward", build.run([build.CNNC, "summary", net]))
    return Network(table(text, "inputs").group(1), inputs[0], outputs[0], dict(kinds),
                   {name: sizes(shape) for name, shape in shapes}, float(work.group(1).replace(",", "")), scale_of(net))
