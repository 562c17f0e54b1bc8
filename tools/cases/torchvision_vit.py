"""torchvision's ViT. A head is 64 channels wide in every published one, so it is here."""

from .spec import Picture, TorchCase

SMALL = {"image_size": 20, "patch_size": 5, "num_layers": 2, "num_heads": 1, "hidden_dim": 64, "mlp_dim": 24,
         "num_classes": 6}


def vit(name, shows, arguments=None, arch="vit_b_16", size=(20, 20), picture=Picture(37, 29), **rest):
    return TorchCase(peer="torchvision", name=f"tv_{name}", shows=shows, arch=arch, size=size, picture=picture,
                     arguments={**SMALL, **(arguments or {})}, dtype="float16", **rest)


CASES = [
    vit("vit", "state dict in half precision, 2 heads of 64",
        {"num_heads": 2, "hidden_dim": 128, "num_layers": 1, "mlp_dim": 16}),
    vit("vit_safetensors", "safetensors", {"mlp_dim": 16, "num_layers": 1}, weights="model.safetensors"),
    vit("vit_h_14", "heads of 80 channels, bicubic", {"hidden_dim": 80, "num_layers": 1}, "vit_h_14"),
    vit("vit_interpolated", "another size: bicubic positions with align_corners, as interpolate_embeddings has them",
        {"num_layers": 1}, size=(30, 30)),
]
