"""timm's BEiT and its EVA class: EVA, EVA-02, rotary ViTs and DINOv3."""

from .roles import POST_NORM
from .spec import Picture, TimmCase

SMALL = {"img_size": 20, "patch_size": 5, "embed_dim": 16, "depth": 2, "num_heads": 2, "num_classes": 6}


def relative(name, shows, arch, arguments=None, picture=Picture(37, 29), **rest):
    arguments = {**SMALL, **(arguments or {})}
    size = arguments["img_size"]
    cfg = {"input_size": (3, *(size if isinstance(size, tuple) else (size, size)))}
    return TimmCase(name=f"timm_{name}", shows=shows, arch=arch, arguments=arguments, cfg=cfg, picture=picture,
                    dtype=rest.pop("dtype", "float16"), **rest)


def beit(name, shows, arguments=None, arch="beit_base_patch16_224", **rest):
    return relative(name, shows, arch, {"mlp_ratio": 2, **(arguments or {})}, **rest)


BEIT = [
    beit("beit", "position bias in each layer, layer scale, mean of the patches", dtype="float32"),
    beit("beitv2", "BEiT v2", arch="beitv2_base_patch16_224", arguments={"num_classes": 0}),
    beit("beit_shared_bias", "one position bias for all layers, absolute positions, too",
         {"use_rel_pos_bias": False, "use_shared_rel_pos_bias": True, "use_abs_pos_emb": True}),
    beit("beit_token", "global_pool token", {"global_pool": "token"}),
    beit("beit_non_square", "img_size (25, 15)", {"img_size": (25, 15)}),
    beit("beit_size", "another img_size when read: timm resamples the tables of biases", size=(30, 25),
         load={"img_size": (30, 25)}),
]


def eva(name, shows, arch="eva02_base_patch14_224", arguments=None, **rest):
    return relative(name, shows, arch, arguments, **rest)


EVA = [
    eva("eva", "EVA: absolute positions only, mean of the patches", "eva_giant_patch14_224", {"mlp_ratio": 2}),
    eva("eva02_tiny", "EVA-02 tiny: packed SwiGLU, rotary and absolute positions", "eva02_tiny_patch14_224",
        dtype="float32"),
    eva("eva02", "EVA-02 base: q, k and v apart, norm within the SwiGLU"),
    eva("eva02_reference_grid", "rotary positions of another reference grid", arguments={"ref_feat_shape": (3, 3)}),
    eva("eva02_clip", "EVA-02 CLIP: norm of the attention's result, class token", "eva02_base_patch16_clip_224"),
    eva("eva02_clip_enormous", "norms behind attention and MLP", "eva02_enormous_patch14_clip_224", {"mlp_ratio": 2},
        roles=POST_NORM),
    eva("eva_clip", "EVA-01 CLIP: class token, final norm", "eva_giant_patch14_clip_224", {"mlp_ratio": 2}),
    eva("eva02_non_square", "img_size (25, 15)", arguments={"img_size": (25, 15)}),
    eva("eva02_size", "read at another size: positions and rotation interpolated", size=(30, 25),
        load={"dynamic_img_size": True}),
    eva("vit_rope", "a ViT with rotary positions and a register", "vit_medium_patch16_rope_reg1_gap_256",
        {"mlp_ratio": 2}),
]

DINOV3 = [
    eva("dinov3", "rotary positions of DINOv3, four registers, layer scale", "vit_small_patch16_dinov3",
        {"mlp_ratio": 2}, dtype="float32"),
    eva("dinov3_qkvb", "the same with biases of q and v", "vit_small_patch16_dinov3_qkvb", {"num_classes": 0,
        "mlp_ratio": 2}),
    eva("dinov3_gated", "SwiGLU with an aligned width", "vit_huge_plus_patch16_dinov3"),
    eva("dinov3_token", "class token", "vit_small_patch16_dinov3_qkvb", {"global_pool": "token", "mlp_ratio": 2}),
    eva("dinov3_size", "another, non-square size", "vit_small_patch16_dinov3", {"mlp_ratio": 2}, size=(30, 15)),
]

CASES = BEIT + EVA + DINOV3
