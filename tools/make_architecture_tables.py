#!/usr/bin/env python3
"""Writes assets/models/timm.json and torchvision.json: the names of both, what their constructors get, their weights.

    PYTHONPATH=FOLDER_OF_TORCHVISION tools/make_architecture_tables.py

Each entry point is called with its builder replaced by one that keeps the arguments, so no network is built. The
parameters of every architecture kept, counted on the meta device, go to tests/golden/architectures.json.
"""

import argparse
import functools
import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from cases.torchvision_without_operators import import_torchvision
from tables import timm_table, torchvision_table

ROOT = Path(__file__).resolve().parent.parent


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torchvision = import_torchvision()
    import timm

    assets = ROOT / "assets" / "models"
    assets.mkdir(parents=True, exist_ok=True)
    timm_content, torchvision_content = timm_table.table(timm), torchvision_table.table(torchvision)
    write_table(assets / "timm.json", timm_content)
    write_table(assets / "torchvision.json", torchvision_content)
    counts = {
        "unit": "parameters, buffers left out, with the classes of the default weights",
        "versions": {"timm": timm.__version__, "torchvision": torchvision_content["version"]},
        "timm": {name: parameters(functools.partial(timm.create_model, name))
                 for name in timm_content["architectures"]},
        "torchvision": {name: parameters(functools.partial(torchvision.models.get_model, name))
                        for name in torchvision_content["architectures"]},
    }
    (ROOT / "tests" / "golden" / "architectures.json").write_text(json.dumps(counts, indent=1) + "\n")


def parameters(build):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build().parameters())


def write_table(path, content):
    """JSON with one line an architecture."""
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row, separators=(',', ':'))}"
                              for name, row in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{rows}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
