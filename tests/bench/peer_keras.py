"""Keras on TensorFlow: model.fit, compiled by XLA (Keras's choice where it can) and not."""

import time

import keras
import numpy as np
import tensorflow as tf

import description


def version():
    return f"Keras {keras.__version__} on TensorFlow {tf.__version__}"


def windows(layer):
    """Size, strides, padding."""
    return *description.window(layer), layer.options.get("padding", "valid")


def kernel_options(layer):
    options = {"use_bias": layer.bias, "activation": layer.activation}
    if layer.kind == "depthwise_conv2d":
        return options | {"depth_multiplier": layer.multiplier}
    return options | {"kernel_initializer": "he_normal" if layer.he_normal else "glorot_uniform",
                      "kernel_regularizer": keras.regularizers.L2(layer.l2) if layer.l2 else None}


def layer_of(layer):
    layers, options = keras.layers, layer.options
    if layer.kind in description.ACTIVATIONS:
        return layers.Activation(layer.kind)
    return {
        "conv2d": lambda: layers.Conv2D(options["filters"], *windows(layer), **kernel_options(layer)),
        "depthwise_conv2d": lambda: layers.DepthwiseConv2D(*windows(layer), **kernel_options(layer)),
        "max_pooling2d": lambda: layers.MaxPooling2D(*windows(layer)),
        "average_pooling2d": lambda: layers.AveragePooling2D(*windows(layer)),
        "global_average_pooling2d": layers.GlobalAveragePooling2D,
        "dense": lambda: layers.Dense(options["units"], **kernel_options(layer)),
        "batch_normalization": lambda: layers.BatchNormalization(momentum=layer.momentum, epsilon=layer.epsilon),
        "dropout": lambda: layers.Dropout(options["rate"]),
        "flatten": layers.Flatten,
        "add": layers.Add,
    }[layer.kind]()


def model_of(network, dtype):
    inputs = keras.Input(network.input.shape, dtype=dtype)
    values = {network.input.name: keras.layers.Rescaling(network.scale, network.offset)(inputs)}
    for layer in network.layers[1:]:
        sources = [values[name] for name in layer.inputs]
        values[layer.name] = layer_of(layer)(sources if layer.kind == "add" else sources[0])
    return keras.Model(inputs, values[network.output.name])


def optimizer_of(network):
    kinds = {"sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam}
    return kinds[network.optimizer](**network.optimizer_options)


class EpochTimer(keras.callbacks.Callback):
    """Times the batches of an epoch, not what fit does before and after."""

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.start


class Trainer:
    def __init__(self, network, data, xla):
        keras.utils.set_random_seed(0)
        self.network, self.inputs, self.targets = network, data.inputs, data.targets
        if network.loss == "categorical_crossentropy":
            self.targets = np.eye(network.output.shape[-1], dtype=np.float32)[data.targets]
        self.model = model_of(network, data.inputs.dtype)
        self.model.compile(optimizer_of(network), network.loss, metrics=network.metrics, jit_compile=xla)

    def train(self, examples):
        timer, size = EpochTimer(), self.network.batch_size
        count = min(examples, len(self.inputs)) // size * size
        history = self.model.fit(self.inputs[:count], self.targets[:count], batch_size=size, callbacks=[timer],
                                 shuffle=self.network.shuffle, verbose=0)
        return timer.seconds, history.history["loss"][0]


def limit_threads(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def manners(kind, network, data, threads):
    limit_threads(threads)
    for label, xla in (("XLA", True), ("no XLA", False)):
        yield label, lambda xla=xla: Trainer(network, data, xla)
