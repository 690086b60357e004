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

def initial(random, network, layer):
    """Kernel (Glorot, uniform; or He, normal) and bias; a batch normalization's gamma and beta."""
    inputs, outputs = network.input_shape(layer)[-1], layer.shape[-1]
    if layer.kind == "batch_normalization":
        return {"gamma": jnp.ones(outputs, jnp.float32), "beta": jnp.zeros(outputs, jnp.float32)}
    area = description.window(layer)[0] if layer.kind in description.CONVOLUTIONS else ()
    shape = area + ((1, outputs) if layer.kind == "depthwise_conv2d" else (inputs, outputs))
    fans = description.elements(shape[:-1]), description.elements(area) * outputs
    if layer.he_normal:
        kernel = random.normal(0, np.sqrt(2 / fans[0]), shape)
    else:
        limit = np.sqrt(6 / sum(fans))
        kernel = random.uniform(-limit, limit, shape)
    weights = {"kernel": jnp.asarray(kernel, jnp.float32)}
    return weights | {"bias": jnp.zeros(outputs, jnp.float32)} if layer.bias else weights


def convolve(layer, x, kernel):
    padding = layer.options.get("padding", "valid").upper()
    groups = x.shape[-1] if layer.kind == "depthwise_conv2d" else 1
    return lax.conv_general_dilated(x, kernel, description.window(layer)[1], padding, feature_group_count=groups,
                                    dimension_numbers=("NHWC", "HWIO", "NHWC"))


def normalize(layer, x, weights, moving):
    """By the batch; and the moving statistics, with the batch's."""
    axes = tuple(range(x.ndim - 1))
    batch = {"mean": x.mean(axes), "variance": x.var(axes)}
    scale = weights["gamma"] * lax.rsqrt(batch["variance"] + layer.epsilon)
    moved = {name: layer.momentum * moving[name] + (1 - layer.momentum) * lax.stop_gradient(batch[name])
             for name in batch}
    return (x - batch["mean"]) * scale + weights["beta"], moved


def drop(layer, x, key):
    kept = 1 - layer.options["rate"]
    return jnp.where(jax.random.bernoulli(key, kept, x.shape), x / kept, 0.0)


def pool(layer, x, identity, operator):
    size, strides = description.window(layer)
    padding = layer.options.get("padding", "valid").upper()
    return lax.reduce_window(x, identity, operator, (1, *size, 1), (1, *strides, 1), padding)


def average(layer, x):
    return pool(layer, x, 0.0, lax.add) / pool(layer, jnp.ones_like(x[:1, :, :, :1]), 0.0, lax.add)


def activate(kind, x):
    """Softmax is the loss's."""
    return {"relu": jax.nn.relu, "relu6": jax.nn.relu6, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}.get(kind, lambda x: x)(x)


def apply_layer(layer, inputs, weights):
    x = inputs[0]
    if layer.kind in description.KERNELS:
        y = x @ weights["kernel"] if layer.kind == "dense" else convolve(layer, x, weights["kernel"])
        return y + weights["bias"] if layer.bias else y
    if layer.kind == "max_pooling2d":
        return pool(layer, x, -jnp.inf, lax.max)
    if layer.kind == "average_pooling2d":
        return average(layer, x)
    if layer.kind == "global_average_pooling2d":
        return x.mean((1, 2))
    if layer.kind == "flatten":
        return x.reshape(x.shape[0], -1)
    return sum(inputs[1:], x) if layer.kind == "add" else activate(layer.kind, x)


def forward(network, weights, moving, key, x):
    """What comes before the softmax, and the moving statistics with this batch's."""
    values, moved = {network.input.name: x.astype(jnp.float32) * network.scale + network.offset}, {}
    for i, layer in enumerate(network.layers[1:]):
        inputs, own = [values[name] for name in layer.inputs], weights.get(layer.name)
        if layer.kind == "batch_normalization":
            y, moved[layer.name] = normalize(layer, inputs[0], own, moving[layer.name])
        elif layer.kind == "dropout":
            y = drop(layer, inputs[0], jax.random.fold_in(key, i))
        else:
            y = apply_layer(layer, inputs, own)
        values[layer.name] = activate(layer.activation, y)
    return values[network.output.name], moved


