#!/usr/bin/env python3
"""Writes a directory of real size with random weights, as transformers writes it, for benchmarks. Downloads nothing.

    tools/make_random_model.py vit-base-patch16-224 DIR [--dtype bfloat16] [--shard 200MB] [--seed 1]
    tools/make_random_model.py --list
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers

from cases import published, weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="one of --list")
    parser.add_argument("directory", nargs="?", type=Path)
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float16", "bfloat16"))
    parser.add_argument("--shard", default="50GB", help="largest file, as save_pretrained takes it")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.list:
        return print(*published.models(), sep="\n")
    if options.name not in published.models() or options.directory is None:
        parser.error("a NAME of --list and a DIR are needed")
    transformers.utils.logging.disable_progress_bar()
    write(options)
    print(f"{options.directory}: {options.name}, {options.dtype}, random weights")


def write(options):
    class_name, arguments = published.models()[options.name]
    processor_class, processor_arguments = published.processor(class_name)
    model_class = getattr(transformers, class_name)
    torch.manual_seed(options.seed)
    model = model_class(model_class.config_class(**arguments)).eval()
    if class_name.startswith("MobileNet"):  # its plain initialisation dies out over 50 layers: denormals are slow
        weights.randomise(model, torch.randn(1, 3, 224, 224), options.seed)
    model.to(getattr(torch, options.dtype)).save_pretrained(options.directory, max_shard_size=options.shard)
    getattr(transformers, f"{processor_class}Pil")(**processor_arguments).save_pretrained(options.directory)


if __name__ == "__main__":
    main()
