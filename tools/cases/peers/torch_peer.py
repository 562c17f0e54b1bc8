"""Writes, loads and runs the reference models of this folder."""

import torch
from PIL import Image
from torchvision import transforms

from .. import reference_models, weights
from . import state_file
from .capture import captured, numbered, outputs_of

VERSION = torch.__version__.split("+")[0]
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # what the publisher of the padded ResNets trained with
CIFAR = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))


def write(case, directory, picture_file, seed):
    torch.manual_seed(seed)
    model = build(case)
    weights.randomise(model, pixel_values(case, model, directory, picture_file), seed, case.roles)
    state_file.save(case, model, directory)


def build(case):
    model_class = reference_models.SimpleCnn if case.arch == "simple_cnn" else reference_models.CifarResNet
    return model_class(**case.arguments).eval()


def load(case, directory):
    model = build(case)
    model.load_state_dict(state_file.load(case, directory))
    return model


def pixel_values(case, model, directory, picture_file):
    mean, deviation = IMAGENET if case.arguments.get("head") == "linear" else CIFAR
    steps = [transforms.Resize(case.size, transforms.InterpolationMode.BILINEAR), transforms.ToTensor(),
             transforms.Normalize(mean, deviation)]
    return transforms.Compose(steps)(Image.open(picture_file).convert("RGB")).unsqueeze(0)


def run(case, model, pixels):
    states, last, head = model.probes()
    probes = numbered(states) | {"last_hidden_state": (last, "output"), "pooler_output": (head, "input")}
    with captured(probes) as seen:
        logits = model(pixels)
    return outputs_of(probes, seen) | {"logits": logits}


def required(case, names):
    return names


def interpolates(case, model, pixel_values):
    return False
