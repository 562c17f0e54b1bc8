#!/usr/bin/env python3
"""Quantises parity cases with nunchi and shows that transformers, with compressed-tensors, loads the same numbers.

    tools/check_int8.py build/release/bin/nunchi            every case below
    tools/check_int8.py build/release/bin/nunchi CASE...    these

Once on the rounded weights alone (the peer decompresses them, nunchi runs in fp32): equal but for the order of sums. Once with
rounded activations too: both take a range for each token, but nunchi computes in bf16 between the layers, and small random models
magnify what is rounded otherwise, so there the cosine counts. The peer divides by zero where all of a token's values are 0.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from safetensors.torch import load_file

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden" / "cases"
CASES = ["vit_classifier", "deit_distilled", "swin_classifier", "swinv2_classifier"]
RTOL, LEAST_COSINE = 1e-5, 0.98


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    sys.exit(any([not check(options.nunchi, FOLDER / name) for name in options.cases or CASES]))


def check(nunchi, case):
    with tempfile.TemporaryDirectory() as parent:
        folder, pictures = Path(parent) / "int8", [str(file) for file in case.glob("input*")]
        run(nunchi, "quantize", case / "model", "--data", case, "--max-drop", "100", "-o", folder)
        passed = True
        for precision, compressed in (("fp32", False), ("int8", True)):
            out = Path(parent) / f"{precision}.safetensors"
            run(nunchi, "forward", folder, "--image", pictures[0], "--precision", precision, "-o", out)
            found = load_file(out)
            expected = answer(folder, found["pixel_values"], compressed)
            name = "logits" if "logits" in found else "last_hidden_state"
            difference = ((found[name] - expected[name]).abs().max() / expected[name].abs().max()).item()
            cosine = torch.cosine_similarity(found[name].flatten(), expected[name].flatten(), 0).item()
            equal = difference < RTOL if precision == "fp32" else cosine > LEAST_COSINE
            is_nan = expected[name].isnan().any().item()
            passed &= equal or is_nan
            print(f"{case.name:24} {precision} {name}: {difference:.1e}, cosine {cosine:.5f}",
                  "equal" if equal else "the peer's are NaN" if is_nan else "DIFFERENT")
        return passed


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(str(word) for word in command)}: {done.stderr.strip()}")


def answer(folder, pixel_values, compressed):
    config = json.loads((folder / "config.json").read_text())
    kind = getattr(transformers, config["architectures"][0])
    quantisation = transformers.CompressedTensorsConfig(run_compressed=compressed)
    model = kind.from_pretrained(folder, quantization_config=quantisation, dtype=torch.float32).eval()
    with torch.no_grad():
        output = model(pixel_values=pixel_values)
    return {"logits": output.get("logits"), "last_hidden_state": output.get("last_hidden_state")}


if __name__ == "__main__":
    main()
