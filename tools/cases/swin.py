"""Swin cases, first and second version, of transformers."""

from . import directories
from .roles import SWIN_V2
from .spec import Case, Picture, labels

SMALL = {"image_size": 24, "patch_size": 2, "embed_dim": 8, "depths": [2, 2], "num_heads": [1, 2], "window_size": 4,
         "mlp_ratio": 2.0}
NAMED = ("swin_classifier", "swin_no_pooler", "swinv2_classifier")  # read by the tests as float32
SIX = labels("one", "two", "three", "four", "five", "six")


def swin(name, shows, model_class="SwinModel", config=None, height=24, width=None, **rest):
    config = {**SMALL, **SIX, **(config or {})}
    return Case(name=name, shows=shows, model_class=model_class, config=config, picture=Picture(33, 27, "png_grain"),
                processor_class="ViTImageProcessor", processor={"size": {"height": height, "width": width or height}},
                dtype=rest.pop("dtype", "float32" if name in NAMED else "float16"),
                **rest)


def swin_v2(name, shows, model_class="Swinv2Model", roles=SWIN_V2, **rest):
    return swin(name, shows, model_class, roles=roles, **rest)


FOUR_STAGES = {"image_size": 32, "depths": [1, 2, 1, 1], "num_heads": [1, 1, 2, 2], "embed_dim": 4, "window_size": 2}

FIRST = [
    swin("swin_classifier", "3x3 windows with a shift, then a 6x6 map padded to 8x8", "SwinForImageClassification"),
    swin("swin_pooler", "SwinModel with its mean", config={"depths": [2, 1]}),
    swin("swin_no_pooler", "SwinModel without pooler, q, k and v without bias", model_arguments={
        "add_pooling_layer": False}, config={"qkv_bias": False}),
    swin("swin_four_stages", "maps 16, 8, 4, 2 with windows of 2, the last without shift",
         "SwinForImageClassification", config=FOUR_STAGES, height=32, roles={"q_proj|k_proj": "sharp"}),
    swin("swin_size", "20x14 patches: padding, shift and odd maps meet", size=(40, 28)),
    swin("swin_size_smaller", "6x10 patches, then 3x5 with windows of 3", "SwinForImageClassification",
         config={"window_size": 3}, size=(12, 20)),
    swin("swin_non_square", "image_size [28, 16]", config={"image_size": [28, 16]}, height=28, width=16),
    swin("swin_partial_patch", "23x25 pixels: the picture is padded to whole patches", height=23, width=25),
    swin("swin_absolute", "use_absolute_embeddings", config={"use_absolute_embeddings": True}),
    swin("swin_relu", "hidden_act relu, eps 1e-6, mlp_ratio 3.5", config={"hidden_act": "relu",
         "layer_norm_eps": 1e-6, "mlp_ratio": 3.5}),
    swin("swin_masked", "saved by masked image modelling: a mask token and a decoder that the backbone does not use",
         "SwinForMaskedImageModeling", config={"encoder_stride": 4}, backbone_only=True),
    swin("swin_backbone", "SwinBackbone: normed maps of the embeddings and both stages, the window larger than the last",
         "SwinBackbone", config={"window_size": 7, "out_features": ["stem", "stage1", "stage2"]},
         unseen=("parameter swin.layernorm", "eps swin.layernorm")),
    swin("swin_old_files", "integer size, feature extractor, torch_dtype, defaults left out of config.json",
         "SwinForImageClassification", config={"patch_size": 4, "image_size": 48}, height=48,
         edit_model_directory=directories.age),
]

SECOND = [
    swin_v2("swinv2_classifier", "cosine attention, position bias from coordinates, norms behind",
            "Swinv2ForImageClassification"),
    swin_v2("swinv2_pooler", "Swinv2Model with its mean", config={"depths": [2, 1]}),
    swin_v2("swinv2_four_stages", "maps 16, 8, 4, 2 with windows of 2, the last without shift",
            "Swinv2ForImageClassification", config=FOUR_STAGES, height=32),
    swin_v2("swinv2_pretrained_windows", "pretrained_window_sizes 3 and 2", config={"pretrained_window_sizes": [3, 2]}),
    swin_v2("swinv2_size", "20x14 patches: padding, shift and odd maps meet", size=(40, 28)),
    swin_v2("swinv2_non_square", "image_size [28, 16]", config={"image_size": [28, 16]}, height=28, width=16),
    swin_v2("swinv2_clamped_scale", "logit scales around log(100), where they are clamped", rtol=3e-4,
            roles={"logit_scale": "large_logit_scale", **SWIN_V2}),
    swin_v2("swinv2_no_qkv_bias", "q and v without bias", config={"qkv_bias": False}),
]

CASES = FIRST + SECOND
