#!/usr/bin/env python3
"""Models as other frameworks save them, imported by cnnc: outputs, and the losses of five steps of training, against their own.

    whole_models.py keras CNNC     MLPerf Tiny's four float networks, each as .keras, .h5 and .onnx   (tensorflow-cpu, tf2onnx)
    whole_models.py torch CNNC     five networks of PyTorch as .onnx                                    (torch, onnx)

Prints a table; the exit status is 1 where outputs differ by more than 1e-5 of the largest, or a loss by more than 1e-3 of it. Where losses
part further, Keras takes the same steps in double: 'float' where ours are no further from these than three times Keras's own in float.
TensorFlow's files of ONNX have batch normalizations inside of convolutions: of these the losses must fall. PyTorch's LSTM has two biases, each
of which is trained.
"""
import csv, os, subprocess, sys, tempfile
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np

STEPS, BATCH, OUTPUT, LOSS, LEEWAY = 5, 16, 1e-5, 1e-3, 3
rng = np.random.default_rng(3)


# ---- cnnc ------------------------------------------------------------------------------------------------------------

def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")


def imported(cnnc, model, statement):
    """The network's file, and that of its weights; the statement is for those that bring none."""
    net, weights = model + ".net", model + ".weights"
    run(cnnc, "import", model, "-o", net, "--weights", weights)
    with open(net, encoding="utf-8") as file:
        text = file.read()
    if "\ncompile" not in text:
        with open(net, "a", encoding="utf-8") as file:
            file.write(f"\n{statement}\n")
    return net, weights


def outputs_of(cnnc, net, weights, x):
    np.save(net + ".x.npy", x)
    run(cnnc, "predict", net, "--weights", weights, "--input", net + ".x.npy", "-o", net + ".y.npy")
    return np.load(net + ".y.npy")


def losses_of(cnnc, net, weights, x, target):
    np.save(net + ".x.npy", x), np.save(net + ".t.npy", target)
    run(cnnc, "train", net, "--weights", weights, "--data", f"{net}.x.npy,{net}.t.npy", "--epochs", str(STEPS), "--batch-size", str(len(x)),
        "--no-shuffle", "--validation-split=0", f"--csv-log={net}.csv", "-o", net + ".after")
    with open(net + ".csv", encoding="utf-8") as file:
        return np.array([float(row["loss"]) for row in csv.DictReader(file)])


def distance(losses, expected):
    return np.abs(losses - expected).max() / np.abs(expected).max()


def compare(cnnc, name, model, statement, x, y, target, losses=None, losses_in_double=None):
    net, weights = imported(cnnc, model, statement)
    output = np.abs(outputs_of(cnnc, net, weights, x).reshape(y.shape) - y).max() / np.abs(y).max()
    ours = losses_of(cnnc, net, weights, x, target)
    if losses is None:
        trains, says = ours[-1] < ours[0], f"{ours[0]:.3f} to {ours[-1]:.3f}"
    else:
        loss = distance(ours, losses)
        trains, says = loss <= LOSS, f"{loss:8.1e}"
    word = "ok"
    if not trains and losses_in_double:
        exact = losses_in_double()
        away, theirs = distance(ours, exact), distance(losses, exact)
        trains, word, says = away <= LEEWAY * theirs, "float", f"{says}, from those in double {away:.1e}, Keras's {theirs:.1e}"
    fine = output <= OUTPUT and trains
    print(f"{name:<24} output {output:8.1e}   losses of {STEPS} steps {says:<16} {word if fine else 'FAIL'}", flush=True)
    return fine


# ---- MLPerf Tiny, as its reference implementations define them ---------------------------------------------------------

def resnet8(K):
    L, l2 = K.layers, K.regularizers.l2(1e-4)
    conv = lambda filters, size, strides, x: L.Conv2D(filters, size, strides=strides, padding="same", kernel_initializer="he_normal", kernel_regularizer=l2)(x)
    i = K.Input((32, 32, 3))
    x = L.Activation("relu")(L.BatchNormalization()(conv(16, 3, 1, i)))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = L.Activation("relu")(L.BatchNormalization()(conv(filters, 3, strides, x)))
        y = L.BatchNormalization()(conv(filters, 3, 1, y))
        x = L.Activation("relu")(L.Add()([conv(filters, 1, strides, x) if strides > 1 else x, y]))
    x = L.Flatten()(L.AveragePooling2D(8)(x))
    return K.Model(i, L.Dense(10, activation="softmax", kernel_initializer="he_normal")(x))


def dscnn(K):
    L, l2 = K.layers, K.regularizers.l2(1e-4)
    i = K.Input((49, 10, 1))
    x = L.Conv2D(64, (10, 4), strides=2, padding="same", kernel_regularizer=l2)(i)
    x = L.Dropout(0.0)(L.Activation("relu")(L.BatchNormalization()(x)))
    for _ in range(4):
        x = L.Activation("relu")(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", depthwise_regularizer=l2)(x)))
        x = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(64, 1, padding="same", kernel_regularizer=l2)(x)))
    x = L.Flatten()(L.AveragePooling2D((25, 5))(L.Dropout(0.0)(x)))
    return K.Model(i, L.Dense(12, activation="softmax")(x))


