"""Small networks of random weights to explain, one a family and publisher, as `cases` writes them."""

from cases import convnext, deit, dinov2, mobilenet_v2, relatives, resnet, swin, vit
from cases import timm_convolutional, timm_relatives, timm_swin, timm_vit
from cases.spec import Picture

PICTURE = Picture(97, 83)
TOKENS = {"img_size": 64, "patch_size": 8, "embed_dim": 32, "depth": 4, "num_heads": 4}
TOKENS_HF = {"image_size": 64, "patch_size": 8, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4,
             "intermediate_size": 64}
WINDOWS = {"img_size": 64, "patch_size": 2, "embed_dim": 16, "depths": (1, 2, 1, 2), "num_heads": (1, 1, 2, 2)}
WINDOWS_HF = {"image_size": 64, "patch_size": 2, "embed_dim": 16, "depths": [1, 2, 1, 2], "num_heads": [1, 1, 2, 2],
              "window_size": 4}
SQUARE = {"size": {"height": 64, "width": 64}}
CROP = {"size": {"shortest_edge": 70}, "crop_size": {"height": 64, "width": 64}}
SIDE = 128  # of convolutional networks: their last map is 4 x 4


def timm_tokens(name, arch="vit_tiny_patch16_224", **arguments):
    return timm_vit.timm_vit(name, name, arch, TOKENS | arguments, {"input_size": (3, 64, 64)}, PICTURE,
                             dtype="float32")


def timm_relative(name, arch, **arguments):
    return timm_relatives.relative(name, name, arch, TOKENS | arguments, PICTURE, dtype="float32")


def timm_windows(name, make):
    return make(name, name, WINDOWS, dtype="float32")


def timm_maps(name, arch, **arguments):
    return timm_convolutional.thin(name, name, arch, arguments, side=SIDE, dtype="float32")


TRANSFORMERS = {"picture": PICTURE, "dtype": "float32"}

CASES = [
    timm_tokens("vit", depth=5),
    timm_tokens("vit_mean", global_pool="avg"),
    timm_tokens("deit_distilled", "deit_tiny_distilled_patch16_224"),
    timm_tokens("vit_registers", "vit_small_patch16_224", reg_tokens=4, no_embed_class=True, init_values=1e-5),
    timm_relative("beit", "beit_base_patch16_224", mlp_ratio=2),
    timm_relative("eva02", "eva02_base_patch14_224"),
    timm_windows("swin", timm_swin.swin),
    timm_windows("swinv2", timm_swin.swin_v2),
    timm_maps("resnet18", "resnet18", channels=(8, 8, 16, 16), layers=(2, 2, 2, 2)),
    timm_maps("resnet50", "resnet50", channels=(4, 4, 8, 8), layers=(3, 4, 6, 3)),
    timm_maps("mobilenetv2", "mobilenetv2_035"),
    timm_maps("convnext", "convnext_tiny", dims=(8, 8, 12, 16), depths=(1, 1, 2, 2)),
    vit.vit("vit", "", config=TOKENS_HF, process=SQUARE, **TRANSFORMERS),
    deit.deit("deit_distilled", "", "DeiTForImageClassificationWithTeacher", config=TOKENS_HF, process=CROP,
              **TRANSFORMERS),
    dinov2.dino("dinov2", "", "Dinov2ForImageClassification", config=TOKENS_HF, process=CROP, **TRANSFORMERS),
    dinov2.registers("dinov2_registers", "", "Dinov2WithRegistersForImageClassification", config=TOKENS_HF,
                     process=CROP, **TRANSFORMERS),
    relatives.beit("beit", "", "BeitForImageClassification", TOKENS_HF | relatives.EACH, height=64, **TRANSFORMERS),
    swin.swin("swin", "", "SwinForImageClassification", WINDOWS_HF, 64, dtype="float32"),
    swin.swin_v2("swinv2", "", "Swinv2ForImageClassification", config=WINDOWS_HF, height=64, dtype="float32"),
    resnet.resnet("resnet18", "", config={"layer_type": "basic", "depths": [2, 2, 2, 2]}, edge=SIDE, dtype="float32"),
    resnet.resnet("resnet50", "", config={"depths": [3, 4, 6, 3]}, edge=SIDE, dtype="float32"),
    mobilenet_v2.mobilenet("mobilenet_v2", "", picture=PICTURE, process=mobilenet_v2.crop_to(SIDE),
                           config={"image_size": SIDE, **mobilenet_v2.ELEVEN}),
    convnext.convnext("convnext", "", config={"depths": [1, 1, 2, 2]}, edge=SIDE, dtype="float32"),
]
