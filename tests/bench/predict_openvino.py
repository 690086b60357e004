"""OpenVINO that predicts. Tensors share the arrays' memory and are set beforehand; 32-bit floats, as others have."""

import contextlib

import openvino

import predict_onnx
from calls import Call

context = contextlib.nullcontext


def version():
    return f"OpenVINO {openvino.__version__.partition('-')[0]}"


def request(model, threads):
    core = openvino.Core()
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(core.read_model(model, b""), "CPU", settings).create_infer_request()


def call(runner, images, output):
    tensors = [openvino.Tensor(array, shared_memory=True) for array in (images, output)]

    def ready():
        runner.set_input_tensor(tensors[0])
        runner.set_output_tensor(tensors[1])
    return Call(lambda: runner.infer(share_outputs=True), ready)


def manners(net, file, threads):
    yield "", predict_onnx.Predictor(net, file, lambda model: request(model, threads), call)
