"""ViT cases."""

from . import directories
from .spec import Case, Picture, labels

SMALL = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
         "image_size": 32, "patch_size": 8}
LARGER = SMALL | {"hidden_size": 24, "intermediate_size": 56}
# what the tests read by name: larger, and in float32 where nothing else is said
NAMED = ("vit_classifier", "vit_exif_6", "vit_no_qkv_bias", "vit_pooler",
         "vit_sharded", "vit_size_wide", "vit_uneven_heads", "vit_bf16", "vit_fp16")
SIX = labels("one", "two", "three", "four", "five", "six")


def processor(height, width=None, **changes):
    return {"size": {"height": height, "width": width or height}, **changes}


def vit(name, shows, model_class="ViTForImageClassification", picture=None, config=None, process=None,
        **rest):
    config = {**(LARGER if name in NAMED else SMALL), **SIX, **(config or {})}
    return Case(name=name, shows=shows, model_class=model_class, config=config,
                processor_class="ViTImageProcessor", processor=process or processor(32),
                picture=picture or (Picture(61, 47) if name in NAMED else Picture(41, 33)),
                dtype=rest.pop("dtype", "float32" if name in NAMED else "float16"), **rest)


SHAPES = [
    vit("vit_classifier", "classifier with named labels, 3 blocks, 4 heads",
        config={"hidden_size": 36, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 72,
                "image_size": 48,
                **labels("cat", "dog", "owl, bird of night", "parrot", "sunflower", "눈치", "truck")},
        process=processor(48)),
    vit("vit_no_head", "ViTModel without pooler", "ViTModel", Picture(90, 53),
        model_arguments={"add_pooling_layer": False}),
    vit("vit_pooler", "ViTModel with pooler", "ViTModel", Picture(33, 70)),
    vit("vit_pooler_gelu_20", "pooler of another width and activation", "ViTModel", Picture(64, 64),
        config={"pooler_act": "gelu", "pooler_output_size": 20}),
    vit("vit_no_qkv_bias", "q, k and v without bias; head dim 10", config={"qkv_bias": False, "hidden_size": 30,
        "num_attention_heads": 3}),
    vit("vit_gelu_new", "tanh form of the GELU", config={"hidden_act": "gelu_new"}),
    vit("vit_quick_gelu", "sigmoid form of the GELU; LABEL_0 and LABEL_1", config={"hidden_act": "quick_gelu",
        **labels("LABEL_0", "LABEL_1")}),
    vit("vit_relu", "ReLU; one label", config={"hidden_act": "relu", **labels("score")}),
    vit("vit_eps", "layer_norm_eps 1e-5 instead of 1e-12", config={"layer_norm_eps": 1e-5}),
    vit("vit_non_square_config", "image_size [40, 24]", config={"image_size": [40, 24]}, process=processor(40, 24)),
    vit("vit_odd_patch", "patch 7 on 31 pixels: 3 pixels are left over", config={"image_size": 31, "patch_size": 7},
        process=processor(31)),
    vit("vit_rectangular_patch", "patch_size [8, 5] on [33, 26]",
        config={"image_size": [33, 26], "patch_size": [8, 5]}, process=processor(33, 26)),
    vit("vit_uneven_heads", "4 heads in 34 channels: head dim 8, 2 channels fewer inside",
        config={"hidden_size": 34, "num_attention_heads": 4}),
    vit("vit_mask_token", "saved by masked image modelling: a mask token and a decoder that the backbone does not use",
        "ViTForMaskedImageModeling", config={"encoder_stride": 8}, backbone_only=True),
]

SIZES = [
    vit("vit_size_larger", "positions interpolated 4x4 to 6x5", "ViTModel", size=(48, 40)),
    vit("vit_size_smaller", "positions interpolated 4x4 to 3x3, no antialias", size=(24, 24)),
    vit("vit_size_wide", "positions interpolated 4x4 to 3x9", size=(24, 72), picture=Picture(120, 40)),
    vit("vit_size_same_count", "16 patches again, but 2x8: still interpolated", size=(16, 64)),
    vit("vit_size_left_over", "45x37 pixels: 5x4 patches, the rest left over", size=(45, 37)),
    vit("vit_size_same_grid", "37x37 pixels: the same 4x4 grid, not interpolated", size=(37, 37)),
]

