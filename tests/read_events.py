"""read_events.py CNNC FOLDER: what TensorBoard's own reader finds in the event files of cnnc train. Exit status 77: TensorBoard is not installed."""
import csv, os, shutil, struct, subprocess, sys

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(77)

NET = """network board
input 4
dense 3 activation=softmax
compile optimizer=rmsprop loss=categorical_crossentropy metrics=accuracy
fit epochs=3 batch_size=16 validation_split=0.25
"""


def npy(path, kind, shape, data):
    header = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def scalars(folder, tag):
    reader = EventAccumulator(folder)
    reader.Reload()
    return [(e.step, e.value) for e in reader.Scalars(tag)], sorted(reader.Tags()["scalars"])


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def main(cnnc, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    os.chdir(folder)
    os.environ["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
    n = 64
    xs = [((i * 37 + k * 11) % 17) / 17 - 0.5 for i in range(n) for k in range(4)]
    npy("X.npy", "<f4", (n, 4), struct.pack("<%df" % len(xs), *xs))
    npy("Y.npy", "<i4", (n,), struct.pack("<%di" % n, *[i % 3 for i in range(n)]))
    with open("board.net", "w") as out:
        out.write(NET)
    train = [cnnc, "train", "board.net", "--data", "X.npy,Y.npy", "--checkpoint=c", "--csv-log=log.csv", "--tensorboard=logs/run"]
    subprocess.run(train, check=True, stdout=subprocess.DEVNULL)
    os.replace("c.previous", "c")  # as if it had been killed: the third epoch is done again
    subprocess.run(train + ["--resume", "--epochs=5"], check=True, stdout=subprocess.DEVNULL)
    with open("log.csv", newline="") as log:
        rows = list(csv.DictReader(log))
    assert [int(r["epoch"]) for r in rows] == [0, 1, 2, 3, 4], rows
    for part, prefix in (("train", ""), ("validation", "val_")):
        for name in ("loss", "accuracy"):
            found, tags = scalars("logs/run/" + part, "epoch_" + name)
            wanted = [(i, single(float(r[prefix + name]))) for i, r in enumerate(rows)]
            assert found == wanted, (part, name, found, wanted)
        assert tags == ["epoch_accuracy"] + (["epoch_learning_rate"] if part == "train" else []) + ["epoch_loss"], tags
    found, _ = scalars("logs/run/train", "epoch_learning_rate")
    assert found == [(i, single(0.001)) for i in range(5)], found


main(*sys.argv[1:])
