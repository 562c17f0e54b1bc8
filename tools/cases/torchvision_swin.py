"""torchvision's Swin, first and second version. Heads and windows are in the shapes of the tables."""

from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2

from .roles import SWIN_V2
from .spec import Picture, TorchCase

SMALL = {"patch_size": [4, 4], "embed_dim": 4, "depths": [2, 1, 1, 1], "num_heads": [1, 1, 2, 2],
         "window_size": [3, 3], "mlp_ratio": 2, "num_classes": 6}
SECOND = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}


def swin(name, shows, arguments=None, arch="swin_t", size=(32, 32), picture=Picture(33, 27, "png_grain"), **rest):
    return TorchCase(peer="torchvision", name=f"tv_{name}", shows=shows, arch=arch, size=size, picture=picture,
                     arguments={**SMALL, **(arguments or {})}, dtype="float16", **rest)


CASES = [
    swin("swin", "an 8x8 map padded to 9x9 before the shift; windows larger than the last maps"),
    swin("swin_size", "52x36 pixels: odd maps", size=(52, 36)),
    swin("swin_v2", "cosine attention, norms behind, a key bias in the file that does not count", SECOND, "swin_v2_t",
         roles=SWIN_V2),
    swin("swin_v2_size", "52x36 pixels", SECOND, "swin_v2_t", size=(52, 36), roles=SWIN_V2,
         weights="model.safetensors"),
]
