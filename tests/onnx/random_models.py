#!/usr/bin/env python3
"""random_models.py: models of random layers that move axes about, each in a folder like those of make.py.

    python3 random_models.py FOLDER COUNT [SEED];  CNNC_ONNX_MODELS=FOLDER test_import_onnx      what is refused is said, what is wrong fails
"""
import os
import sys

import numpy as np

import make


def factors(random, n):
    return [int(d) for d in random.permutation([d for d in range(1, n + 1) if n % d == 0])]


def step(n, r, x, s):
    """One layer on x of shape s, without the batch, which comes first: the result and its shape, or None."""
    d = len(s)
    kind = r.integers(0, 23)
    if kind == 0 and d > 1:
        p = [int(i) for i in r.permutation(d)]
        return n.add("Transpose", x, perm=[0] + [i + 1 for i in p]), [s[i] for i in p]
    if kind == 1 and d > 1:
        i = int(r.integers(0, d - 1))
        t = s[:i] + [s[i] * s[i + 1]] + s[i + 2:]
        return n.add("Reshape", x, n.ints(-1 if r.integers(2) else 0, *t)), t
    if kind == 2 and d < 4:
        i = int(r.integers(0, d))
        a = factors(r, s[i])[0]
        t = s[:i] + [a, s[i] // a] + s[i + 1:]
        return n.add("Reshape", x, n.ints(0, *t)), t
    if kind == 3 and d < 4:
        total = int(np.prod(s))
        a = factors(r, total)[0]
        return n.add("Reshape", x, n.ints(0, a, total // a)), [a, total // a]
    if kind in (4, 5):
        t = [v if r.integers(2) else 1 for v in s][int(r.integers(0, d)):]
        return n.add(["Add", "Mul", "Sub", "Div"][r.integers(4)], x, n.weight(values=r.uniform(0.5, 1.5, t))), s
    if kind == 6:
        return n.add("Sub", n.weight(values=r.uniform(0.5, 1.5, s)), x), s
    if kind == 7:
        return n.add(["Relu", "Tanh", "Softplus", "Neg", "Abs"][r.integers(5)], x), s
    if kind == 8:
        return n.add("Softmax", x, axis=int(r.integers(1, d + 1))), s
    if kind == 9 and d > 1:
        axes = sorted(int(i) for i in r.choice(d, r.integers(1, d), replace=False))
        keep = int(r.integers(2))
        t = [1 if i in axes else v for i, v in enumerate(s)] if keep else [v for i, v in enumerate(s) if i not in axes]
        return n.add(["ReduceMean", "ReduceMax", "ReduceMin"][r.integers(3)], x, axes=[i + 1 for i in axes], keepdims=keep), t
    if kind == 10 and np.prod(s) < 200:
        i = int(r.integers(0, d))
        return n.add("Concat", x, n.add("Tanh", x), axis=i + 1), s[:i] + [2 * s[i]] + s[i + 1:]
    if kind == 11:
        i = int(r.integers(0, d))
        if s[i] < 2:
            return None
        a, b = sorted(int(v) for v in r.choice(s[i] + 1, 2, replace=False))
        return n.add("Slice", x, n.ints(a), n.ints(b), n.ints(i + 1)), s[:i] + [b - a] + s[i + 1:]
    if kind == 12:
        m = int(r.integers(1, 7))
        return n.add("MatMul", x, n.weight(s[-1], m)), s[:-1] + [m]
    if kind == 13 and d == 3:
        m = int(r.integers(1, 6))
        return n.add("Conv", x, n.weight(m, s[0], 1, 1), *[n.weight(m)] * int(r.integers(2))), [m] + s[1:]
    if kind == 14 and d == 3 and min(s[1:]) > 1:
        return n.add("MaxPool", x, kernel_shape=[2, 2], pads=[1, 0, 0, 1]), s
    if kind == 15:
        i = int(r.integers(0, d))
        mode = ["constant", "edge", "reflect"][r.integers(3)]
        if s[i] < 3:
            return None
        pads = [0] * (2 * d + 2)
        pads[i + 1], pads[i + 2 + d] = int(r.integers(0, 3)), int(r.integers(0, 3))
        return n.add("Pad", x, n.ints(*pads), mode=mode), s[:i] + [s[i] + pads[i + 1] + pads[i + 2 + d]] + s[i + 1:]
    if kind == 16 and d < 4:
        i = int(r.integers(0, d + 1))
        return n.add("Unsqueeze", x, n.ints(i + 1)), s[:i] + [1] + s[i:]
    if kind == 17:
        i = int(r.integers(0, d))
        return n.add("Gather", x, n.weight(values=r.integers(-s[i], s[i], 3), dtype=np.int64), axis=i + 1), s[:i] + [3] + s[i + 1:]
    if kind == 18:
        t = [v if r.integers(2) else 1 for v in s]
        axes = [i + 1 for i in range(d) if t[i] == 1 and s[i] != 1]
        return (n.add("Add", n.add("ReduceMean", x, axes=axes, keepdims=1), x), s) if axes else None
    if kind == 19 and d > 1:
        return n.add("Add", n.add("Flatten", x, axis=1), n.add("Tanh", n.add("Reshape", x, n.ints(0, -1)))), [int(np.prod(s))]
    if kind == 20 and d == 1:
        return n.dense(x, s[0], 4), [4]
    if kind == 21 and d > 1:
        return n.add("BatchNormalization", x, *[n.weight(values=r.uniform(0.5, 1.5, s[0])) for _ in range(4)]), s
    if kind == 22:
        return n.add("Add", n.add("Identity", x), n.weight(s[-1])), s
    return None


def main():
    make.HERE, count, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
    for seed in range(first, first + count):
        r = np.random.default_rng(seed)
        n = make.Net(f"random_{seed}", 13)
        s = [int(v) for v in r.integers(1, 6, r.integers(2, 4))]
        given, x = make.image(n, 2, *s), "x"
        earlier = []
        for _ in range(r.integers(2, 20)):
            earlier.append((x, s))
            if r.integers(5) == 0:  # a branch of an earlier value; sums and outputs take it, too
                x, s = earlier[int(r.integers(len(earlier)))]
            made = step(n, r, x, s)
            same = [e for e, t in earlier if made and e != made[0] and list(t) == [int(v) for v in made[1]]]
            if same and r.integers(2):
                made = n.add(["Add", "Mul", "Max"][r.integers(3)], made[0], same[int(r.integers(len(same)))]), made[1]
            if made:
                x, s = made[0], [int(v) for v in made[1]]
            if made and not s:
                x, s = n.add("Reshape", x, n.ints(-1, 1)), [1]
        if x == "x":
            continue
        try:
            others = [e for e, _ in earlier if e not in ("x", x) and r.integers(8) == 0]
            n.save([("x", ["N", *given.shape[1:]], given)], list(dict.fromkeys([x] + others)))
        except Exception as e:
            print(seed, repr(e)[:200])


if __name__ == "__main__":
    main()
