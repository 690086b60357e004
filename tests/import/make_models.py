#!/usr/bin/env python3
"""Models for test_import, and what Keras computes of them.

    make_models.py [NAME ...]       writes NAME.keras or NAME.h5 and NAME.safetensors here: input, input_1 ..., output, output_1 ...

Those whose names begin with keras2 are made by tf_keras, which is Keras 2. All weights are random, so that each of them counts.
Needs: pip install tensorflow-cpu tf_keras safetensors; run again, other weights come out: commit both files.
"""
import os, sys, zipfile
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import keras, tf_keras
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)

def convolutions(K, v3=True):
    L = K.layers
    layers = [K.Input((11, 10, 4)),
        L.Conv2D(6, (3, 2), strides=2, padding="same", activation="relu"),
        L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="tanh"),
        L.SeparableConv2D(5, (2, 3), depth_multiplier=2, use_bias=False),
        L.ZeroPadding2D(((1, 0), (2, 1))),
        L.Conv2DTranspose(6, 3, strides=(2, 1), padding="same"),
        L.Conv2D(6, 3, groups=2, dilation_rate=(1, 2), use_bias=False, padding="same"),
        L.Cropping2D(((0, 1), (1, 0))),
        L.MaxPooling2D((2, 3), strides=2, padding="same"), L.UpSampling2D((2, 1), interpolation="bilinear"),
        L.AveragePooling2D(2, strides=1, padding="same"), L.UpSampling2D(2), L.MaxPooling2D(), L.ZeroPadding2D(1), L.Cropping2D((1, 2)),
        L.GlobalMaxPooling2D(keepdims=True), L.Flatten(), L.Dense(7, name="scores"), L.Softmax()]
    m = K.Sequential(layers, name="convolutions")
    m.compile(K.optimizers.SGD(0.05, momentum=0.9, nesterov=True), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return m

def sequences(K, v3=True):
    L = K.layers
    layers = [K.Input((14,), dtype="int32", name="tokens"), L.Embedding(20, 5),
        L.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="relu"), L.DepthwiseConv1D(3, padding="same"), L.SeparableConv1D(4, 2),
        L.Conv1DTranspose(4, 3, strides=2), L.MaxPooling1D(2), L.ZeroPadding1D((1, 2)), L.Cropping1D((0, 1)), L.UpSampling1D(2), L.AveragePooling1D(3, strides=2, padding="same"),
        L.LSTM(5, return_sequences=True, recurrent_activation="tanh", unit_forget_bias=False), L.SpatialDropout1D(0.1), L.GRU(4, return_sequences=True, go_backwards=True),
        L.SimpleRNN(3, activation="relu"), L.RepeatVector(3), L.LSTM(3, use_bias=False, return_sequences=True), L.Permute((2, 1)), L.GRU(4, return_sequences=True, use_bias=False),
        L.GlobalAveragePooling1D(), L.Dense(1, activation="sigmoid")]
    m = K.Sequential(layers, name="sequences")
    schedule = K.optimizers.schedules.CosineDecay(0.01, 1000, alpha=0.1)
    m.compile(K.optimizers.AdamW(schedule, clipnorm=1.0), K.losses.BinaryCrossentropy(label_smoothing=0.1), metrics=["binary_accuracy"])
    return m

def normalizations(K):
    L = K.layers
    adapted = L.Normalization(axis=-1)
    adapted.adapt(rng.normal(2, 3, (50, 6, 6, 8)).astype("float32"))
    x = i = K.Input((6, 6, 8), name="picture")
    x = L.Rescaling([0.5, 1, 2, 0.25, 1, 1, 1, 3], offset=-0.5)(x)
    x = adapted(x)
    x = L.Normalization(mean=[0.1] * 8, variance=[1.5, 1, 1, 1, 1, 1, 2, 1])(x)
    x = L.Conv2D(8, 1)(x)
    x = L.BatchNormalization(momentum=0.9, epsilon=1e-4)(x)
    x = L.BatchNormalization(scale=False, axis=3)(x)
    x = L.LayerNormalization(center=False)(x)
    x = L.GroupNormalization(4)(x)
    x = L.LayerNormalization(rms_scaling=True)(x)
    x = L.Rescaling(1 / 127.5, -1)(x)
    x = L.BatchNormalization(center=False, trainable=False)(x)
    return K.Model(i, L.GlobalAveragePooling2D()(x), name="normalizations")

