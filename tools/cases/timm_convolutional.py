"""timm's ResNet, ConvNeXt and MobileNetV2."""

from .spec import Picture, TimmCase


def thin(name, shows, arch, arguments, size=None, side=40, **rest):
    return TimmCase(name=f"timm_{name}", shows=shows, arch=arch, arguments={"num_classes": 6, **arguments},
                    cfg={"input_size": (3, side, side)}, picture=Picture(33, 27, "png_grain"), size=size,
                    dtype=rest.pop("dtype", "float16"), **rest)


def resnet(name, shows, arch="resnet50", arguments=None, **rest):
    return thin(name, shows, arch, {"channels": (4, 4, 8, 8), "layers": (1, 2, 1, 1), **(arguments or {})}, **rest)


RESNET = [
    resnet("resnet_basic", "basic blocks", "resnet18", dtype="float32"),
    resnet("resnet_bottleneck", "bottleneck blocks, the stride in their 3x3"),
    resnet("resnet_wide", "base_width 128, num_classes 0", "wide_resnet50_2", {"num_classes": 0}),
    resnet("resnext", "groups", "resnext50_32x4d", {"cardinality": 2, "base_width": 32}),
    resnet("resnet_d", "three convolutions in the stem, mean in the shortcut", "resnet50d", {"stem_width": 8}),
    resnet("resnet_t", "a stem of rising widths, basic blocks", "resnet10t", {"stem_width": 8}),
    resnet("resnet_size", "35x58 pixels, mean in the shortcut of odd maps", "resnet18d", {"stem_width": 8},
           size=(35, 58)),
]


def convnext(name, shows, arch="convnext_tiny", arguments=None, **rest):
    return thin(name, shows, arch, {"dims": (6, 8, 12, 16), "depths": (1, 1, 2, 1), **(arguments or {})}, **rest)


CONVNEXT = [
    convnext("convnext", "layer scale, linear MLP, norm behind the pooling", dtype="float32"),
    convnext("convnext_conv_mlp", "conv_mlp", "convnext_atto"),
    convnext("convnext_no_layer_scale", "ls_init_value null", arguments={"ls_init_value": None, "num_classes": 0}),
    convnext("convnext_head_norm_first", "norm before the pooling", "convnext_tiny_hnf", roles={"norm_pre": "norm"}),
    convnext("convnext_mlp_head", "a hidden layer in the head", "convnext_large_mlp", {"head_hidden_size": 10}),
    convnext("convnext_overlap", "stem of two 3x3 convolutions", "convnext_nano_ols"),
    convnext("convnext_overlap_tiered", "the same with a thin first one", "convnext_atto_ols",
             {"dims": (16, 8, 12, 16)}),
    convnext("convnext_patch_2", "patch_size 2: the first stage halves the map, too", arguments={"patch_size": 2}),
    convnext("convnext_eps", "norm_eps 1e-5, tanh form of the GELU", "test_convnext"),
    convnext("convnext_size", "35x58 pixels", size=(35, 58)),
    convnext("convnextv2", "global response normalisation", "convnextv2_tiny"),
    convnext("convnextv2_conv_mlp", "the same with 1x1 convolutions", "convnextv2_atto"),
]

MOBILENET = [
    thin("mobilenetv2", "all 17 blocks, ReLU6, eps 1e-5, widths by the name; pickled, its tensors overlapping views",
         "mobilenetv2_035", {}, weights="views"),
]

CASES = RESNET + CONVNEXT + MOBILENET
