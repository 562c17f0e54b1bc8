"""Writes tests/golden/image/transforms.json: what the peers' processors make of pictures, as hashes of float32 values.

transformers' PIL-backed processors run as they are. timm needs torchvision, which is not installed beside it: its own
transforms run on stand-ins for the four torchvision functions they call, which do as torchvision's PIL path does.
transformers' torchvision-backed arithmetic is rebuilt from torch's own uint8 kernel.
Needs transformers, timm, torch, Pillow, numpy: python tools/make_transform_golden.py
"""
import enum
import importlib
import json
import sys
import types

import numpy as np
import PIL
import torch
import transformers
from PIL import Image

from image_golden import GOLDEN, SHARED, hash_array, random_picture

GENERATED = [(640, 480), (480, 640), (31, 200), (200, 31), (224, 224), (100, 333), (7, 9), (257, 255), (60, 1000)]
PHOTOS = ["photos/owl.jpg", "photos/cat.bmp", "photos/truck.jpg"]

MODULES = {
    "Beit": "beit", "Bit": "bit", "Blip": "blip", "CLIP": "clip", "ChineseCLIP": "chinese_clip",
    "ConditionalDetr": "conditional_detr", "ConvNext": "convnext", "DeformableDetr": "deformable_detr", "DeiT": "deit",
    "Detr": "detr", "EfficientNet": "efficientnet", "GroundingDino": "grounding_dino", "Levit": "levit",
    "MobileNetV1": "mobilenet_v1", "MobileNetV2": "mobilenet_v2", "MobileViT": "mobilevit", "OwlViT": "owlvit",
    "PoolFormer": "poolformer", "Pvt": "pvt", "RTDetr": "rt_detr", "Sam": "sam", "Segformer": "segformer",
    "Siglip": "siglip", "ViT": "vit",
}  # fmt: skip

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
VARIANTS = {
    "ViT": [
        {"size": 224}, {"size": 384, "resample": 3, **IMAGENET}, {"size": {"height": 100, "width": 150}, "resample": 1},
        {"size": [96, 60]}, {"do_resize": False}, {"do_rescale": False}, {"do_normalize": False},
        {"do_rescale": False, "do_normalize": False}, {"rescale_factor": 0.5}, {"image_mean": 0.5, "image_std": 0.25},
        {"size": {"shortest_edge": 90}, "resample": 0}, {"size": {"shortest_edge": 90, "longest_edge": 120}},
        {"size": {"max_height": 150, "max_width": 100}, "resample": 4}, {"resample": 5},
        {"do_center_crop": True, "crop_size": {"height": 200, "width": 260}}, {"do_center_crop": True, "crop_size": 180},
        {"do_resize": False, "do_center_crop": True, "crop_size": {"height": 301, "width": 120}},
        {"size": {"shortest_edge": 64, "longest_edge": 64}, "do_pad": True, "pad_size": {"height": 64, "width": 70}},
        {"do_resize": None, "do_center_crop": None, "crop_size": None}, {"do_normalize": None}, {"do_rescale": None},
        {"resample": None}, {"size": None}, {"image_mean": None}, {"rescale_factor": None},
    ],
    "DeiT": [{"size": 256, "crop_size": 224}, {"size": 300, "resample": 2, "crop_size": 300, "do_center_crop": False}],
    "Bit": [{"size": {"shortest_edge": 256}, **IMAGENET}, {"size": 518, "crop_size": 518}, {"crop_size": {"height": 301, "width": 99}}],
    "CLIP": [{"size": 224, "crop_size": 224}, {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}],
    "MobileNetV2": [{"size": 192, "crop_size": 160}, {"do_center_crop": False}],
    "ConvNext": [{"size": 224, "crop_pct": 0.875}, {"size": {"shortest_edge": 288}, "crop_pct": 0.95}, {"size": {"shortest_edge": 224}}, {"size": 384, **IMAGENET}],
    "PoolFormer": [{"crop_pct": 0.95}, {"size": {"height": 160, "width": 200}}, {"size": {"height": 160, "width": 160}}],
    "Levit": [{"size": 160, "crop_size": 160}],
    "EfficientNet": [{"include_top": False}, {"rescale_offset": True, "rescale_factor": 1 / 127.5}, {"do_center_crop": True}],
    "MobileViT": [{"do_flip_channel_order": False}, {"size": 288, "crop_size": 256}, {"do_center_crop": False}],
    "Siglip": [{"size": {"height": 384, "width": 384}}],
    "Beit": [{"size": 256, "do_center_crop": True}, {"do_center_crop": False, **IMAGENET}],
    "Segformer": [{"do_center_crop": True, "crop_size": 100, "do_reduce_labels": True}],
    "Detr": [{"size": 400, "max_size": 500}, {"size": 300}, {"size": {"shortest_edge": 200, "longest_edge": 333}}],
    "RTDetr": [{"do_normalize": True, "size": {"height": 320, "width": 256}}],
    "Sam": [{"size": {"longest_edge": 333}, "pad_size": {"height": 333, "width": 333}}],
}  # fmt: skip

