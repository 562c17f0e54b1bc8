"""Which draw of the weights a case takes, where `--check` found the first one too tame."""

DRAWS = {
    "vit_size_smaller": 1,
    "dinov2_registers_classifier": 1,
    "mobilenet_v2_odd_size": 1,
    "mobilenet_v2_tiny_picture": 1,
    "mobilenet_v2_min_depth": 1,
    "swin_old_files": 2,
    "convnext_model": 1,
    "convnext_old_files": 1,
    "convnextv2_size": 1,
    "timm_deit3": 1,
    "timm_jpeg_exif": 1,
    "timm_legacy_flat": 1,
    "timm_swinv2_four_stages": 1,
    "timm_swinv2_size": 1,
    "timm_convnext_patch_2": 1,
    "timm_eva02_clip_enormous": 1,
    "tv_swin_v2": 1,
    "tv_swin_v2_size": 2,
}
