"""timm's ViT, DeiT and their relatives that are made of the same parts."""

from . import directories
from .spec import Picture, TimmCase

SMALL = {"img_size": 20, "patch_size": 5, "embed_dim": 16, "depth": 2, "num_heads": 2, "mlp_ratio": 2,
         "num_classes": 6}
CFG = {"input_size": (3, 20, 20)}


FLOAT32 = ("vit", "vit_clip", "vit_map", "vit_registers", "deit_distilled", "vit_dynamic", "sharded", "pickled")


def timm_vit(name, shows, arch="vit_tiny_patch16_224", arguments=None, cfg=None, picture=Picture(37, 29), **rest):
    return TimmCase(name=f"timm_{name}", shows=shows, arch=arch, arguments={**SMALL, **(arguments or {})},
                    cfg={**CFG, **(cfg or {})}, picture=picture,
                    dtype=rest.pop("dtype", "float32" if name in FLOAT32 else "float16"), **rest)


FROM_STREAM = {"head": "from_stream"}

POOLING = [
    timm_vit("vit", "class token; 3 blocks, 3 heads, eps 1e-6",
             arguments={"depth": 3, "num_heads": 3, "embed_dim": 24, "mlp_ratio": 4}),
    timm_vit("vit_no_classes", "num_classes 0: features only", arguments={"num_classes": 0}),
    timm_vit("vit_avg", "mean of the patches, fc_norm after it, no norm before it", arguments={"global_pool": "avg"}),
    timm_vit("vit_avg_no_fc_norm", "mean of the patches of normalised tokens", arguments={"global_pool": "avg",
             "fc_norm": False}),
    timm_vit("vit_token_fc_norm", "class token normalised after pooling", arguments={"fc_norm": True}),
    timm_vit("vit_avg_with_prefix", "pool_include_prefix: the mean takes the class token and the registers in",
             arguments={"global_pool": "avg", "pool_include_prefix": True, "reg_tokens": 2}),
    timm_vit("vit_max", "largest of the patches", arguments={"global_pool": "max"}),
    timm_vit("vit_avgmax", "half the sum of mean and largest", arguments={"global_pool": "avgmax"}),
    timm_vit("vit_no_class_token", "no class token, mean of the patches", arguments={"class_token": False,
             "global_pool": "avg"}),
    timm_vit("vit_map", "SigLIP tower: attention pooling, no class token", "vit_base_patch16_siglip_224",
             roles=FROM_STREAM),
    timm_vit("vit_map_so400m", "SigLIP tower with an MLP of another width and the tanh GELU",
             "vit_so400m_patch14_siglip_224", arguments={"mlp_ratio": 3.7362}, roles=FROM_STREAM),
    timm_vit("vit_siglip_gap", "SigLIP tower without its attention pooling", "vit_base_patch16_siglip_gap_224"),
]

PARTS = [
    timm_vit("vit_registers", "reg_tokens 4, positions of the patches only, layer scale, mean of the patches",
             "vit_small_patch16_224", arguments={"reg_tokens": 4, "no_embed_class": True, "init_values": 1e-5,
                                                 "global_pool": "avg"}),
    timm_vit("vit_registers_embedded", "positions of class token and registers, too", arguments={"reg_tokens": 3}),
    timm_vit("vit_reg_gap", "registers without class token", "vit_little_patch16_reg4_gap_256",
             cfg={"crop_pct": 0.95}),
    timm_vit("vit_qk_norm", "queries and keys normalised", arguments={"qk_norm": True}),
    timm_vit("vit_scale_norms", "norms of the attention's result and of the hidden units",
             arguments={"scale_attn_norm": True, "scale_mlp_norm": True}, unseen=("variant",)),
    timm_vit("vit_hybrid_stem", "patches cut from the map of a convolution of standardised weights, odd sides",
             "vit_tiny_r_s16_p8_224", arguments={"img_size": 28, "patch_size": 1}, cfg={"input_size": (3, 28, 28)},
             unseen=("eps patch_embed.backbone.norm",)),  # standardised weights make maps that vary by far more
    timm_vit("vit_layer_scale", "init_values", arguments={"init_values": 0.1}),
    timm_vit("vit_clip", "CLIP tower: norm before the blocks, eps 1e-5, bias-free patches",
             "vit_base_patch32_clip_224"),
    timm_vit("vit_clip_quickgelu", "CLIP tower with the sigmoid GELU", "vit_base_patch32_clip_quickgelu_224"),
    timm_vit("vit_final_norm_off", "CLIP tower without a final norm", "vit_base_patch32_clip_224",
             arguments={"final_norm": False}, roles=FROM_STREAM),
    timm_vit("vit_no_qkv_bias", "q, k and v without bias", arguments={"qkv_bias": False}),
    timm_vit("vit_no_proj_bias", "projections and MLP without bias", arguments={"proj_bias": False},
             unseen=("variant",)),
    timm_vit("vit_swiglu_packed", "DINOv2 giant: packed SwiGLU, layer scale", "vit_giant_patch14_dinov2",
             arguments={"mlp_ratio": 2.66667 * 2, "embed_dim": 24}, cfg={"crop_pct": 1.0}),
    timm_vit("vit_swiglu_registers", "DINOv2 giant with registers", "vit_giant_patch14_reg4_dinov2",
             arguments={"num_classes": 0}),
    timm_vit("vit_dinov2_small", "DINOv2 small with registers: positions of the patches only",
             "vit_small_patch14_reg4_dinov2", arguments={"num_classes": 0, "img_size": 28, "patch_size": 7},
             cfg={"input_size": (3, 28, 28)}),
    timm_vit("vit_no_positions", "pos_embed none", arguments={"pos_embed": "none"}),
    timm_vit("vit_rms_norm", "RMS norm, SwiGLU, no biases: AIMv2", "aimv2_large_patch14_224"),
]

