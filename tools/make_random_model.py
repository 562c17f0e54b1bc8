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

from cases import published

SQUARE_224 = {"size": {"height": 224, "width": 224}}
CROP_OF_256 = {"size": {"shortest_edge": 224}, "crop_pct": 0.875}
STAGED = {  # name -> (model class, configuration, processor class, its arguments): the classes' defaults are these sizes
    "swin-tiny-patch4-window7-224": ("SwinForImageClassification", {"num_labels": 1000},
                                     "ViTImageProcessor", SQUARE_224 | published.IMAGENET),
    "resnet-50": ("ResNetForImageClassification", {"num_labels": 1000},
                  "ConvNextImageProcessor", CROP_OF_256 | published.IMAGENET),
    "convnext-tiny-224": ("ConvNextForImageClassification", {"num_labels": 1000, "layer_scale_init_value": 1.0},
                          "ConvNextImageProcessor", CROP_OF_256 | published.IMAGENET),
}


def models():
    published_models = {name: (*model, *published.processor(model[0])) for name, model in published.models().items()}
    return published_models | STAGED


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
        return print(*models(), sep="\n")
    if options.name not in models() or options.directory is None:
        parser.error("a NAME of --list and a DIR are needed")
    transformers.utils.logging.disable_progress_bar()
    write(options)
    print(f"{options.directory}: {options.name}, {options.dtype}, random weights")


def write(options):
    class_name, arguments, processor_class, processor_arguments = models()[options.name]
    model_class = getattr(transformers, class_name)
    torch.manual_seed(options.seed)
    model = model_class(model_class.config_class(**arguments))
    fit_batch_norms(model, torch.randn(2, 3, 224, 224))
    model.eval().to(getattr(torch, options.dtype)).save_pretrained(options.directory, max_shard_size=options.shard)
    getattr(transformers, f"{processor_class}Pil")(**processor_arguments).save_pretrained(options.directory)


def fit_batch_norms(model, pixel_values):
    """Without the statistics of what it sees a deep network of BatchNorms dies out (denormals are slow) or explodes."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(pixel_values)


if __name__ == "__main__":
    main()
