"""torchvision's ResNet, ConvNeXt and MobileNetV2."""

from torchvision.models.convnext import CNBlockConfig

from .spec import Picture, TorchCase


def thin(name, shows, arch, arguments, size=(40, 40), **rest):
    return TorchCase(peer="torchvision", name=f"tv_{name}", shows=shows, arch=arch, size=size,
                     picture=rest.pop("picture", Picture(33, 27, "png_grain")), dtype=rest.pop("dtype", "float16"),
                     arguments={"num_classes": 6, **arguments}, **rest)


def resnet(name, shows, arch, block="bottleneck", **rest):
    widths = {key: rest.pop(key) for key in ("width", "groups", "width_per_group") if key in rest}
    return thin(name, shows, arch, {"block": block, "layers": [1, 2, 1, 1], **({"width": 4} | widths)}, **rest)


CONVNEXT = {"block_setting": [CNBlockConfig(6, 8, 1), CNBlockConfig(8, 12, 1), CNBlockConfig(12, 16, 2),
                              CNBlockConfig(16, None, 1)]}

CASES = [
    resnet("resnet_basic", "basic blocks, state dict in float32", "resnet18", "basic", width=3, dtype="float32"),
    resnet("resnet_bottleneck", "bottleneck blocks, safetensors", "resnet50", width=3, weights="model.safetensors"),
    resnet("resnet_wide", "wide bottlenecks", "wide_resnet50_2", width=2, width_per_group=128),
    resnet("resnext", "2 groups", "resnext50_32x4d", width=2, groups=2, width_per_group=32),
    resnet("preset", "the whole preset: short side to 256, crop of 224", "resnet18", "basic", size=None,
           picture=Picture(97, 71), brief=True),
    thin("convnext", "layer scale of shape [c, 1, 1]", "convnext_tiny", CONVNEXT),
    thin("convnext_size", "35x58 pixels, safetensors", "convnext_tiny", CONVNEXT, size=(35, 58),
         weights="model.safetensors"),
    thin("mobilenet_v2", "thin, all 17 blocks, ReLU6", "mobilenet_v2", {"width_mult": 0.05, "round_nearest": 2},
         weights="model.safetensors"),
]