DEIT = [
    timm_vit("deit", "DeiT without distillation", "deit_tiny_patch16_224"),
    timm_vit("deit_distilled", "two heads, logits are their mean", "deit_tiny_distilled_patch16_224"),
    timm_vit("deit_distilled_size", "two prefix tokens before interpolated positions",
             "deit_tiny_distilled_patch16_224", size=(25, 15), load={"dynamic_img_size": True}),
    timm_vit("deit3", "layer scale, positions of the patches only", "deit3_small_patch16_224"),
]

SIZES = [
    timm_vit("vit_non_square", "img_size [25, 15]: the resize keeps the ratio of the picture",
             arguments={"img_size": (25, 15)}, cfg={"input_size": (3, 25, 15)}),
    timm_vit("vit_rectangular_patch", "patch_size [5, 4]", arguments={"patch_size": (5, 4)}),
    timm_vit("vit_dynamic", "dynamic_img_size in the file, larger picture: positions with antialias",
             arguments={"dynamic_img_size": True}, size=(30, 35)),
    timm_vit("vit_dynamic_smaller", "smaller, wide picture: antialias matters", arguments={"dynamic_img_size": True},
             size=(10, 25), picture=Picture(60, 20)),
    timm_vit("vit_dynamic_registers", "positions without prefix tokens, interpolated",
             arguments={"dynamic_img_size": True, "reg_tokens": 2, "no_embed_class": True}, size=(15, 15)),
    timm_vit("vit_size", "fixed size in the file, read at another one", size=(15, 30), load={"dynamic_img_size": True}),
    timm_vit("vit_dynamic_pad", "dynamic_img_pad: the picture is padded to whole patches with zeros",
             arguments={"dynamic_img_size": True, "dynamic_img_pad": True}, size=(23, 27)),
]

PICTURES = [
    timm_vit("crop_pct", "crop_pct 0.9, bicubic, the mean and deviation of ImageNet", "deit_tiny_patch16_224",
             picture=Picture(53, 31)),
    timm_vit("crop_squash", "crop_mode squash: the ratio is lost", cfg={"crop_mode": "squash", "crop_pct": 0.8}),
    timm_vit("crop_border", "crop_mode border: padded with the mean", cfg={"crop_mode": "border", "crop_pct": 0.95},
             picture=Picture(50, 26)),
    timm_vit("bilinear_upscaled", "a picture of 19x11 pixels, bilinear, crop_pct 1", picture=Picture(15, 9),
             cfg={"interpolation": "bilinear", "crop_pct": 1.0}),
    timm_vit("jpeg_exif", "EXIF orientation is not looked at", picture=Picture(45, 30, "jpeg_exif_6")),
    timm_vit("rgba", "RGBA PNG: alpha is dropped", picture=Picture(28, 41, "png_rgba")),
]

LABELS = ["n01440764", "n01443537", "n01484850", "n01491361", "n01494475", "n01496331"]
FILES = [
    timm_vit("labels", "label_names and label_descriptions", model_config={
        "label_names": LABELS, "label_descriptions": {name: f"fish {index}" for index, name in enumerate(LABELS)}}),
    TimmCase(name="timm_legacy_flat", shows="flat config.json of timm 0.x: sizes by the architecture's name, labels",
             arch="test_convnext", arguments={"num_classes": 6}, cfg={"input_size": (3, 40, 40), "num_classes": 6},
             picture=Picture(37, 29), weights="views", model_config={"label_names": LABELS},
             edit_model_directory=directories.flatten, unseen=("eps", "variant")),
    timm_vit("no_model_args", "model_args with overrides only, as timm before 1.0.20 wrote", edit_model_directory=
             directories.keep_model_args("patch_size", "embed_dim", "depth", "num_heads", "mlp_ratio")),
    timm_vit("pickled", "pytorch_model.bin instead of safetensors", weights="pytorch_model.bin"),
    timm_vit("sharded", "sharded safetensors with index", weights="10KB"),
    timm_vit("fp16", "weights in half precision", dtype="float16"),
    timm_vit("bf16", "weights in bfloat16", dtype="bfloat16", weights="pytorch_model.bin"),
]

CASES = POOLING + PARTS + DEIT + SIZES + PICTURES + FILES
