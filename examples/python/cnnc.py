"""A network that cnnc compiled into a shared library, used from Python by ctypes and NumPy.

Arrays are handed over as they lie in memory and weights are seen as arrays where the network keeps them: nothing is copied.
The structures are those of cnnc_network.h and cnnc_runtime.h, as far as they are used here.
"""

import ctypes
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint64, c_void_p

import numpy as np

ABI = 3  # CNNC_ABI, which moves when these structures change
TYPES = (np.float32, np.float64, np.uint8, np.int32)  # cnnc_type


class Error(Structure):
    _fields_ = [("text", c_char * 512), ("system", c_int)]


class Tensor(Structure):
    _fields_ = [("name", c_char_p), ("type", c_int), ("rank", c_int), ("shape", c_int * 8), ("count", c_size_t), ("classes", c_int)]


class Initializer(Structure):
    _fields_ = [("distribution", c_int), ("a", c_double), ("b", c_double), ("seed", c_int64)]


class Parameter(Structure):
    _fields_ = [("name", c_char_p), ("rank", c_int), ("shape", c_int * 8), ("offset", c_size_t), ("count", c_size_t),
                ("trainable", c_int), ("initializer", Initializer)]


class Network(Structure):  # its beginning
    _fields_ = [("abi", c_int), ("name", c_char_p), ("type", c_int),
                ("inputs", POINTER(Tensor)), ("outputs", POINTER(Tensor)), ("targets", POINTER(Tensor)),
                ("input_count", c_int), ("output_count", c_int), ("target_count", c_int),
                ("parameters", POINTER(Parameter)), ("parameters_length", c_int), ("parameter_count", c_size_t),
                ("layers", c_void_p), ("layer_count", c_int), ("metrics", POINTER(c_char_p)), ("metric_count", c_int)]


class State(Structure):  # its beginning
    _fields_ = [("learning_rate", c_double), ("step", c_uint64), ("seed", c_uint64), ("version", c_uint64), ("workers", c_int), ("variant", c_int),
                ("parameters", c_void_p)]


class Model(Structure):
    _fields_ = [("network", POINTER(Network)), ("net", c_void_p), ("state", POINTER(State)), ("pool", c_void_p)]


class Batch(Structure):
    _fields_ = [("n", c_int), ("inputs", POINTER(c_void_p)), ("targets", POINTER(c_void_p)), ("index", c_void_p),
                ("outputs", POINTER(c_void_p)), ("input_gradients", POINTER(c_void_p))]


def pointers(arrays, tensors, n=None):
    """The addresses of arrays, after a look at whether they are what the network reads or writes there."""
    for array, tensor in zip(arrays, tensors, strict=True):
        shape = tuple(tensor.shape[: tensor.rank])
        if array.dtype != TYPES[tensor.type] or array.shape[1:] != shape or not array.flags.c_contiguous or n not in (None, len(array)):
            raise ValueError(f"{tensor.name.decode()}: {array.dtype} {array.shape}, not {np.dtype(TYPES[tensor.type])} (n, *{shape}) in one piece")
    return (c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


class Net:
    """The network called `name` in a shared library."""

    def __init__(self, library, name, threads=0):
        self._lib = ctypes.CDLL(library)
        self._lib.cnnc_model_new.restype = POINTER(Model)
        self._lib.cnnc_model_free.argtypes = [POINTER(Model)]
        self.network = Network.in_dll(self._lib, name + "_network")
        if self.network.abi != ABI:
            raise RuntimeError(f"{library}: made for ABI {self.network.abi}, this is {ABI}")
        self._model = None
        error = Error()
        self._model = self._lib.cnnc_model_new(byref(self.network), c_int(threads), None, byref(error))
        if not self._model:
            raise RuntimeError(error.text.decode())

    def __del__(self):
        if getattr(self, "_model", None):
            self._lib.cnnc_model_free(self._model)

    def _call(self, name, *arguments):
        error = Error()
        if getattr(self._lib, name)(*arguments, byref(error)) != 0:
            raise RuntimeError(error.text.decode())

    def _tensors(self, kind):
        return getattr(self.network, kind + "s")[: getattr(self.network, kind + "_count")]

    def weights(self):
        """Name -> array, the memory of the network itself; valid while the Net is. After writing there: changed()."""
        dtype = np.dtype(TYPES[self.network.type])
        memory = (c_char * (self.network.parameter_count * dtype.itemsize)).from_address(self._model.contents.state.contents.parameters)
        return {p.name.decode(): np.frombuffer(memory, dtype, p.count, p.offset * dtype.itemsize).reshape(p.shape[: p.rank])
                for p in self.network.parameters[: self.network.parameters_length]}

    def changed(self):
        self._lib.cnnc_model_parameters_changed(self._model)

    def train(self, inputs, targets, rows):
        """One update with the given rows (uint32) of whole arrays; loss and metrics of them before it."""
        if rows.dtype != np.uint32 or not rows.flags.c_contiguous or rows.size == 0 or rows.max() >= min(map(len, inputs + targets)):
            raise ValueError("rows: uint32 in one piece, each below the number of examples")
        batch = Batch(n=rows.size, inputs=pointers(inputs, self._tensors("input")), targets=pointers(targets, self._tensors("target")),
                      index=rows.ctypes.data)
        results = np.empty(1 + self.network.metric_count)
        self._call("cnnc_model_train_batch", self._model, byref(batch), c_void_p(results.ctypes.data))
        return results

    def predict(self, inputs):
        """Outputs for all rows."""
        n = len(inputs[0])
        outputs = [np.empty((n, *t.shape[: t.rank]), TYPES[t.type]) for t in self._tensors("output")]
        self._call("cnnc_predict", self._model, pointers(inputs, self._tensors("input"), n), c_size_t(n), c_int(0), c_int(0), None, None,
                   pointers(outputs, self._tensors("output"), n))
        return outputs
