"""timm's Swin, first and second version."""

from .roles import SWIN_V2
from .spec import Picture, TimmCase

SMALL = {"img_size": 24, "patch_size": 2, "embed_dim": 8, "depths": (2, 2), "num_heads": (1, 2), "window_size": 4,
         "mlp_ratio": 2, "num_classes": 6}
FOUR_STAGES = {"img_size": 32, "depths": (1, 2, 1, 1), "num_heads": (1, 1, 2, 2), "embed_dim": 4}


def swin(name, shows, arguments=None, arch="swin_tiny_patch4_window7_224", **rest):
    arguments = {**SMALL, **(arguments or {})}
    size = arguments["img_size"]
    cfg = {"input_size": (3, *(size if isinstance(size, tuple) else (size, size)))}
    return TimmCase(name=f"timm_{name}", shows=shows, arch=arch, arguments=arguments, cfg=cfg,
                    picture=Picture(33, 27, "png_grain"),
                    dtype=rest.pop("dtype", "float32" if name in ("swin", "swinv2") else "float16"), **rest)


def swin_v2(name, shows, arguments=None, **rest):
    return swin(name, shows, arguments, "swinv2_tiny_window8_256", roles=SWIN_V2, **rest)


FIRST = [
    swin("swin", "3x3 windows with a shift, then a 6x6 map padded to 8x8 after the shift"),
    swin("swin_no_classes", "num_classes 0", {"num_classes": 0}),
    swin("swin_four_stages", "maps 16, 8, 4 and 2 with windows of 4, 4, 4 and 2", FOUR_STAGES),
    swin("swin_window_of_map", "window 7 on maps of 12 and 6: the second window is the map", {"window_size": 7}),
    swin("swin_always_partition", "always_partition: windows keep their size and shift", {"window_size": 7,
         "always_partition": True}),
    swin("swin_rectangular_window", "window_size (4, 3)", {"window_size": (4, 3)}),
    swin("swin_window_per_stage", "one window a stage, as the S3 models have", {**FOUR_STAGES,
         "window_size": (4, 4, 2, 2)}, "swin_s3_tiny_224"),
    swin("swin_non_square", "img_size (28, 16)", {"img_size": (28, 16)}),
    swin("swin_size", "strict_img_size false in the file: 20x14 patches", {"strict_img_size": False}, size=(40, 28)),
    swin("swin_pickled", "pytorch_model.bin", weights="pytorch_model.bin"),
]

SECOND = [
    swin_v2("swinv2", "cosine attention, position bias from coordinates, norms behind"),
    swin_v2("swinv2_four_stages", "maps 16, 8, 4 and 2 with windows of 4, 4, 4 and 2", FOUR_STAGES),
    swin_v2("swinv2_pretrained_windows", "pretrained_window_sizes 3 and 2", {"pretrained_window_sizes": (3, 2)}),
    swin_v2("swinv2_window_of_map", "window 7 on maps of 12 and 6", {"window_size": 7}),
    swin_v2("swinv2_non_square", "img_size (28, 16)", {"img_size": (28, 16)}),
    swin_v2("swinv2_size", "strict_img_size false in the file: 20x14 patches", {"strict_img_size": False},
            size=(40, 28)),
]

CASES = FIRST + SECOND
