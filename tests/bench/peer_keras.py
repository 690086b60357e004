"""Keras on TensorFlow: model.fit, compiled by XLA (Keras's choice where it can) and not."""

import time

import keras
import numpy as np
import tensorflow as tf

import description


def version():
    return f"Keras {keras.__version__} on TensorFlow {tf.__version__}"


def layer_of(layer):
    size, strides = description.window(layer) if layer.kind != "dense" else (None, None)
    padding = layer.options.get("padding", "valid")
    if layer.kind == "conv2d":
        return keras.layers.Conv2D(layer.options["filters"], size, strides, padding, activation=layer.activation)
    if layer.kind == "max_pooling2d":
        return keras.layers.MaxPooling2D(size, strides, padding)
    if layer.kind == "average_pooling2d":
        return keras.layers.AveragePooling2D(size, strides, padding)
    if layer.kind == "dense":
        return keras.layers.Dense(layer.options["units"], activation=layer.activation)
    if layer.kind == "flatten":
        return keras.layers.Flatten()
    return keras.layers.Add() if layer.kind == "add" else keras.layers.Activation(layer.kind)


def model_of(network, dtype):
    inputs = keras.Input(network.input.shape, dtype=dtype)
    values = {network.input.name: keras.layers.Rescaling(network.scale, network.offset)(inputs)}
    for layer in network.layers[1:]:
        sources = [values[name] for name in layer.inputs]
        values[layer.name] = layer_of(layer)(sources if layer.kind == "add" else sources[0])
    return keras.Model(inputs, values[network.output.name])


def optimizer_of(network):
    kinds = {"sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}
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
        self.network, self.inputs, self.targets = network, data.inputs, data.classes
        if network.loss == "categorical_crossentropy":
            self.targets = np.eye(network.output.shape[-1], dtype=np.float32)[data.classes]
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
