"""ONNX Runtime that predicts. Inputs and outputs are bound beforehand."""

import contextlib

import onnxruntime

import predict_onnx
from calls import Call

context = contextlib.nullcontext


def version():
    return f"ONNX Runtime {onnxruntime.__version__}"


def session(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def call(runner, images, output):
    binding = runner.io_binding()
    binding.bind_ortvalue_input(runner.get_inputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(images))
    binding.bind_ortvalue_output(runner.get_outputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(output))
    return Call(lambda: runner.run_with_iobinding(binding))


def manners(net, file, threads):
    yield "", predict_onnx.Predictor(net, file, lambda model: session(model, threads), call)