PICTURES = [
    vit("vit_gray", "grayscale PNG, nearest", picture=Picture(57, 44, "png_gray"), process=processor(32, resample=0)),
    vit("vit_gray_alpha", "gray and alpha PNG, Lanczos: alpha is dropped", picture=Picture(75, 39, "png_gray_alpha"),
        process=processor(32, resample=1)),
    vit("vit_rgba", "RGBA PNG, bicubic: alpha is dropped, not blended", picture=Picture(48, 71, "png_rgba"),
        process=processor(32, resample=3, do_convert_rgb=True)),
    vit("vit_palette", "palette PNG, box filter", picture=Picture(66, 49, "png_palette"),
        process=processor(32, resample=4)),
    vit("vit_jpeg", "JPEG, Hamming filter", picture=Picture(101, 67, "jpeg"), process=processor(32, resample=5)),
    vit("vit_exif_3", "JPEG to be turned by 180 degrees", picture=Picture(58, 43, "jpeg_exif_3")),
    vit("vit_exif_5", "JPEG to be mirrored along its diagonal", picture=Picture(83, 37, "jpeg_exif_5")),
    vit("vit_exif_6", "JPEG to be turned by 270 degrees", picture=Picture(75, 50, "jpeg_exif_6")),
    vit("vit_upscaled", "a picture of 19x11 pixels, bicubic", picture=Picture(19, 11),
        process=processor(32, resample=3)),
]

PROCESSORS = [
    vit("vit_no_rescale", "do_rescale false: grey levels are normalised as they are",
        process=processor(32, do_rescale=False)),
    vit("vit_no_normalize", "do_normalize false", process=processor(32, do_normalize=False)),
    vit("vit_grey_levels", "neither rescaled nor normalised: pixel values are grey levels",
        process=processor(32, do_rescale=False, do_normalize=False)),
    vit("vit_no_resize", "do_resize false", picture=Picture(32, 32), process=processor(50, do_resize=False)),
    vit("vit_own_scale", "rescale_factor 1/127.5, a mean and deviation per channel",
        process=processor(32, rescale_factor=1 / 127.5, image_mean=[0.9, 1.0, 1.1], image_std=[0.8, 1.2, 0.6])),
    vit("vit_crop_pads", "centre crop larger than the picture in one direction, smaller in the other",
        process=processor(21, 43, do_center_crop=True, crop_size={"height": 32, "width": 32})),
    vit("vit_crop_of_original", "centre crop without resize, odd margins", picture=Picture(45, 52),
        process=processor(99, do_resize=False, do_center_crop=True, crop_size={"height": 32, "width": 32})),
    vit("vit_padded", "do_pad: zeros to the right and below, after normalising",
        process=processor(27, 30, do_pad=True, pad_size={"height": 32, "width": 32})),
    vit("vit_nested_processor", "processor_config.json with a nested image_processor",
        process=processor(32, resample=3, image_mean=[0.4, 0.5, 0.6]), edit_model_directory=directories.nest_processor),
    vit("vit_nested_and_flat_processor", "both processor files: the nested one counts",
        process=processor(32, resample=3, image_mean=[0.4, 0.5, 0.6]),
        edit_model_directory=directories.nest_processor_beside_a_wrong_flat_one),
    vit("vit_old_files", "integer size, feature extractor, torch_dtype, defaults left out of config.json",
        config={"patch_size": 16, "image_size": 48}, process=processor(48), edit_model_directory=directories.age),
    vit("vit_short_processor", "only the type and the size: the rest is the class's default",
        edit_model_directory=directories.keep_of_processor("image_processor_type", "size")),
]

FILES = [
    vit("vit_sharded", "sharded safetensors with index", save={"max_shard_size": "30KB"}),
    vit("vit_fp16", "weights in half precision, subnormal ones among them", dtype="float16"),
    vit("vit_bf16", "weights in bfloat16", "ViTModel", dtype="bfloat16"),
    vit("vit_new_names", "the names of transformers 5's own modules (save_original_format=False)",
        save={"save_original_format": False}),
]

CASES = SHAPES + SIZES + PICTURES + PROCESSORS + FILES
