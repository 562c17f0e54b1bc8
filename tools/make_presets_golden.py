#!/usr/bin/env python3
"""Writes tests/golden/presets.json: parameters and MACs of the published sizes, counted on timm's and transformers'.

Everything is built on the meta device: nothing is downloaded and no weight exists. A MAC is one multiply and add of a
matrix product or a convolution (a FLOP counter that counts both says twice the number); biases, norms, activations and
the softmax are left out. Tables made with fvcore, as timm's, count the norms too and are slightly higher.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

from cases import published
from cases.absent_torchvision import import_timm

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "presets.json"

TIMM = [
    "vit_tiny_patch16_224", "vit_small_patch16_224", "vit_small_patch32_224", "vit_base_patch16_224",
    "vit_base_patch32_224", "vit_base_patch8_224", "vit_large_patch16_224", "vit_large_patch14_224",
    "vit_huge_patch14_224", "vit_giant_patch14_224", "vit_gigantic_patch14_224",
    "vit_base_patch16_384", "vit_large_patch16_384",
    "deit_tiny_patch16_224", "deit_small_patch16_224", "deit_base_patch16_224",
    "deit_tiny_distilled_patch16_224", "deit_small_distilled_patch16_224", "deit_base_distilled_patch16_224",
    "vit_small_patch14_dinov2", "vit_base_patch14_dinov2", "vit_large_patch14_dinov2", "vit_giant_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2", "vit_base_patch14_reg4_dinov2", "vit_large_patch14_reg4_dinov2",
    "vit_giant_patch14_reg4_dinov2",
]


def main():
    presets = transformers_presets()
    timm = import_timm()  # after transformers, which would take the empty torchvision for a real one
    presets |= timm_presets(timm)
    versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__,
                "timm": timm.__version__}
    content = {"versions": versions, "unit": "macs: multiply-adds of matrix products and convolutions, batch 1",
               "presets": presets}
    GOLDEN.write_text(json.dumps(content, indent=1) + "\n")
    for name, preset in presets.items():
        print(f"{name:58} {preset['parameters'] / 1e6:9.2f} M {preset['macs'] / 1e9:8.2f} GMAC")


def timm_presets(timm):
    timm.layers.set_fused_attn(False)
    presets = {}
    for name in TIMM:
        with torch.device("meta"):
            model = timm.create_model(name).eval()
        presets[f"timm/{name}"] = measure(model, model.default_cfg["input_size"][-1], {"classes": model.num_classes})
    return presets


def transformers_presets():
    presets = {}
    for name, (class_name, arguments) in published.models().items():
        model_class = getattr(transformers, class_name)
        config = model_class.config_class(**arguments)
        config._attn_implementation = "eager"  # plain matrix products, which the counter sees
        with torch.device("meta"):
            model = model_class(config).eval()
        presets[f"transformers/{name}"] = measure(model, 224, {"class": class_name, "config": shape_of(config)})
    return presets


def shape_of(config):
    keys = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "mlp_ratio",
            "use_swiglu_ffn", "image_size", "patch_size", "num_register_tokens", "depth_multiplier")
    content = config.to_dict()
    return {key: content[key] for key in keys if key in content}


def measure(model, size, description):
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, 3, size, size, device="meta"))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"parameters": parameters, "macs": counter.get_total_flops() // 2, "input_size": size, **description}


if __name__ == "__main__":
    main()
