"""Relatives of ViT in transformers: BEiT, Data2Vec, MAE's encoder, MSN, I-JEPA and DINOv3."""

from . import directories
from .spec import Case, Picture, labels

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
         "image_size": 20, "patch_size": 5}
SIX = labels("one", "two", "three", "four", "five", "six")


def case(name, shows, model_class, config=None, processor_class="ViTImageProcessor", height=20, width=None,
         picture=Picture(37, 29), **rest):
    return Case(name=name, shows=shows, model_class=model_class, config={**SMALL, **SIX, **(config or {})},
                picture=picture, processor_class=processor_class,
                processor={"size": {"height": height, "width": width or height}}, dtype=rest.pop("dtype", "float16"),
                **rest)


def beit(name, shows, model_class="BeitModel", config=None, **rest):
    return case(name, shows, model_class, config, "BeitImageProcessor", **rest)


EACH, SHARED = {"use_relative_position_bias": True}, {"use_shared_relative_position_bias": True}

BEIT = [
    beit("beit_classifier", "position bias in each layer, mean of the patches", "BeitForImageClassification", EACH,
         dtype="float32"),
    beit("beit_shared_bias", "one position bias for all layers", "BeitModel", SHARED),
    beit("beit_class_token", "use_mean_pooling false: norm of all tokens, pooler is the class token",
         config={**EACH, "use_mean_pooling": False}),
    beit("beit_absolute", "absolute positions, no bias of positions", "BeitForImageClassification",
         {"use_absolute_position_embeddings": True}),
    beit("beit_no_pooler", "no pooler, both biases of positions", config={**EACH, **SHARED}, model_arguments={
        "add_pooling_layer": False}),
    beit("beit_non_square", "image_size [25, 15]", config={**EACH, "image_size": [25, 15]}, height=25, width=15),
    beit("beit_size", "the biases interpolated from 4x4 to 6x5 patches", "BeitForImageClassification", EACH,
         size=(30, 25)),
    beit("beit_masked", "saved by masked image modelling: mask token, head", "BeitForMaskedImageModeling",
         {**SHARED, "use_mask_token": True, "vocab_size": 8}, backbone_only=True,  # with use_mean_pooling false,
         unseen=("parameter layernorm", "eps layernorm")),  # transformers 5.23 exchanges the two norms when it reads
    beit("beit_old_files", "integer size, feature extractor, torch_dtype, defaults left out of config.json",
         "BeitForImageClassification", {**EACH, "image_size": 32, "patch_size": 16}, height=32,
         edit_model_directory=directories.age),
    case("data2vec_vision", "BEiT's network under another name", "Data2VecVisionForImageClassification", EACH,
         "BeitImageProcessor"),
    case("data2vec_vision_shared", "one position bias for all layers", "Data2VecVisionModel", SHARED,
         "BeitImageProcessor"),
]

DECODER = {"decoder_num_hidden_layers": 1, "decoder_hidden_size": 8, "decoder_num_attention_heads": 2,
           "decoder_intermediate_size": 8}

OTHERS = [
    case("vit_mae", "the encoder of a pretraining file, all patches in their order", "ViTMAEForPreTraining", DECODER,
         backbone_only=True, unseen=("variant decoder",)),
    case("vit_mae_model", "ViTMAEModel", "ViTMAEModel", dtype="float32"),
    case("vit_mae_size", "positions interpolated 4x4 to 6x3", "ViTMAEModel", size=(30, 15)),
    case("vit_msn", "ViT with eps 1e-6", "ViTMSNModel"),
    case("vit_msn_classifier", "the keys of its encoder without their prefix", "ViTMSNForImageClassification"),
    case("ijepa", "no class token, mean of the patches", "IJepaForImageClassification"),
    case("ijepa_model", "IJepaModel with pooler", "IJepaModel", size=(25, 15)),
]


def dinov3(name, shows, config=None, height=20, width=None, picture=None, **rest):
    """A picture of the model's own size where none is given: this processor resizes floating point pixels."""
    config = {"num_register_tokens": 4, "layerscale_value": 0.1, **(config or {})}
    return case(name, shows, "DINOv3ViTModel", config, "DINOv3ViTImageProcessor", height, width,
                picture or Picture(width or height, height), **rest)


DINOV3 = [
    dinov3("dinov3", "rotary positions, four registers, no key bias", dtype="float32"),
    dinov3("dinov3_gated", "gated MLP with silu", {"use_gated_mlp": True, "hidden_act": "silu"}),
    dinov3("dinov3_no_registers", "no registers, other biases, rope_theta 40", {"num_register_tokens": 0,
           "key_bias": True, "query_bias": False, "mlp_bias": False, "proj_bias": False, "rope_theta": 40.0},
           unseen=("variant",)),
    dinov3("dinov3_non_square", "30x15 pixels", height=30, width=15),
    dinov3("dinov3_resized", "floating point pixels resized, 7 and 5 taps", picture=Picture(69, 43)),
    dinov3("dinov3_enlarged", "floating point pixels resized, one side enlarged", picture=Picture(13, 61, "jpeg")),
    dinov3("dinov3_left_over", "28x23 pixels: 5x4 patches, the rest left over", height=28, width=23),
]

CASES = BEIT + OTHERS + DINOV3