def functional(K, v3=True):
    L = K.layers
    a, b = K.Input((8, 8, 3), name="picture"), K.Input((6,), name="numbers")
    features = K.Sequential([L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU(6.0), L.Conv2D(4, 3, padding="same")], name="features")
    features.layers[1].trainable = False
    p, q = K.Input((6, 6, 4)), K.Input((6, 6, 4))
    mixer = K.Model([p, q], [L.Add()([p, L.BatchNormalization()(q)]), L.Dense(4, name="inner")(p)], name="mixer")
    f = features(a)
    m1, m2 = mixer([f, L.Conv2D(4, 3)(a)])
    act = L.Activation("tanh", name="shared")
    merged = L.Concatenate(axis=-1)([act(m1), act(m2), L.Multiply()([m1, m2]), L.Average()([m1, f]), L.Maximum()([m1, f]), L.Minimum()([m2, f]), L.Subtract()([f, m1])])
    v = L.Concatenate()([L.Flatten()(L.AveragePooling2D(3)(merged)), b])
    cells = L.Reshape((2, -1))(b)
    both = L.Bidirectional(L.LSTM(3))(cells) if v3 else L.LSTM(3)(cells)
    y = L.Dense(3, activation="softmax", name="class")(L.Dropout(0.3)(v))
    z = L.Dense(1, name="value with spaces" if v3 else "value")(L.Concatenate()([both, v]))
    m = K.Model([a, b], [y, z], name="functional")
    out = z.name.split("/")[0] if not v3 else "value with spaces"
    m.compile(K.optimizers.Adam(1e-3, beta_1=0.85, amsgrad=True), {"class": "categorical_crossentropy", out: K.losses.Huber(0.5)}, metrics={"class": ["accuracy"], out: ["mae"]}, loss_weights={"class": 1.0, out: 0.25})
    return m

def activations(K):
    L = K.layers
    x = i = K.Input((4, 6), name="x")
    words = "relu relu6 leaky_relu elu selu gelu silu mish softplus softsign exponential sigmoid tanh hard_sigmoid hard_silu linear softmax log_softmax".split()
    outs = []
    for w in words:
        x = L.Dense(6, activation=w)(x) if w not in ("selu",) else L.Activation(w)(L.Dense(6)(x))
        x = L.Activation("leaky_relu" if w == "relu" else "linear")(x)
        if w == "exponential": x = L.LayerNormalization()(x)
    x = L.Dense(6, activation=L.LeakyReLU(negative_slope=0.1))(x)
    x = L.Dense(6, activation=L.ReLU(max_value=2.0, threshold=0.1))(x)
    x = L.ReLU(max_value=3, negative_slope=0.2)(x)
    x = L.Dense(6)(x)
    x = L.PReLU(shared_axes=[1])(x)
    x = L.LeakyReLU()(x)
    x = L.Dense(6)(x)
    x = L.PReLU()(L.ELU(0.7)(x))
    return K.Model(i, [L.Softmax(axis=1)(x), L.Activation("hard_tanh")(x)], name="activations")

def operations(K):
    """keras.ops as layers, a model without weights that is called twice, inputs and outputs as dictionaries, whose order is that of their keys."""
    L, O = K.layers, K.ops
    first, second = K.Input((6,), name="v"), K.Input((4, 6), name="u")
    p = K.Input((6,))
    bend = K.Model(p, L.Softmax()(L.Rescaling(2.0)(p)), name="bend")
    x = L.Dense(6)(second)
    for f in (O.relu, O.relu6, O.leaky_relu, O.elu, O.selu, O.gelu, lambda t: O.gelu(t, approximate=False), O.silu, O.softplus, O.softsign, O.sigmoid, O.tanh, O.hard_sigmoid, O.hard_silu, O.exp, O.log_softmax):
        x = L.Dense(6)(f(x))
    y = L.Add()([bend(first), bend(L.Dense(6)(first))])
    m = K.Model({"v": first, "u": second}, {"z": O.elu(x, 0.5), "y": L.Dense(2, activation="softmax")(y)}, name="operations")
    m.compile("sgd", {"z": "mse", "y": "categorical_crossentropy"}, metrics={"z": ["mae"], "y": ["accuracy"]})
    return m

def options(K):
    L, I, R, C = K.layers, K.initializers, K.regularizers, K.constraints
    x = i = K.Input((8, 8, 3), name="x", dtype="uint8")
    x = L.Rescaling(1 / 255.0)(x)
    x = L.RandomFlip("horizontal")(x)
    x = L.RandomTranslation(0.1, (-0.2, 0.1), fill_mode="constant", fill_value=0.5)(x)
    x = L.RandomRotation(0.05, interpolation="nearest")(x)
    x = L.RandomZoom(0.2)(x)
    x = L.RandomContrast(0.3, value_range=(0, 1))(x)
    x = L.Conv2D(4, 3, kernel_initializer="he_normal", bias_initializer=I.Constant(0.1), kernel_regularizer=R.L1L2(1e-4, 1e-3), kernel_constraint=C.MaxNorm(3, axis=[0, 1, 2]), activity_regularizer=R.L1(1e-5))(x)
    x = L.SpatialDropout2D(0.2)(x)
    x = L.GaussianNoise(0.1)(x)
    x = L.Flatten()(x)
    x = L.Dense(4, kernel_initializer=I.VarianceScaling(2.0, "fan_out", "uniform", seed=3), kernel_constraint=C.NonNeg(), bias_regularizer="l2")(x)
    x = L.Dense(4, kernel_initializer=I.RandomNormal(stddev=0.01), kernel_constraint=C.UnitNorm(), trainable=False)(x)
    x = L.Dense(4, kernel_initializer="orthogonal", kernel_constraint=C.MinMaxNorm(0.1, 2.0), bias_initializer=I.TruncatedNormal(0.5, 0.1))(x)
    m = K.Model(i, x, name="options")
    m.compile(K.optimizers.RMSprop(K.optimizers.schedules.PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001]), centered=True), "mse", metrics=[K.metrics.RootMeanSquaredError(), "mae"])
    return m

