"""MobileNetV2 cases: thin channels, all 17 blocks."""

from . import directories
from .spec import Case, Picture, labels

THIN = {"depth_multiplier": 0.05, "depth_divisible_by": 2, "min_depth": 4, "finegrained_output": False,
        "image_size": 64}
# what the tests read by name: larger, and in float32 where nothing else is said
NAMED = ("mobilenet_v2", "mobilenet_v2_expansion_in_stem", "mobilenet_v2_model")
ELEVEN = labels("background", *(f"class {index}" for index in range(1, 11)))


def crop_to(size, **changes):
    return {"size": {"shortest_edge": size + 9}, "crop_size": {"height": size, "width": size}, **changes}


def mobilenet(name, shows, model_class="MobileNetV2ForImageClassification", picture=None, config=None,
              process=None, **rest):
    return Case(name=name, shows=shows, model_class=model_class, config={**THIN, **(config or {})},
                processor_class="MobileNetV2ImageProcessor", processor=process or crop_to(64 if name in NAMED else 40),
                picture=picture or (Picture(83, 66) if name in NAMED else Picture(57, 45)),
                dtype=rest.pop("dtype", "float32" if name in NAMED else "float16"), **rest)


UNCROPPED = {"size": {"shortest_edge": 35}, "do_center_crop": False}
BARE = "MobileNetV2Model"

CASES = [
    mobilenet("mobilenet_v2", "classifier with background class, TensorFlow padding", config=ELEVEN),
    mobilenet("mobilenet_v2_torch_padding", "tf_padding false", config={"tf_padding": False, **ELEVEN}),
    mobilenet("mobilenet_v2_model", "bare model with pooling", BARE, Picture(59, 90, "jpeg")),
    mobilenet("mobilenet_v2_no_pooling", "bare model without pooling", BARE,
              model_arguments={"add_pooling_layer": False}),
    mobilenet("mobilenet_v2_finegrained", "finegrained_output: 1280 channels at the end of a thin model",
              config={"finegrained_output": True}),
    mobilenet("mobilenet_v2_035", "depth_multiplier 0.35 with channels rounded to 8, half precision", BARE,
              config={"depth_multiplier": 0.35, "depth_divisible_by": 8, "min_depth": 8, "expand_ratio": 1.0},
              dtype="float16"),
    mobilenet("mobilenet_v2_stride_16", "output_stride 16: the last blocks are dilated", config={"output_stride": 16}),
    mobilenet("mobilenet_v2_stride_8", "output_stride 8, TensorFlow padding", config={"output_stride": 8}),
    mobilenet("mobilenet_v2_stride_8_torch_padding", "output_stride 8, tf_padding false", BARE,
              config={"output_stride": 8, "tf_padding": False}),
    mobilenet("mobilenet_v2_expansion_in_stem", "first_layer_is_expansion false",
              config={"first_layer_is_expansion": False}),
    mobilenet("mobilenet_v2_odd_size", "35x44 pixels, TensorFlow padding", process=UNCROPPED),
    mobilenet("mobilenet_v2_odd_size_torch_padding", "35x44 pixels, tf_padding false", process=UNCROPPED,
              config={"tf_padding": False}),
    mobilenet("mobilenet_v2_odd_size_stride_8", "35x44 pixels, dilated", BARE, process=UNCROPPED,
              config={"output_stride": 8}),
    mobilenet("mobilenet_v2_size", "--size 24x40", size=(24, 40), picture=Picture(70, 29)),
    mobilenet("mobilenet_v2_tiny_picture", "20x20 pixels: the last maps are 1x1", process=crop_to(20),
              config={"image_size": 20}),
    mobilenet("mobilenet_v2_relu", "hidden_act relu, eps 1e-5", config={"hidden_act": "relu", "layer_norm_eps": 1e-5}),
    mobilenet("mobilenet_v2_swish", "hidden_act swish, expand_ratio 2.5", config={"hidden_act": "swish",
              "expand_ratio": 2.5}),
    mobilenet("mobilenet_v2_min_depth", "min_depth 6 and channels rounded to 3", config={"depth_multiplier": 0.12,
              "depth_divisible_by": 3, "min_depth": 6, "expand_ratio": 3}),
    mobilenet("mobilenet_v2_old_files", "integer size means the shortest edge; torch_dtype, defaults left out",
              config=ELEVEN, edit_model_directory=directories.age),
]
