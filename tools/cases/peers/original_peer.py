"""State dicts as DINO's and DINOv2's authors publish them; timm's ViT computes what they give."""

import timm
import torch
from PIL import Image
from timm.models.vision_transformer import VisionTransformer
from torchvision import transforms

from .. import weights
from . import state_file, timm_peer

VERSION = timm.__version__
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def write(case, directory, picture_file, seed):
    torch.manual_seed(seed)
    model = build(case)
    weights.randomise(model, pixel_values(case, model, directory, picture_file), seed, case.roles)
    state_file.save(case, model, directory)


def build(case):
    timm.layers.set_fused_attn(False)
    return VisionTransformer(**case.arguments, num_classes=0).eval()


def load(case, directory):
    model = build(case)
    model.load_state_dict(state_file.load(case, directory))
    return model


def pixel_values(case, model, directory, picture_file):
    steps = [transforms.Resize(case.size, transforms.InterpolationMode.BICUBIC), transforms.ToTensor(),
             transforms.Normalize(MEAN, DEVIATION)]
    return transforms.Compose(steps)(Image.open(picture_file).convert("RGB")).unsqueeze(0)


def run(case, model, pixels):
    return timm_peer.run(case, model, pixels)


def required(case, names):
    return names


def interpolates(case, model, pixel_values):
    return False
