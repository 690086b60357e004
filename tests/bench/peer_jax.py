"""JAX: one jitted training step, called for each batch. Threads are those of the processors it is pinned to."""

import time
from functools import partial

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

import description
from data import batches


def version():
    return f"JAX {jax.__version__}"


# ---- the network -----------------------------------------------------------------------------------------------------

def initial(random, layer, shape):
    """Kernel (Glorot, uniform) and bias."""
    inputs, outputs, area = shape[-1], layer.shape[-1], ()
    if layer.kind == "conv2d":
        area = description.window(layer)[0]
    limit = np.sqrt(6 / (description.elements(area) * (inputs + outputs)))
    kernel = random.uniform(-limit, limit, area + (inputs, outputs)).astype(np.float32)
    return jnp.asarray(kernel), jnp.zeros(outputs, jnp.float32)


def convolve(layer, x, kernel):
    padding = layer.options.get("padding", "valid").upper()
    return lax.conv_general_dilated(x, kernel, description.window(layer)[1], padding,
                                    dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pool(layer, x, identity, operator):
    size, strides = description.window(layer)
    padding = layer.options.get("padding", "valid").upper()
    return lax.reduce_window(x, identity, operator, (1, *size, 1), (1, *strides, 1), padding)


def average(layer, x):
    return pool(layer, x, 0.0, lax.add) / pool(layer, jnp.ones_like(x[:1, :, :, :1]), 0.0, lax.add)


def activate(kind, x):
    """Softmax is the loss's."""
    return {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}.get(kind, lambda x: x)(x)


def apply_layer(layer, inputs, weights):
    x = inputs[0]
    if layer.kind == "conv2d":
        return convolve(layer, x, weights[0]) + weights[1]
    if layer.kind == "dense":
        return x @ weights[0] + weights[1]
    if layer.kind == "max_pooling2d":
        return pool(layer, x, -jnp.inf, lax.max)
    if layer.kind == "average_pooling2d":
        return average(layer, x)
    if layer.kind == "flatten":
        return x.reshape(x.shape[0], -1)
    return sum(inputs[1:], x) if layer.kind == "add" else activate(layer.kind, x)


def loss_and_hits(network, weights, x, classes):
    values = {network.input.name: x.astype(jnp.float32) * network.scale + network.offset}
    for layer in network.layers[1:]:
        y = apply_layer(layer, [values[name] for name in layer.inputs], weights.get(layer.name))
        values[layer.name] = activate(layer.activation, y)
    logits = values[network.output.name]
    losses = jax.nn.logsumexp(logits, axis=1) - jnp.take_along_axis(logits, classes[:, None], axis=1)[:, 0]
    return losses.mean(), (logits.argmax(axis=1) == classes).sum()


# ---- the optimizers, by Keras's formulas -----------------------------------------------------------------------------

def rmsprop(w, v, g, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    v = rho * v + (1 - rho) * g * g
    return w - learning_rate * g * lax.rsqrt(v + epsilon), v


def sgd(w, v, g, learning_rate=0.01, momentum=0.0, nesterov=False):
    v = momentum * v - learning_rate * g
    return w + (momentum * v - learning_rate * g if nesterov else v), v


def step(network, weights, state, totals, x, classes):
    """Donated: weights, the optimizer's state, and the sums of loss and hits."""
    gradient = jax.value_and_grad(partial(loss_and_hits, network), has_aux=True)
    (loss, hits), gradients = gradient(weights, x, classes)
    update = partial({"rmsprop": rmsprop, "sgd": sgd}[network.optimizer], **network.optimizer_options)
    leaves, tree = jax.tree.flatten(weights)
    pairs = [update(*row) for row in zip(leaves, jax.tree.leaves(state), jax.tree.leaves(gradients))]
    weights, state = (jax.tree.unflatten(tree, [pair[i] for pair in pairs]) for i in (0, 1))
    return weights, state, (totals[0] + loss, totals[1] + hits)


class Trainer:
    def __init__(self, network, data):
        self.network, self.data = network, data
        self.random = np.random.default_rng(0)
        self.classes = data.classes.astype(np.int32)
        self.weights = {layer.name: initial(self.random, layer, network.input_shape(layer))
                        for layer in network.layers if layer.kind in ("conv2d", "dense")}
        self.state = jax.tree.map(jnp.zeros_like, self.weights)
        self.step = jax.jit(partial(step, network), donate_argnums=(0, 1, 2))

    def train(self, examples):
        start, steps, totals = time.perf_counter(), 0, (jnp.zeros(()), jnp.zeros((), jnp.int32))
        for index in batches(self.network, self.data, examples, self.random):
            self.weights, self.state, totals = self.step(self.weights, self.state, totals, self.data.inputs[index],
                                                         self.classes[index])
            steps += 1
        jax.block_until_ready((self.weights, totals))
        return time.perf_counter() - start, float(totals[0]) / steps


def manners(kind, network, data, threads):
    yield "", lambda: Trainer(network, data)