def mobilenet(K):
    L, l2 = K.layers, K.regularizers.l2(1e-4)
    i = K.Input((96, 96, 3))
    normalized = lambda x: L.Activation("relu")(L.BatchNormalization()(x))
    x = normalized(L.Conv2D(8, 3, strides=2, padding="same", kernel_initializer="he_normal", kernel_regularizer=l2)(i))
    for filters, strides in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)):
        x = normalized(L.DepthwiseConv2D(3, strides=strides, padding="same", depthwise_initializer="he_normal", depthwise_regularizer=l2)(x))
        x = normalized(L.Conv2D(filters, 1, padding="same", kernel_initializer="he_normal", kernel_regularizer=l2)(x))
    x = L.Flatten()(L.AveragePooling2D(3)(x))
    return K.Model(i, L.Dense(2, activation="softmax")(x))


def autoencoder(K):
    L = K.layers
    i = x = K.Input((640,))
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = L.Activation("relu")(L.BatchNormalization()(L.Dense(units)(x)))
    return K.Model(i, L.Dense(640)(x))


def losses_of_keras(keras, model, loss, x, target):
    model.compile(keras.optimizers.Adam(1e-3), loss)
    return np.array([float(np.ravel(model.train_on_batch(x, target))[0]) for _ in range(STEPS)])


def losses_in_double(keras, make, weights, *rest):
    def compute_in(dtype):
        keras.config.set_floatx(dtype), keras.config.set_dtype_policy(dtype)
    compute_in("float64")
    model = make(keras)
    model.set_weights(weights)
    losses = losses_of_keras(keras, model, *rest)
    compute_in("float32")
    return losses


def keras_models(cnnc, folder):
    import keras, tensorflow as tf, tf2onnx
    fine = True
    for make in (resnet8, dscnn, mobilenet, autoencoder):
        keras.utils.set_random_seed(1)
        model = make(keras)
        for w in model.weights:  # as after some training
            if "seed" not in w.path and np.ptp(w.numpy()) == 0:
                w.assign(w.numpy() + np.abs(rng.normal(0, 0.1, w.shape)))
        regression = make is autoencoder
        loss = "mean_squared_error" if regression else "categorical_crossentropy"
        model.compile(keras.optimizers.Adam(1e-3), loss)  # the files have it
        x = rng.normal(0, 1, (BATCH, *model.input_shape[1:])).astype(np.float32)
        target = x if regression else np.eye(model.output_shape[1], dtype=np.float32)[rng.integers(0, model.output_shape[1], BATCH)]
        y = model.predict(x, verbose=0)
        files = {ending: f"{folder}/{make.__name__}.{ending}" for ending in ("keras", "h5", "onnx")}
        model.save(files["keras"]), model.save(files["h5"])
        signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="x")]
        tf2onnx.convert.from_function(tf.function(lambda x: model(x, training=False), input_signature=signature), signature, opset=17, output_path=files["onnx"])
        weights = model.get_weights()
        losses = losses_of_keras(keras, model, loss, x, target)
        in_double = lambda: losses_in_double(keras, make, weights, loss, x, target)
        for ending, file in files.items():
            theirs = () if ending == "onnx" else (losses, in_double)
            fine &= compare(cnnc, f"{make.__name__}.{ending}", file, f"compile optimizer=adam loss={loss}", x, y, target, *theirs)
    return fine


# ---- PyTorch -----------------------------------------------------------------------------------------------------------

def torch_models(cnnc, folder):
    import torch
    from torch import nn
    torch.manual_seed(1)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.Conv2d(8, 8, 3, padding=1)
            self.norm, self.last = nn.BatchNorm2d(8), nn.Linear(8, 5)

        def forward(self, x):
            x = torch.relu(self.stem(x))
            x = torch.relu(x + self.b(torch.relu(self.norm(self.a(x)))))
            return self.last(x.mean((2, 3)))

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.three, self.pooled = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(3, 2, 1)
            self.last = nn.Linear(12 * 16, 5)

        def forward(self, x):
            y = torch.cat([self.one(x), self.three(x), self.pooled(nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False))], 1)
            return self.last(nn.functional.max_pool2d(nn.functional.silu(y), 2).flatten(1))

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells, self.last = nn.LSTM(6, 7, batch_first=True), nn.Linear(7, 5)

        def forward(self, x):
            return self.last(self.cells(x)[0][:, -1])

    lenet = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(72, 20), nn.GELU(), nn.Linear(20, 5))
    depthwise = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8), nn.Hardswish(),
                              nn.Conv2d(8, 12, 1), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5))
    models = {"lenet": (lenet, (1, 20, 20)), "depthwise": (depthwise, (3, 12, 12)), "residual": (Residual(), (3, 9, 9)), "branches": (Branches(), (3, 8, 8)), "recurrent": (Recurrent(), (10, 6))}
    fine = True
    for name, (model, shape) in models.items():
        x, target = torch.randn(BATCH, *shape), torch.randint(0, 5, (BATCH,))
        path = f"{folder}/{name}.onnx"
        model.eval()
        with torch.no_grad():
            y = model(x).numpy()
        # with batch normalizations as they are, for more training
        torch.onnx.export(model, (x,), path, input_names=["x"], dynamic_axes={"x": {0: "batch"}}, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
        model.train()
        optimizer, losses = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), target)
            loss.backward(), optimizer.step()
            losses.append(float(loss))
        lies = np.ascontiguousarray(np.moveaxis(x.numpy(), 1, -1)) if len(shape) == 3 else x.numpy()  # cnnc has channels last
        statement = "compile optimizer=sgd(learning_rate=0.05, momentum=0.9) loss=sparse_categorical_crossentropy(from_logits=true)"
        fine &= compare(cnnc, f"{name} (PyTorch)", path, statement, lies, y, target.numpy().astype(np.int32), np.array(losses))
    return fine


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("keras", "torch"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        fine = {"keras": keras_models, "torch": torch_models}[sys.argv[1]](os.path.abspath(sys.argv[2]), folder)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
