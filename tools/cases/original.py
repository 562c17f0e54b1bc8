"""Bare state dicts of other publishers: DINO, DINOv2 and the CIFAR networks. A head of the ViTs has 64 channels."""

import torch
from timm.layers import SwiGLUPacked

from .spec import Picture, TorchCase

SMALL = {"img_size": 20, "patch_size": 5, "embed_dim": 64, "depth": 1, "num_heads": 1, "mlp_ratio": 0.5}


def dino(name, shows, arch, layout, arguments=None, **rest):
    return TorchCase(peer="original", name=name, shows=shows, arch=arch, layout=layout, size=(20, 20), task="embed",
                     picture=Picture(37, 29), arguments={**SMALL, **(arguments or {})}, dtype="float16", **rest)


SCALED = {"init_values": 1e-5}
REGISTERS = {**SCALED, "reg_tokens": 4, "no_embed_class": True}

DINO = [
    dino("original_dino", "DINO's backbone alone", "dino_vits16", "plain", {"mlp_ratio": 0.25}),
    dino("original_dino_training", "a training file of DINO: the teacher's backbone counts", "dino_vits16", "dino",
         {"mlp_ratio": 0.25}),
    dino("original_dinov2", "layer scale, a mask token", "dinov2_vits14", "dinov2", SCALED),
    dino("original_dinov2_registers", "registers, positions with the class token's in front", "dinov2_vits14_reg",
         "dinov2", REGISTERS),
    dino("original_dinov2_chunks", "blocks.0.N: blocks in chunks", "dinov2_vits14", "dinov2_chunks",
         {**SCALED, "depth": 2}),
    dino("original_dinov2_giant", "w12 and w3: SwiGLU", "dinov2_vitg14", "dinov2",
         {**SCALED, "mlp_layer": SwiGLUPacked, "act_layer": torch.nn.SiLU, "mlp_ratio": 1}),
]


def cifar(name, shows, arch, arguments, layout="plain", **rest):
    return TorchCase(peer="torch", name=f"cifar_{name}", shows=shows, arch=arch, layout=layout, size=(32, 32),
                     picture=Picture(32, 32), arguments={"classes": 10, **arguments}, **rest)


CIFAR = [
    cifar("resnet20", "padded shortcuts, linear, nested in state_dict with module.", "resnet20_cifar",
          {"blocks": 3, "width": 2, "head": "linear"}, "state_dict"),
    cifar("resnet20_fc", "convolutions as shortcuts, fc", "resnet20_cifar", {"blocks": 3, "width": 2, "head": "fc"}),
    cifar("resnet32", "5 blocks a stage, safetensors in half precision", "resnet32_cifar",
          {"blocks": 5, "width": 2, "head": "linear"}, weights="model.safetensors", dtype="float16"),
    cifar("simple_cnn", "three convolutions with max pooling, two linear layers, nested in model", "simple_cnn",
          {"widths": [4, 6, 8], "hidden": 12}, "model"),
]

CASES = DINO + CIFAR
