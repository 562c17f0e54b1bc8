#!/usr/bin/env python3
"""Shows the bundled photos to the bundled model in nunchi and in timm: the same pixels, the same logits.

    tools/check_bundled.py build/release/bin/nunchi             prints the differences
    tools/check_bundled.py build/release/bin/nunchi --write     and writes timm's logits: tests/golden/bundled.json

timm's own transform needs torchvision's operators; Pillow makes the pixels by the numbers of the model's config.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file

from cases.absent_torchvision import import_timm

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "assets" / "bundled" / "nunchi-vit-cifar10"
KEPT = ("cat", "macaw", "owl")


def pixels_of(photo, config):
    """A square photo: its whole is scaled to the model's size."""
    picture = Image.open(photo).convert("RGB")
    assert picture.width == picture.height and config["crop_pct"] == 1 and config["interpolation"] == "bilinear"
    pixels = numpy.array(picture.resize(config["input_size"][:0:-1], Image.Resampling.BILINEAR), numpy.float32) / 255
    normalised = (pixels - numpy.float32(config["mean"])) / numpy.float32(config["std"])
    return torch.from_numpy(normalised).permute(2, 0, 1)[None].float()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    config = json.loads((MODEL / "config.json").read_text())["pretrained_cfg"]
    model = import_timm().create_model(f"local-dir:{MODEL}", pretrained=True).eval()
    golden, passed = {}, True
    for photo in sorted((ROOT / "assets" / "photos").glob("*.jpg")):
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/out.safetensors"
            subprocess.run([options.nunchi, "forward", MODEL.name, "--image", photo, "-o", out, "-q"], check=True)
            found = load_file(out)
        pixels = pixels_of(photo, config)
        with torch.no_grad():
            logits = model(pixels)
        off = ((found["logits"] - logits).abs().max() / logits.abs().max()).item()
        pixels_off = (found["pixel_values"] - pixels).abs().max().item()
        passed = passed and off < 1e-5 and pixels_off < 1e-6
        print(f"{photo.stem:10} pixels: {pixels_off:.1e}  logits: {off:.1e}")
        if photo.stem in KEPT:
            golden[photo.stem] = [float(f"{value:.6g}") for value in logits[0].tolist()]
    if options.write:
        path = ROOT / "tests" / "golden" / "bundled.json"
        path.write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")
    sys.exit(not passed)


if __name__ == "__main__":
    main()
