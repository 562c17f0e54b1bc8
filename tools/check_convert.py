#!/usr/bin/env python3
"""Converts parity cases with nunchi and shows that the Python peers load the result with the same logits.

    tools/check_convert.py build/release/bin/nunchi            every case below
    tools/check_convert.py build/release/bin/nunchi CASE...    these

Each case is read from one publisher and written for the other; the peer's answer to the case's own pixel_values must
equal the expected one within the case's tolerance.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from safetensors.torch import load_file

from cases.absent_torchvision import import_timm

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden" / "cases"
CASES = ["vit_classifier", "vit_sharded", "deit_distilled", "dinov2", "timm_vit", "timm_deit",
         "timm_deit_distilled", "timm_fp16", "swin_classifier", "swin_four_stages", "swinv2_classifier", "timm_swin",
         "timm_swinv2", "timm_swinv2_pretrained_windows", "timm_resnet_basic",
         "timm_resnet_bottleneck", "tv_resnet_basic", "tv_resnet_bottleneck"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    failed = 0
    for name in options.cases or [name for name in CASES if (FOLDER / name).exists()]:
        failed += not check(options.nunchi, FOLDER / name)
    sys.exit(failed)


def check(nunchi, folder):
    description = json.loads((folder / "case.json").read_text())
    target = "timm" if description["peer"] == "transformers" else "hf"
    expected = load_file(folder / "expected.safetensors")
    with tempfile.TemporaryDirectory() as parent:
        out, source = Path(parent) / "converted", folder / "model"
        if target == "timm" and description["arch"].startswith(("ViT", "DeiT")):
            source = with_eps_of_timm(source, Path(parent) / "model")
            expected |= answer("hf", source, expected["pixel_values"])
        command = [nunchi, "convert", str(source), "--as", target, "-o", str(out)]
        if not (folder / "model" / "config.json").exists():
            command += ["--arch", description["arch"]]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            print(f"{folder.name:32} -> {target:5} NOT WRITTEN: {run.stderr.strip()}")
            return False
        found = answer(target, out, expected["pixel_values"])
        name = "logits" if "logits" in expected and found.get("logits") is not None else "last_hidden_state"
        difference = (found[name].reshape(-1) - expected[name].reshape(-1)).abs().max() / expected[name].abs().max()
        passed = difference.item() < description["rtol"]
        print(f"{folder.name:32} -> {target:5} {name}: {difference:.1e} {'equal' if passed else 'DIFFERENT'}"
              f" {run.stderr.strip()}")
        return passed


def with_eps_of_timm(source, copy):
    """timm's configuration cannot express an epsilon; these weights are drawn so that it shows."""
    shutil.copytree(source, copy)
    config = json.loads((copy / "config.json").read_text()) | {"layer_norm_eps": 1e-6}
    (copy / "config.json").write_text(json.dumps(config))
    return copy


def answer(target, folder, pixel_values):
    with torch.no_grad():
        if target == "timm":
            model = import_timm().create_model(f"local-dir:{folder}", pretrained=True).eval()
            features = model.forward_features(pixel_values)
            return {"last_hidden_state": features, "logits": model(pixel_values) if model.num_classes else None}
        name = json.loads((folder / "config.json").read_text())["architectures"][0]
        model, report = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
        unread = report["unexpected_keys"], [key for key in report["missing_keys"] if "pooler" not in key]
        assert not any(unread), unread
        output = model.eval()(pixel_values=pixel_values)
        return {"last_hidden_state": output.get("last_hidden_state"), "logits": output.get("logits")}


if __name__ == "__main__":
    main()
