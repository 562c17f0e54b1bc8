"""What compare.py knows of answers: nunchi's own, PyTorch's in fp32, and how far the others may lie from it."""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
from safetensors.numpy import load_file

PEERS = pathlib.Path(__file__).resolve().parent / "peers.py"
LEAST_COSINE = {"fp32": 0.99999, "bf16": 0.99, "int8": 0.9}  # with PyTorch's logits in fp32
SPREAD = {"fp32": 1e-4, "bf16": 2e-2, "int8": 5e-2}  # of a sum of logits, relative to that of their magnitudes


def forward(build, model, picture, side, precision):
    """pixel_values and logits of nunchi, [1, ...]."""
    with tempfile.TemporaryDirectory() as scratch:
        file = pathlib.Path(scratch) / "outputs.safetensors"
        subprocess.run([build / "bin" / "nunchi", "forward", model, "--image", picture, "--size", f"{side}x{side}",
                        "--precision", precision, "--out", file, "--quiet"], check=True)
        return load_file(file)


def reference(model):
    """PyTorch's logits of the picture in fp32."""
    command = [sys.executable, PEERS, "latency", "torch", model, "fp32", "1", "1", model / "pixels_1.f32"]
    return numpy.array(json.loads(subprocess.check_output(command, text=True).splitlines()[-1])["logits"])


def cosine(left, right):
    return float(left @ right / numpy.linalg.norm(left) / numpy.linalg.norm(right))


def check(results, own, expected, precision, batch, left_out):
    """name -> cosine with `expected`. Whose answer differs leaves `results` for `left_out`; nunchi's stops the run.

    The batch holds the same picture again and again, so the sum over it tells whether what was timed is what was checked.
    """
    cosines = {}
    for name, values in list(results.items()):
        logits = own if name == "nunchi" else numpy.array(values[0]["logits"])
        cosines[name] = cosine(logits, expected)
        away = max(abs(value["sum"] / batch - logits.sum()) / numpy.abs(logits).sum() for value in values)
        if cosines[name] >= LEAST_COSINE[precision] and away <= SPREAD[precision]:
            continue
        left_out[name] = f"answers differently: cosine {cosines[name]:.5f}, the sum is {away:.1e} away"
        del results[name]
    if "nunchi" not in results:
        raise SystemExit(f"nunchi in {precision}, batch {batch}: {left_out['nunchi']}")
    return cosines


def check_classes(results, left_out):
    """The largest class of each first answer is nunchi's."""
    def largest(value):
        return value["predictions"][0]["id"] if "predictions" in value else value["largest"]

    own = largest(results["nunchi"][0])
    for name, values in list(results.items()):
        if any(largest(value) != own for value in values):
            left_out[name] = f"answers {largest(values[0])}, nunchi {own}"
            del results[name]
