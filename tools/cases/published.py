"""The published sizes of transformers' models, as their publishers' configurations and picture recipes have them."""

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
CROP_224 = {"crop_size": {"height": 224, "width": 224}}

SIZES = {
    "tiny": {"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3},
    "small": {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16},
    "huge": {"hidden_size": 1280, "num_hidden_layers": 32, "num_attention_heads": 16},
    "giant": {"hidden_size": 1536, "num_hidden_layers": 40, "num_attention_heads": 24, "use_swiglu_ffn": True},
}


def models():
    """name -> (model class, configuration); every one is fed 224x224."""
    return {**_vit(), **_deit(), **_dinov2(), **_mobilenet_v2()}


def processor(model_class):
    """(class, arguments) of the picture recipe that comes with a model class."""
    if model_class.startswith("ViT"):
        return "ViTImageProcessor", {"size": {"height": 224, "width": 224}}
    if model_class.startswith("DeiT"):
        return "DeiTImageProcessor", {"size": {"height": 256, "width": 256}, **CROP_224, **IMAGENET}
    if model_class.startswith("Dinov2"):
        return "BitImageProcessor", {"size": {"shortest_edge": 256}, **CROP_224, **IMAGENET}
    return "MobileNetV2ImageProcessor", {"size": {"shortest_edge": 256}, **CROP_224}


def _encoder(size):
    return SIZES[size] | {"intermediate_size": 4 * SIZES[size]["hidden_size"]}


def _vit():
    found = {
        f"vit-{size}-patch{patch}-224": ("ViTForImageClassification",
                                         _encoder(size) | {"patch_size": patch, "num_labels": 1000})
        for size in ("base", "large")
        for patch in (16, 32)
    }
    return found | {"vit-huge-patch14-224-in21k": ("ViTModel", _encoder("huge") | {"patch_size": 14})}


def _deit():
    found = {}
    for size in ("tiny", "small", "base"):  # those without distillation are published as ViT
        config = _encoder(size) | {"num_labels": 1000}
        found[f"deit-{size}-patch16-224"] = ("ViTForImageClassification", config)
        found[f"deit-{size}-distilled-patch16-224"] = ("DeiTForImageClassificationWithTeacher", config)
    return found


def _dinov2():
    found = {}
    for size in ("small", "base", "large", "giant"):
        config = SIZES[size] | {"image_size": 518, "patch_size": 14}
        found[f"dinov2-{size}"] = ("Dinov2Model", config)
        found[f"dinov2-{size}-imagenet1k-1-layer"] = ("Dinov2ForImageClassification", config | {"num_labels": 1000})
        found[f"dinov2-with-registers-{size}"] = ("Dinov2WithRegistersModel", config)
    return found


def _mobilenet_v2():
    return {
        f"mobilenet_v2_{multiplier}_224": ("MobileNetV2ForImageClassification",
                                           {"depth_multiplier": multiplier, "num_labels": 1001})
        for multiplier in (0.35, 0.75, 1.0, 1.4)
    }
