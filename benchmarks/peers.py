"""One peer of nunchi on one model, in a fresh process: prints one line of JSON.

  peers.py latency  torch|onnxruntime|openvino MODEL fp32|bf16 BATCH RUNS PIXELS
  peers.py first    transformers|onnxruntime|openvino MODEL PICTURE      (from process start to the first answer)

MODEL is a transformers directory with ViTForImageClassification; PIXELS a file of raw float32 [BATCH, 3, 224, 224].
ONNX Runtime and OpenVINO read MODEL/model.onnx, which `peers.py export MODEL` writes once.
"""

import json
import os
import sys
import time

START = time.perf_counter()
THREADS = int(os.environ.get("NUNCHI_BENCH_THREADS", os.cpu_count()))


def load_torch(model, precision):
    import torch
    import transformers

    torch.set_num_threads(THREADS)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    network = transformers.AutoModelForImageClassification.from_pretrained(model, dtype=dtype).eval()

    def run(pixels):
        with torch.inference_mode():
            return network(torch.from_numpy(pixels).to(dtype)).logits.float().numpy()

    return run


def load_onnxruntime(model, precision):
    import onnxruntime

    if precision != "fp32":
        raise SystemExit("onnxruntime has no bf16 kernels for the CPU")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(f"{model}/model.onnx", options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixel_values": pixels})[0]


def load_openvino(model, precision):
    import openvino

    hint = {"INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32", "INFERENCE_NUM_THREADS": THREADS,
            "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(f"{model}/model.onnx", "CPU", hint)
    request = compiled.create_infer_request()
    return lambda pixels: request.infer({0: pixels})[compiled.output(0)]


LOADERS = {"torch": load_torch, "transformers": load_torch, "onnxruntime": load_onnxruntime, "openvino": load_openvino}


def latency(peer, model, precision, batch, runs, pixels_file):
    import numpy

    pixels = numpy.fromfile(pixels_file, dtype=numpy.float32).reshape(int(batch), 3, 224, 224)
    begin = time.perf_counter()
    run = LOADERS[peer](model, precision)
    load = time.perf_counter() - begin
    begin = time.perf_counter()
    logits = run(pixels)
    first = time.perf_counter() - begin
    times = []
    for _ in range(int(runs)):
        begin = time.perf_counter()
        logits = run(pixels)
        times.append(time.perf_counter() - begin)
    times.sort()
    return {"load_ms": load * 1e3, "first_ms": first * 1e3, "min_ms": times[0] * 1e3, "median_ms": times[len(times) // 2] * 1e3,
            "sum": float(logits.sum()), "largest": int(logits[0].argmax())}


def first_answer(peer, model, picture):
    import numpy
    from PIL import Image

    if peer == "transformers":
        import transformers

        processor = transformers.AutoImageProcessor.from_pretrained(model, use_fast=False)
        pixels = processor(Image.open(picture).convert("RGB"), return_tensors="np")["pixel_values"]
    else:
        resized = Image.open(picture).convert("RGB").resize((224, 224), Image.BILINEAR)
        pixels = ((numpy.asarray(resized, dtype=numpy.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None].copy()
    logits = LOADERS[peer](model, "fp32")(pixels)
    return {"largest": int(logits[0].argmax()), "seconds_inside": time.perf_counter() - START}


def export(model):
    import torch
    import transformers

    network = transformers.AutoModelForImageClassification.from_pretrained(model, attn_implementation="sdpa").eval()

    class LogitsOnly(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, pixel_values):
            return self.network(pixel_values).logits

    torch.onnx.export(LogitsOnly(), (torch.zeros(1, 3, 224, 224),), f"{model}/model.onnx", input_names=["pixel_values"],
                      output_names=["logits"], dynamic_axes={"pixel_values": {0: "batch"}}, opset_version=17, dynamo=False)
    return {"exported": f"{model}/model.onnx"}


if __name__ == "__main__":
    mode, arguments = sys.argv[1], sys.argv[2:]
    print(json.dumps({"latency": latency, "first": first_answer, "export": export}[mode](*arguments)))
