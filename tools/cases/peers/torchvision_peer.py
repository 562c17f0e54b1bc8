"""Writes, loads and runs a model of torchvision."""

import torch
import torchvision
from PIL import Image
from torchvision import models, transforms
from torchvision.models.vision_transformer import interpolate_embeddings

from .. import weights
from . import state_file
from .capture import captured, numbered, outputs_of
from .thin_resnet import ThinResNet

VERSION = torchvision.__version__.split("+")[0]
CLASSES = {"vit": models.VisionTransformer, "swin": models.SwinTransformer, "convnext": models.ConvNeXt,
           "mobilenet": models.MobileNetV2, "resnet": ThinResNet, "resnext": ThinResNet, "wide": ThinResNet}


def write(case, directory, picture_file, seed):
    torch.manual_seed(seed)
    model = build(case, case.arguments)
    weights.randomise(model, pixel_values(case, model, directory, picture_file), seed, case.roles)
    state_file.save(case, model, directory)


def build(case, arguments):
    return CLASSES[case.arch.split("_")[0].rstrip("0123456789")](**arguments).eval()


def load(case, directory):
    """torchvision's model in float32 with the tensors of the file, a ViT's positions at the size of the case."""
    arguments, state = dict(case.arguments), state_file.load(case, directory)
    if resizes(case):
        arguments["image_size"] = case.size[0]
        state = interpolate_embeddings(case.size[0], arguments["patch_size"],
                                       {name: tensor.float() for name, tensor in state.items()})
    model = build(case, arguments)
    model.load_state_dict(state)
    return model


def resizes(case):
    return "image_size" in case.arguments and case.size and case.size[0] != case.arguments["image_size"]


def pixel_values(case, model, directory, picture_file):
    """The preset of the first published weights; with a size, its filter and normalisation at exactly that size."""
    preset = next(iter(models.get_model_weights(case.arch))).transforms()
    picture = Image.open(picture_file).convert("RGB")
    if not case.size:
        return preset(picture).unsqueeze(0)
    steps = [transforms.Resize(case.size, preset.interpolation), transforms.ToTensor(),
             transforms.Normalize(preset.mean, preset.std)]
    return transforms.Compose(steps)(picture).unsqueeze(0)


def run(case, model, pixels):
    probes = probes_of(model)
    with captured(probes) as seen:
        logits = model(pixels)
    outputs = outputs_of(probes, seen)
    return outputs | {"pooler_output": outputs["pooler_output"].flatten(1), "logits": logits}


def required(case, names):
    return names


def interpolates(case, model, pixel_values):
    return False  # the positions are resampled before the model runs


def probes_of(model):
    """name -> (module, "input" or "output")."""
    if isinstance(model, models.VisionTransformer):
        states = [model.encoder.dropout, *model.encoder.layers]
        return numbered(states) | {"last_hidden_state": (model.encoder.ln, "output"),
                                   "pooler_output": (model.heads, "input")}
    if isinstance(model, models.ResNet):
        states = [model.maxpool, model.layer1, model.layer2, model.layer3, model.layer4]
        return numbered(states) | {"last_hidden_state": (model.layer4, "output"), "pooler_output": (model.fc, "input")}
    if isinstance(model, models.SwinTransformer):  # patches, stage, merging, stage, ...
        states = [*model.features[0::2], model.features[-1]]
        return numbered(states) | {"last_hidden_state": (model.norm, "output"), "pooler_output": (model.head, "input")}
    if isinstance(model, models.ConvNeXt):
        states = [model.features[0], *model.features[1::2]]
        return numbered(states) | {"last_hidden_state": (model.features, "output"),
                                   "pooler_output": (model.classifier[-1], "input")}
    return numbered(model.features[2:18]) | {"last_hidden_state": (model.features, "output"),  # MobileNetV2
                                             "pooler_output": (model.classifier, "input")}
