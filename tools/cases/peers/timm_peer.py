"""Writes, loads and runs a model of timm."""

import json

import timm
import torch
from huggingface_hub import save_torch_state_dict
from PIL import Image
from safetensors.torch import load_file
from timm.data import create_transform, resolve_model_data_config
from timm.models import save_for_hf
from torchvision import transforms

from .. import strided, weights
from .capture import captured, numbered, outputs_of

VERSION = timm.__version__
INTERPOLATION = {mode.value: mode for mode in transforms.InterpolationMode}


def write(case, directory, picture_file, seed):
    torch.manual_seed(seed)
    model = timm.create_model(case.arch, pretrained_cfg_overlay=case.cfg, **case.arguments).eval()
    weights.randomise(model, pixel_values(case, model, directory, picture_file), seed, case.roles)
    if case.weights == "views":
        strided.structure(model)
        weights.calibrate_batch_norms(model, pixel_values(case, model, directory, picture_file))
    model.to(getattr(torch, case.dtype))
    save_for_hf(model, directory, model_config=dict(case.model_config),
                safe_serialization=case.weights == "model.safetensors")
    if case.weights == "views":
        torch.save(strided.as_views(model), directory / "pytorch_model.bin")
    elif case.weights.endswith("KB"):
        (directory / "pytorch_model.bin").unlink()
        save_torch_state_dict(model.state_dict(), directory, max_shard_size=case.weights)


def load(case, directory):
    """What timm makes of the directory: the model in float32."""
    timm.layers.set_fused_attn(False)
    source = f"local-dir:{directory}"
    if not case.weights.endswith("KB"):
        return timm.create_model(source, pretrained=True, **case.load).eval()
    model = timm.create_model(source, **case.load).eval()  # timm itself does not read shards
    index = json.loads((directory / "model.safetensors.index.json").read_text())
    state = {}
    for file in sorted(set(index["weight_map"].values())):
        state |= load_file(directory / file)
    model.load_state_dict(state)
    return model


def pixel_values(case, model, directory, picture_file):
    """timm's own evaluation transform; with a size, its filter and normalisation at exactly that size."""
    config = resolve_model_data_config(model)
    transform = create_transform(**config)
    if case.size:
        resize = transforms.Resize(case.size, INTERPOLATION[config["interpolation"]])
        transform = transforms.Compose([resize, *transform.transforms[-2:]])
    return transform(Image.open(picture_file).convert("RGB")).unsqueeze(0)


def run(case, model, pixels):
    probes = probes_of(model)
    with captured(probes) as seen:
        features = model.forward_features(pixels)
        pooled = model.forward_head(features, pre_logits=True)
        logits = model.forward_head(features)
    outputs = outputs_of(probes, seen) | {"last_hidden_state": features, "pooler_output": pooled}
    if model.num_classes > 0:
        outputs["logits"] = logits
    return outputs


def required(case, names):
    return names


def interpolates(case, model, pixel_values):
    """Whether the positions are resampled while the model runs."""
    return bool(case.size and getattr(model, "pos_embed", None) is not None)


def probes_of(model):
    """name -> (module, "input" or "output")."""
    if hasattr(model, "blocks") and hasattr(model, "patch_embed"):
        return token_probes(model)
    if hasattr(model, "layers") and hasattr(model, "patch_embed"):
        states = [model.patch_embed, *(stage.downsample for stage in model.layers[1:]), model.layers[-1]]  # Swin
        return numbered(states)
    if hasattr(model, "layer4"):
        return numbered([model.maxpool, model.layer1, model.layer2, model.layer3, model.layer4])
    if hasattr(model, "stages"):
        return numbered([model.stem, *model.stages])  # ConvNeXt
    if hasattr(model, "conv_stem"):
        return numbered([block for stage in model.blocks for block in stage][1:])  # MobileNetV2
    raise ValueError(f"no probes for {type(model).__name__}")


def token_probes(model):
    probes = {"hidden_state_0": (model.blocks[0], "input")}
    probes |= {f"hidden_state_{index + 1}": (block, "output") for index, block in enumerate(model.blocks)}
    probes["attentions_last"] = (model.blocks[-1].attn.attn_drop, "input")
    if hasattr(model, "head_dist"):
        probes |= {"cls_logits": (model.head, "output"), "distillation_logits": (model.head_dist, "output")}
    return probes