TIMM = [
    {}, {"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.9, "mean": [0.5] * 3, "std": [0.5] * 3},
    {"input_size": [3, 384, 384], "interpolation": "bilinear", "crop_pct": 1.0}, {"crop_pct": 0.95, "crop_mode": "squash"},
    {"crop_pct": 1.0, "crop_mode": "border", "interpolation": "bicubic"}, {"crop_pct": 0.8, "crop_mode": "border"},
    {"input_size": [3, 160, 250], "crop_pct": 0.875}, {"input_size": [3, 250, 160], "interpolation": "lanczos"},
    {"input_size": [3, 97, 97], "interpolation": "nearest", "crop_pct": 0.77}, {"input_size": [3, 256, 192], "crop_mode": "border"},
]  # fmt: skip


def pictures(step):
    every = [{"width": w, "height": h, "seed": i} for i, (w, h) in enumerate(GENERATED)]
    return every + [{"photo": p} for p in PHOTOS] if step == 0 else [every[step % len(every)], every[(step + 4) % len(every)]]


def open_picture(case):
    if "photo" in case:
        return Image.open(SHARED / "data" / case["photo"]).convert("RGB")
    return Image.fromarray(random_picture(case["seed"], case["width"], case["height"], 3))


def run(process, config, step):
    results = []
    for picture in pictures(step):
        try:
            values = np.asarray(process(open_picture(picture)), dtype=np.float32)
        except ValueError as error:  # a size that becomes zero, a picture larger than its padding
            results.append({**picture, "error": type(error).__name__})
            continue
        results.append({**picture, "shape": list(values.shape), "hash": hash_array(values)})
    return results


def transformers_cases():
    step = 0
    for name, module in MODULES.items():
        package = importlib.import_module(f"transformers.models.{module}.image_processing_pil_{module}")
        make = getattr(package, f"{name}ImageProcessorPil")
        for number, variant in enumerate([{}] + VARIANTS.get(name, [])):
            processor = make.from_dict(dict(variant))
            process = lambda image: processor(image, return_tensors="np")["pixel_values"][0]
            config = {**variant, "image_processor_type": f"{name}ImageProcessor"}
            full = 0 if number == 0 and name in ("ViT", "Bit", "MobileNetV2", "DeiT") else (step := step + 1)
            yield {"kind": "transformers", "config": config, "pictures": run(process, config, full)}


def torchvision_cases():
    """transformers' TorchvisionBackend: uint8 resize, then one fused subtraction and division in float32."""
    for step, (mode, code) in enumerate((("bilinear", 2), ("bicubic", 3)), start=1):
        mean, std = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

        def process(image):
            pixels = torch.from_numpy(np.asarray(image)).permute(2, 0, 1)[None].contiguous()
            pixels = torch.nn.functional.interpolate(pixels, (224, 196), mode=mode, antialias=True)[0]
            scaled = [torch.tensor(v) * (1.0 / (1 / 255)) for v in (mean, std)]
            return ((pixels.float() - scaled[0][:, None, None]) / scaled[1][:, None, None]).numpy()

        config = {"image_processor_type": "ViTImageProcessor", "resample": code, "size": {"height": 224, "width": 196}, **IMAGENET}
        yield {"kind": "torchvision", "config": config, "pictures": run(process, config, step)}


class InterpolationMode(enum.Enum):
    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


def resize(image, size, interpolation=InterpolationMode.BILINEAR):
    """torchvision's F.resize of a PIL picture: one number is the shorter side."""
    width, height = image.size
    if isinstance(size, int):
        long = int(size * max(width, height) / min(width, height))
        size = (long, size) if width <= height else (size, long)
    return image.resize((size[1], size[0]), getattr(Image.Resampling, interpolation.name))


def pad(image, ltrb, fill=0, padding_mode="constant"):
    left, top, right, bottom = ltrb
    canvas = Image.new("RGB", (image.width + left + right, image.height + top + bottom), tuple(fill) if fill else 0)
    canvas.paste(image, (left, top))
    return canvas


def center_crop(image, size):
    """torchvision pads what is too small, then cuts at round(half of the rest), half to even."""
    height, width = size
    dx, dy = max(width - image.width, 0), max(height - image.height, 0)
    image = pad(image, (dx // 2, dy // 2, (dx + 1) // 2, (dy + 1) // 2))
    top, left = round((image.height - height) / 2.0), round((image.width - width) / 2.0)
    return image.crop((left, top, left + width, top + height))


def to_tensor(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().to(torch.float32).div(255)


class Call:
    """torchvision's transform classes: arguments now, picture later."""

    def __init__(self, *arguments, **options):
        self.arguments, self.options = arguments, options


class Compose(Call):
    def __call__(self, image):
        for step in self.arguments[0]:
            image = step(image)
        return image


class Resize(Call):
    def __call__(self, image):
        return resize(image, *self.arguments, **self.options)


class CenterCrop(Call):
    def __call__(self, image):
        size = self.arguments[0]
        return center_crop(image, size if isinstance(size, (tuple, list)) else (size, size))


class Normalize:
    def __init__(self, mean, std):
        self.mean, self.std = mean[:, None, None], std[:, None, None]

    def __call__(self, tensor):
        return tensor.clone().sub_(self.mean).div_(self.std)


def install_torchvision_stand_in():
    functional = types.ModuleType("torchvision.transforms.functional")
    functional.resize, functional.pad, functional.to_tensor = resize, pad, to_tensor
    functional.crop = lambda image, top, left, h, w: image.crop((left, top, left + w, top + h))
    functional.get_dimensions = lambda image: (3, image.height, image.width)
    functional.InterpolationMode = InterpolationMode
    t = types.ModuleType("torchvision.transforms")
    t.functional, t.InterpolationMode = functional, InterpolationMode
    t.Compose, t.Resize, t.CenterCrop, t.Normalize = Compose, Resize, CenterCrop, Normalize
    t.ToTensor = type("ToTensor", (), {})
    missing = types.ModuleType("torchvision.ops.misc")
    missing.FrozenBatchNorm2d = torch.nn.BatchNorm2d
    root, ops = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    root.transforms, root.ops, ops.misc, root.__version__ = t, ops, missing, "0"
    datasets, models = types.ModuleType("torchvision.datasets"), types.ModuleType("torchvision.models")
    modules = [root, ops, missing, t, functional, datasets, models]
    for module in modules:  # names that timm imports and this script never calls
        module.__path__ = []
        module.__getattr__ = lambda name: Call if name[0] != "_" else object.__getattribute__(None, name)
    sys.modules.update({m.__name__: m for m in modules})


def timm_cases():
    install_torchvision_stand_in()
    import timm
    from timm.data import create_transform, resolve_data_config

    for step, config in enumerate(TIMM):
        process = create_transform(**resolve_data_config(pretrained_cfg=config or {"num_classes": 1}), is_training=False)
        yield {"kind": "timm", "config": config, "pictures": run(process, config, step)}
    yield {"versions": f"transformers {transformers.__version__}, timm {timm.__version__}, Pillow {PIL.__version__}"}


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    cases = [*transformers_cases(), *torchvision_cases(), *timm_cases()]
    text = ",\n".join(json.dumps(case) for case in cases)
    (GOLDEN / "transforms.json").write_text(f"[\n{text}\n]\n")