def loss_and_more(network, weights, moving, key, x, targets):
    """The loss; hits and the moving statistics."""
    y, moving = forward(network, weights, moving, key, x)
    penalty = sum(layer.l2 * (weights[layer.name]["kernel"] ** 2).sum() for layer in network.layers if layer.l2)
    if network.regression:
        return ((y - targets) ** 2).mean() + penalty, (0, moving)
    losses = jax.nn.logsumexp(y, axis=1) - jnp.take_along_axis(y, targets[:, None], axis=1)[:, 0]
    return losses.mean() + penalty, ((y.argmax(axis=1) == targets).sum(), moving)


# ---- the optimizers, by Keras's formulas -----------------------------------------------------------------------------

# Each is given a weight, what it keeps of it, the gradient and the number of the step, from 1.

def rmsprop(w, v, g, _, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    v = rho * v + (1 - rho) * g * g
    return w - learning_rate * g * lax.rsqrt(v + epsilon), v


def sgd(w, v, g, _, learning_rate=0.01, momentum=0.0, nesterov=False):
    v = momentum * v - learning_rate * g
    return w + (momentum * v - learning_rate * g if nesterov else v), v


def adam(w, kept, g, t, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m, v = beta_1 * kept[0] + (1 - beta_1) * g, beta_2 * kept[1] + (1 - beta_2) * g * g
    rate = learning_rate * jnp.sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)
    return w - rate * m / (jnp.sqrt(v) + epsilon), jnp.stack((m, v))


OPTIMIZERS = {"rmsprop": (rmsprop, jnp.zeros_like), "sgd": (sgd, jnp.zeros_like),
              "adam": (adam, lambda w: jnp.zeros((2, *w.shape), w.dtype))}


def step(network, weights, kept, moving, totals, number, x, targets):
    """Donated: weights, what the optimizer keeps, the moving statistics, and the sums of loss and hits."""
    gradient = jax.value_and_grad(partial(loss_and_more, network), has_aux=True)
    key = jax.random.fold_in(jax.random.key(0), number)
    (loss, (hits, moving)), gradients = gradient(weights, moving, key, x, targets)
    update = partial(OPTIMIZERS[network.optimizer][0], **network.optimizer_options)
    leaves, tree = jax.tree.flatten(weights)
    pairs = [update(*row, number) for row in zip(leaves, jax.tree.leaves(kept), jax.tree.leaves(gradients))]
    weights, kept = (jax.tree.unflatten(tree, [pair[i] for pair in pairs]) for i in (0, 1))
    return weights, kept, moving, (totals[0] + loss, totals[1] + hits)


class Trainer:
    def __init__(self, network, data):
        self.network, self.data, self.number = network, data, 0
        self.random = np.random.default_rng(0)
        self.targets = data.targets if network.regression else data.targets.astype(np.int32)
        normalized = [layer for layer in network.layers if layer.kind == "batch_normalization"]
        self.weights = {layer.name: initial(self.random, network, layer)
                        for layer in network.layers if layer.kind in description.KERNELS or layer in normalized}
        self.kept = jax.tree.map(OPTIMIZERS[network.optimizer][1], self.weights)
        self.moving = {layer.name: {"mean": jnp.zeros(layer.shape[-1]), "variance": jnp.ones(layer.shape[-1])}
                       for layer in normalized}
        self.step = jax.jit(partial(step, network), donate_argnums=(0, 1, 2, 3))

    def train(self, examples):
        start, steps, totals = time.perf_counter(), 0, (jnp.zeros(()), jnp.zeros((), jnp.int32))
        for index in batches(self.network, self.data, examples, self.random):
            self.number, steps = self.number + 1, steps + 1
            self.weights, self.kept, self.moving, totals = self.step(
                self.weights, self.kept, self.moving, totals, self.number, self.data.inputs[index], self.targets[index])
        jax.block_until_ready((self.weights, totals))
        return time.perf_counter() - start, float(totals[0]) / steps


def manners(kind, network, data, threads):
    yield "", lambda: Trainer(network, data)
