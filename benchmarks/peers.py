"""One peer of nunchi on one model, in a fresh process: prints one line of JSON.

  peers.py latency  PEER MODEL fp32|bf16|int8 BATCH RUNS PIXELS   (with the logits of the first picture)
  peers.py first    PEER MODEL PICTURE                            (from process start to the first answer, fp32)

PEER is torch, torch-compile, onnxruntime or openvino. MODEL is a transformers directory with a head of classes, PIXELS a
file of raw float32 [BATCH, 3, SIDE, SIDE]. ONNX Runtime and OpenVINO read the files that peers_prepare.py writes there.
"""

import json
import os
import sys
import time

START = time.perf_counter()
THREADS = int(os.environ.get("NUNCHI_BENCH_THREADS", os.cpu_count()))


def load_torch(model, precision, shape, compiled=False):
    import torch
    import transformers

    if precision == "int8":
        raise SystemExit("PyTorch is measured in fp32 and bf16 alone")
    torch.set_num_threads(THREADS)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    network = transformers.AutoModelForImageClassification.from_pretrained(model, dtype=dtype).eval()
    if compiled:
        import torch._inductor.config

        torch._inductor.config.freezing = True  # folds and packs the weights
        network = torch.compile(network)

    def run(pixels):
        with torch.inference_mode():
            return network(torch.from_numpy(pixels).to(dtype)).logits.float().numpy()

    return run


def load_compiled(model, precision, shape):
    return load_torch(model, precision, shape, compiled=True)


def load_onnxruntime(model, precision, shape):
    import onnxruntime

    if precision == "bf16":
        raise SystemExit("ONNX Runtime has no bf16 kernels for the CPU")
    file = "model.onnx" if precision == "fp32" else "onnxruntime_int8.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(f"{model}/{file}", options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixel_values": pixels})[0]


def load_openvino(model, precision, shape):
    import openvino

    core = openvino.Core()
    network = core.read_model(f"{model}/{'openvino_int8.xml' if precision == 'int8' else 'model.onnx'}")
    network.reshape(list(shape))  # fixed shapes are its fastest
    hint = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"}
    if precision != "int8":  # there what is not quantised runs in what OpenVINO finds fastest, as in nunchi
        hint["INFERENCE_PRECISION_HINT"] = "bf16" if precision == "bf16" else "f32"
    compiled = core.compile_model(network, "CPU", hint)
    request = compiled.create_infer_request()
    return lambda pixels: request.infer({0: pixels})[compiled.output(0)]


LOADERS = {"torch": load_torch, "torch-compile": load_compiled, "onnxruntime": load_onnxruntime, "openvino": load_openvino}


def latency(peer, model, precision, batch, runs, pixels_file):
    import numpy

    pixels = numpy.fromfile(pixels_file, dtype=numpy.float32)
    side = round((pixels.size / int(batch) / 3) ** 0.5)
    pixels = pixels.reshape(int(batch), 3, side, side)
    begin = time.perf_counter()
    run = LOADERS[peer](model, precision, pixels.shape)
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
            "sum": float(logits.sum()), "largest": int(logits[0].argmax()), "logits": logits[0].tolist()}


def first_answer(peer, model, picture):
    import numpy
    from PIL import Image

    if peer == "torch":
        import transformers

        processor = transformers.AutoImageProcessor.from_pretrained(model, use_fast=False)
        pixels = processor(Image.open(picture).convert("RGB"), return_tensors="np")["pixel_values"]
    else:
        resized = Image.open(picture).convert("RGB").resize((224, 224), Image.BILINEAR)
        pixels = ((numpy.asarray(resized, dtype=numpy.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None].copy()
    logits = LOADERS[peer](model, "fp32", pixels.shape)(pixels)
    return {"largest": int(logits[0].argmax()), "seconds_inside": time.perf_counter() - START}


if __name__ == "__main__":
    mode, arguments = sys.argv[1], sys.argv[2:]
    print(json.dumps({"latency": latency, "first": first_answer}[mode](*arguments)))
