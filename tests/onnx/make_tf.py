#!/usr/bin/env python3
"""make_tf.py: the models tf_* of this folder: small networks of Keras as tf2onnx exports them, an input and onnxruntime's outputs.

    python3 make_tf.py     needs keras, tensorflow, tf2onnx and onnxruntime
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import onnxruntime
from keras import layers as L
from onnx import numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(0)


def save(name, model, *shape):
    model.set_weights([(np.abs(w) + 0.5 if "var" in v.path else w + random.normal(0, 0.1, w.shape)).astype("float32") for v, w in zip(model.weights, model.get_weights())])
    x = random.normal(0, 1, shape).astype("float32")
    expected = model.predict(x, verbose=0)
    folder = os.path.join(HERE, name)
    os.makedirs(os.path.join(folder, "test_data_set_0"), exist_ok=True)
    model.export(os.path.join(folder, "model.onnx"), format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"))
    results = session.run(None, {session.get_inputs()[0].name: x})
    assert np.abs(expected - results[0]).max() < 1e-5
    for kind, arrays in (("input", [x]), ("output", results)):
        for i, a in enumerate(arrays):
            with open(os.path.join(folder, "test_data_set_0", f"{kind}_{i}.pb"), "wb") as f:
                f.write(numpy_helper.from_array(a).SerializeToString())


i = keras.Input((16, 14, 3))
x = L.MaxPooling2D()(L.BatchNormalization()(L.Conv2D(8, 3, padding="same", activation="relu")(i)))
x = L.ReLU(6.0)(L.DepthwiseConv2D(3, padding="same", strides=2)(x))
x = L.Conv2D(6, 3, activation="elu")(L.Add()([x, L.Conv2D(8, 1)(x)]))
save("tf_cnn", keras.Model(i, L.Dense(4, activation="softmax")(L.Dense(10, activation="silu")(L.Flatten()(x)))), 3, 16, 14, 3)

i = keras.Input((8, 8, 3))
x = L.UpSampling2D(interpolation="bilinear")(L.Conv2D(4, 3, strides=2, padding="same")(i))
x = L.Conv2DTranspose(5, 3, strides=2, padding="same", activation="elu")(x)
x = L.GlobalAveragePooling2D()(L.AveragePooling2D(3, strides=2, padding="same")(x))
save("tf_upward", keras.Model(i, L.Dense(2)(L.Dropout(0.3)(L.Dense(6, activation="hard_sigmoid")(x)))), 3, 8, 8, 3)

i = keras.Input((9, 6))
save("tf_lstm", keras.Model(i, L.Dense(2)(L.Bidirectional(L.LSTM(4))(L.LSTM(5, return_sequences=True)(i)))), 3, 9, 6)
