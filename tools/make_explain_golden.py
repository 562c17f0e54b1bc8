#!/usr/bin/env python3
"""Writes tests/golden/explain.safetensors: the maps that the Python peers make of some parity cases.

    tools/make_explain_golden.py

Tensors are `CASE/METHOD`, raw as `nunchi explain --maps` has them, besides `CASE/attention-entropy` and
`CASE/attention-distance` (in patches), [layers, heads]. The metadata has `CASE/class` and `CASE/layer`. The peers
compute in float64 from the case's own pixel_values; a map is left out where it is empty, or where the peer's float32
is further than a fifth of the tolerance from its float64, and a case takes the class that leaves out the fewest.
Eigen-CAM has the sign whose largest value is the larger. Needs what check_explain.py needs.
"""

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from cases.torchvision_without_operators import import_torchvision

import_torchvision()  # before the peers, which look for it

import torch
import transformers
from safetensors.torch import load_file, save_file

import make_cases
from cases import writer
from explain import maps, networks, relevance

OUT = make_cases.FOLDER.parent / "explain.safetensors"
CASES = {  # -> the layer by its name in nunchi and in the peer; the family's own when left out
    "vit_classifier": None,
    "deit_distilled": None,
    "dinov2_registers_classifier": None,
    "beit_classifier": None,
    "timm_eva02_tiny": None,
    "timm_vit": None,
    "swin_classifier": None,
    "timm_swinv2": None,
    "timm_resnet_basic": ("layer2.1", "layer2.1"),
    "timm_convnext": ("stages.1", "stages.1"),
    "mobilenet_v2": ("layer.7", "mobilenet_v2.layer.7"),
}
INPUT_MAPS = {"timm_vit": maps.INPUTS, "timm_resnet_basic": ("occlusion", "lrp"),  # 20 and 40 pixels wide
              **{name: ("lrp",) for name in ("beit_classifier", "timm_eva02_tiny", "timm_swinv2", "mobilenet_v2")}}
ROUNDING = 2e-5


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tensors, metadata = {}, {}
    for name, layer in CASES.items():
        case = next(case for case in make_cases.CASES if case.name == name)
        pixels = load_file(make_cases.FOLDER / name / "expected.safetensors")["pixel_values"]
        network, exact = (load(case, pixels, layer, dtype) for dtype in (torch.float32, torch.float64))
        found = {target: maps_of(name, network, exact, pixels, target)
                 for target in range(network.model(pixels).shape[1])}
        target = max(found, key=lambda target: (len(found[target]), -target))
        tensors |= {f"{name}/{method}": map.float().contiguous() for method, map in found[target].items()}
        metadata |= {f"{name}/class": str(target), f"{name}/layer": layer[0] if layer else ""}
        print(f"{name}: class {target}, {', '.join(found[target])}")
    save_file(tensors, OUT, metadata)
    print(f"{OUT.stat().st_size} bytes")


def load(case, pixels, layer, dtype):
    model = writer.peer_of(case).load(case, make_cases.FOLDER / case.name / "model").to(dtype)
    network = networks.network_of(case, model, pixels)
    if layer:
        network.layer = model.get_submodule(layer[1])
    return network


def maps_of(name, network, exact, pixels, target):
    """method -> map in float64, without those that say nothing."""
    methods = [*maps.CAMS, *(maps.ATTENTIONS[1:] if network.attend else ()),
               *INPUT_MAPS.get(name, ())]
    found = {method: map for method in methods
             if (map := trusted(method, network, exact, pixels, target)) is not None}
    if network.attend:
        attentions = maps.attention(exact, pixels.double())
        found["attention-entropy"] = maps.attention_entropy(attentions)
        found["attention-distance"] = maps.attention_distance(exact, attentions)
    return found


def trusted(method, network, exact, pixels, target):
    rounded, map = (maps.of(method, of, values, target) for of, values in ((network, pixels), (exact, pixels.double())))
    if method == "eigen-cam":
        rounded, map = (of_larger_sign(of, values, own) for of, values, own
                        in ((network, pixels, rounded), (exact, pixels.double(), map)))
    largest = map.abs().max()
    right = largest > 0 and (rounded - map).abs().max() <= ROUNDING * largest
    return map if right and not (method == "lrp" and jumps(map, exact, pixels, target)) else None


def jumps(map, exact, pixels, target):
    """Whether rounding may decide on a sign (explain/relevance.py)."""
    others = relevance.shaken(exact.model, pixels.double(), target, size=1e-6)
    return max((other - map).abs().max() for other in others) > 5e-5 * map.abs().max()


def of_larger_sign(network, pixels, map):
    other = maps.eigen_cam_of_other_sign(network, pixels)
    return map if map.max() >= other.max() else other


if __name__ == "__main__":
    main()