def optimizer(make, loss, metrics=()):
    def build(K):
        m = K.Sequential([K.Input((3,)), K.layers.Dense(2, activation="sigmoid")], name="net")
        m.compile(make(K.optimizers), loss(K.losses) if callable(loss) else loss, metrics=list(metrics) or None)
        return m
    return build

MODELS = {
    "convolutions.keras": (keras, convolutions), "keras2_convolutions.h5": (tf_keras, lambda K: convolutions(K, False)),
    "sequences.keras": (keras, sequences), "keras2_sequences.h5": (tf_keras, lambda K: sequences(K, False)),
    "normalizations.keras": (keras, normalizations),
    "functional.keras": (keras, functional), "functional.h5": (keras, functional), "keras2_functional.h5": (tf_keras, lambda K: functional(K, False)),
    "activations.keras": (keras, activations), "operations.keras": (keras, operations), "options.keras": (keras, options),
    "adam.keras": (keras, optimizer(lambda O: O.Adam(O.schedules.ExponentialDecay(0.1, 100, 0.96, staircase=True), global_clipnorm=2.0), lambda S: S.MeanSquaredError())),
    "adamax.keras": (keras, optimizer(lambda O: O.Adamax(0.002, weight_decay=0.01), "mae", ["mse"])),
    "nadam.keras": (keras, optimizer(lambda O: O.Nadam(clipvalue=0.5), lambda S: S.LogCosh())),
    "adagrad.keras": (keras, optimizer(lambda O: O.Adagrad(O.schedules.InverseTimeDecay(0.1, 10, 0.5)), "kl_divergence")),
    "adadelta.keras": (keras, optimizer(lambda O: O.Adadelta(O.schedules.PolynomialDecay(1.0, 500, power=2.0)), "poisson")),
    "lion.keras": (keras, optimizer(lambda O: O.Lion(1e-4, use_ema=True, ema_momentum=0.9), "hinge")),
    "rmsprop.keras": (keras, optimizer(lambda O: O.RMSprop(1e-4, momentum=0.5, rho=0.8), "squared_hinge", ["accuracy"])),
    "keras2_adam.h5": (tf_keras, optimizer(lambda O: O.Adam(O.schedules.CosineDecayRestarts(0.1, 100), epsilon=1e-4), lambda S: S.CategoricalCrossentropy(from_logits=True), ["accuracy"])),
    "keras2_legacy_sgd.h5": (tf_keras, optimizer(lambda O: O.legacy.SGD(0.1, momentum=0.9), "binary_crossentropy", ["AUC", "Precision"])),
}

STORED = ("convolutions.keras",) # as Keras writes them; the others are compressed, to be small here

def compress(path):
    with zipfile.ZipFile(path) as z: entries = [(n, z.read(n)) for n in z.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for n, data in entries: z.writestr(n, data)

def draw(shape, dtype):
    if "int8" in str(dtype): return rng.integers(0, 256, shape).astype(np.uint8)
    if "int" in str(dtype): return rng.integers(0, 20, shape).astype(np.int32)
    return rng.normal(0, 1, shape).astype(np.float32)

def main():
    for name in sys.argv[1:] or MODELS:
        K, build = MODELS[name]
        K.backend.clear_session()
        m = build(K)
        for w in m.weights:
            if "seed" in w.name or (K is keras and w.path.startswith("normalization/")): continue
            v = rng.normal(0, 0.4, w.shape)
            w.assign(np.abs(v) + 0.5 if "variance" in w.name else v)
        x = [draw((3, *i.shape[1:]), i.dtype) for i in m.inputs]
        y = m(dict(zip(sorted(m.input), x)) if isinstance(m.input, dict) else x if len(x) > 1 else x[0], training=False)
        if isinstance(y, dict): y = [y[k] for k in sorted(y)]
        out = {"input" + (f"_{k}" if k else ""): v for k, v in enumerate(x)}
        out.update({"output" + (f"_{k}" if k else ""): np.array(v) for k, v in enumerate(y if isinstance(y, (list, tuple)) else [y])})
        m.save(os.path.join(HERE, name))
        if name.endswith(".keras") and name not in STORED: compress(os.path.join(HERE, name))
        save_file(out, os.path.join(HERE, name + ".safetensors"))
        print(name, m.count_params(), "parameters")

if __name__ == "__main__": main()
