#!/usr/bin/env python3
"""Trains for a few steps with nunchi and shows that the Python peers load what came out, with the same logits.

    tools/check_trained.py build/release/bin/nunchi            every case below
    tools/check_trained.py build/release/bin/nunchi vit        this one

From scratch and fine-tuned from small checkpoints of the parity cases; where ../shared is there, the real MobileNetV2,
too. TensorBoard's own reader reads the event file, where tensorboard can be imported.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from PIL import Image
from safetensors.torch import load_file

from cases.absent_torchvision import import_timm

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "cases"
MOBILENET = ROOT.parent / "shared" / "data" / "mobilenet-v2-imagenet" / "hf"

TINY_VIT = "{img_size: 16, patch_size: 8, embed_dim: 32, depth: 2, num_heads: 2}"
CASES = {
    "vit": ("timm", [f"model.arch=timm/vit_tiny_patch16_224", f"model.arguments={TINY_VIT}"]),
    "vit_rectangular": ("timm", ["model.arch=timm/vit_tiny_patch16_224", "augment.size=[16, 24]",
                                 f"model.arguments={TINY_VIT.replace('16,', '[16, 24],', 1)}"]),
    "resnet": ("timm", ["model.arch=timm/resnet18", "augment.size=[32, 32]",
                        "model.arguments={layers: [1, 1, 1, 1], channels: [8, 16, 24, 32]}"]),
    "swin": ("timm", ["model.arch=timm/swin_tiny_patch4_window7_224",
                      "model.arguments={img_size: 32, embed_dim: 16, depths: [2, 2], num_heads: [2, 4], window_size: 4}"]),
    "vit_transformers": ("hf", [f"model.checkpoint={GOLDEN / 'vit_classifier/model'}"]),
    "vit_timm": ("timm", [f"model.checkpoint={GOLDEN / 'timm_vit/model'}"]),
    "swin_transformers": ("hf", [f"model.checkpoint={GOLDEN / 'swin_classifier/model'}"]),
    "resnet_timm": ("timm", [f"model.checkpoint={GOLDEN / 'timm_resnet_basic/model'}"]),
    "mobilenet_small": ("hf", [f"model.checkpoint={GOLDEN / 'mobilenet_v2/model'}"]),
    "mobilenet_frozen": ("hf", [f"model.checkpoint={MOBILENET}", "model.freeze_backbone=true", "data.batch=4"]),
    "mobilenet": ("hf", [f"model.checkpoint={MOBILENET}", "data.batch=4", "model.backbone_rate_scale=0.1"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    failed = 0
    for name in options.cases or CASES:
        if "mobilenet_frozen" not in name and name != "mobilenet" or MOBILENET.exists():
            failed += not check(options.nunchi, name, *CASES[name])
    sys.exit(failed)


def check(nunchi, name, target, words):
    with tempfile.TemporaryDirectory() as parent:
        data, run = Path(parent) / "data", Path(parent) / "run"
        write_pictures(data)
        recipe = Path(parent) / "recipe.yaml"
        recipe.write_text(f"data: {{path: {data}, batch: 8, validation: val}}\nschedule: {{epochs: 2}}\n"
                          "optimizer: {learning_rate: 1e-2}\nregularisation: {ema_decay: 0.5}\nrun: {log_every: 2}\n")
        done = subprocess.run([nunchi, "train", str(recipe), "-o", str(run), "-q", "--json", *words],
                              capture_output=True, text=True)
        if done.returncode:
            print(f"{name:20} NOT TRAINED: {done.stderr.strip()}")
            return False
        picture = next((data / "val").rglob("*.png"))
        out = Path(parent) / "out.safetensors"
        subprocess.run([nunchi, "forward", str(run / "model"), "--image", str(picture), "-o", str(out), "-q"],
                       check=True, capture_output=True)
        expected = load_file(out)
        found = answer(target, run / "model", expected["pixel_values"])
        scale = expected["logits"].abs().max()
        difference = ((found - expected["logits"]).abs().max() / scale).item()
        pixels = pixel_difference(target, run / "model", picture, expected["pixel_values"])
        passed = difference < 1e-4 and pixels < 1e-5 and math.isfinite(scale) and events_are_read(run)
        print(f"{name:20} {target:5} logits: {difference:.1e}  pixels: {pixels:.1e}  "
              f"{'equal' if passed else 'DIFFERENT'}")
        return passed


def write_pictures(folder):
    draw = random.Random(1)
    for split, count in (("train", 16), ("val", 4)):
        for label, name in enumerate(("blue", "green", "red")):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                picture = Image.new("RGB", (40, 36))
                picture.putdata([tuple(draw.randrange(160) + (80 if c == 2 - label else 0) for c in range(3))
                                 for _ in range(40 * 36)])
                picture.save(folder / split / name / f"{i}.png")


def answer(target, folder, pixel_values):
    with torch.no_grad():
        if target == "timm":
            return import_timm().create_model(f"local-dir:{folder}", pretrained=True).eval()(pixel_values)
        name = json.loads((folder / "config.json").read_text())["architectures"][0]
        model, report = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
        assert not any(report[kind] for kind in ("unexpected_keys", "missing_keys", "mismatched_keys")), report
        assert list(model.config.id2label.values()) == ["blue", "green", "red"], model.config.id2label
        return model.eval()(pixel_values=pixel_values).logits


def pixel_difference(target, folder, picture, expected):
    """timm makes its pictures with torchvision, which is absent here: its configuration is compared instead."""
    if target == "timm":
        timm = import_timm()
        config = timm.data.resolve_model_data_config(timm.create_model(f"local-dir:{folder}", pretrained=True))
        return 0 if tuple(config["input_size"]) == tuple(expected.shape[1:]) else float("inf")
    processor = transformers.AutoImageProcessor.from_pretrained(folder, use_fast=False)
    pixels = processor(Image.open(picture).convert("RGB"), return_tensors="pt")["pixel_values"]
    return (pixels - expected).abs().max().item()


def events_are_read(run):
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    except ImportError:
        return True
    steps = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    losses = {line["step"]: line["loss"] for line in steps if line["kind"] == "step"}
    read = {}
    for event in EventFileLoader(str(run / "events.out.tfevents.nunchi")).Load():
        for value in event.summary.value:
            if value.tag == "train/loss":
                read[event.step] = value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value
    return losses.keys() == read.keys() and all(abs(read[k] - losses[k]) < 1e-5 * losses[k] for k in losses)


if __name__ == "__main__":
    main()
