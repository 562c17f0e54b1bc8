"""A peer's network as an explanation sees it: logits, the layer that is looked at, its map, and the attentions.

The layers are those that pytorch-grad-cam recommends: the first norm of the last block of a transformer (behind it
only the class token has a gradient), the last block of the last stage of a ResNet or ConvNeXt, the last convolution
of MobileNetV2.
"""

from dataclasses import dataclass, field
from typing import Callable

import torch


@dataclass
class Network:
    model: torch.nn.Module  # pixel values -> logits
    layer: torch.nn.Module
    to_map: Callable  # its activation -> [b, channels, rows, columns]
    attend: Callable | None = None  # pixel values -> logits, the attentions of all layers with their graph
    grid: tuple[int, int] = (0, 0)  # of the patches
    prefix: int = 0  # tokens before them
    details: dict = field(default_factory=dict)


class Logits(torch.nn.Module):
    """A model of transformers that answers with its logits alone."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, pixel_values):
        return self.inner(pixel_values=pixel_values).logits


def network_of(case, model, pixel_values):
    """`model` is what `cases.writer.load_case` gives."""
    height, width = pixel_values.shape[-2:]
    return of_transformers(model, height, width) if case.peer == "transformers" else of_timm(model, height, width)


def of_timm(model, height, width):
    if hasattr(model, "blocks") and hasattr(model, "patch_embed"):
        patch = model.patch_embed.patch_size
        return tokens(model, model.blocks[-1].norm1, (height // patch[0], width // patch[1]),
                      model.num_prefix_tokens, lambda pixels: attend_timm(model, pixels))
    if hasattr(model, "layers"):  # Swin: [b, rows, columns, channels]
        return Network(model, model.layers[-1].blocks[-1].norm1, lambda tensor: tensor.permute(0, 3, 1, 2))
    layer = model.layer4[-1] if hasattr(model, "layer4") else \
        model.stages[-1].blocks[-1] if hasattr(model, "stages") else model.bn2
    return Network(model, layer, lambda tensor: tensor)


def of_transformers(model, height, width):
    base, kind = model.base_model, model.config.model_type
    if kind.startswith("swin"):
        layer = base.encoder.layers[-1].blocks[-1].layernorm_before
        rows, columns = base.encoder.layers[-1].blocks[-1].input_resolution
        return Network(Logits(model), layer, lambda tensor: tensor.unflatten(1, (rows, columns)).permute(0, 3, 1, 2))
    if kind == "mobilenet_v2":
        return Network(Logits(model), base.conv_1x1, lambda tensor: tensor)
    if kind in ("resnet", "convnext"):
        return Network(Logits(model), base.encoder.stages[-1].layers[-1], lambda tensor: tensor)
    layers = base.encoder.layer if kind.startswith("dinov2") else base.layers
    patch = model.config.patch_size
    prefix = {"deit": 2}.get(kind, 1) + getattr(model.config, "num_register_tokens", 0)
    norm = layers[-1].norm1 if kind.startswith("dinov2") else layers[-1].layernorm_before
    return tokens(Logits(model), norm, (height // patch, width // patch), prefix,
                  lambda pixels: attend_transformers(model, pixels))


def tokens(model, layer, grid, prefix, attend):
    def to_map(tensor):
        return tensor[:, prefix:].unflatten(1, grid).permute(0, 3, 1, 2)

    return Network(model, layer, to_map, attend, grid, prefix)


def attend_transformers(model, pixel_values):
    output = model(pixel_values=pixel_values, output_attentions=True)
    return output.logits, list(output.attentions)


def attend_timm(model, pixel_values):
    """Needs `timm.layers.set_fused_attn(False)` before the model is built: the fused kernel shows no attention."""
    seen = []
    hooks = [block.attn.attn_drop.register_forward_hook(lambda _, __, output: seen.append(output))
             for block in model.blocks]
    logits = model(pixel_values)
    for hook in hooks:
        hook.remove()
    return logits, seen
