"""DINOv2 cases, with and without registers."""

from . import directories
from .spec import Case, Picture, labels

SMALL = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 2, "image_size": 35,
         "patch_size": 7}
LARGER = SMALL | {"hidden_size": 24}
# what the tests read by name: larger, and in float32 where nothing else is said
NAMED = ("dinov2", "dinov2_classifier", "dinov2_non_square", "dinov2_registers", "dinov2_registers_swiglu",
         "dinov2_swiglu")
SIX = labels("one", "two", "three", "four", "five", "six")


def crop_to(size, **changes):
    return {"size": {"shortest_edge": size + 5}, "crop_size": {"height": size, "width": size}, **changes}


def dino(name, shows, model_class="Dinov2Model", picture=Picture(64, 51), config=None, process=None, **rest):
    config = {**(LARGER if name in NAMED else SMALL), **SIX, **(config or {})}
    return Case(name=name, shows=shows, model_class=model_class, config=config,
                processor_class="BitImageProcessor", processor=process or crop_to(35), picture=picture,
                dtype=rest.pop("dtype", "float32" if name in NAMED else "float16"), **rest)


def registers(name, shows, model_class="Dinov2WithRegistersModel", config=None, **rest):
    return dino(name, shows, model_class, config={"num_register_tokens": 4, **(config or {})}, **rest)


UNCROPPED = {"size": {"shortest_edge": 37}, "do_center_crop": False}

PLAIN = [
    dino("dinov2", "own size, layer scale"),
    dino("dinov2_classifier", "classifier on the class token and the mean of the patches",
         "Dinov2ForImageClassification", config=labels("one", "two", "three", "four", "five")),
    dino("dinov2_swiglu", "SwiGLU", config={"use_swiglu_ffn": True}),
    dino("dinov2_swiglu_new_names", "the names of transformers 5's own modules, SwiGLU",
         config={"use_swiglu_ffn": True}, save={"save_original_format": False}),
    dino("dinov2_swiglu_classifier", "SwiGLU with a hidden width rounded up, classifier",
         "Dinov2ForImageClassification",
         config={"use_swiglu_ffn": True, "hidden_size": 30, "num_attention_heads": 3, "mlp_ratio": 3}),
    dino("dinov2_size", "positions interpolated 5x5 to 7x4", size=(49, 28)),
    dino("dinov2_non_square", "shortest edge without crop: 37x46 pixels, 5x6 patches", process=UNCROPPED),
    dino("dinov2_tall", "shortest edge without crop: a tall picture, classifier", "Dinov2ForImageClassification",
         picture=Picture(41, 97), process=UNCROPPED),
    dino("dinov2_smaller_than_config", "positions 10x10 for 5x5 patches, no antialias", config={"image_size": 70}),
    dino("dinov2_rectangular_patch", "patch_size [7, 5] on a square picture", config={"patch_size": [7, 5]}),
    dino("dinov2_no_mask_token", "use_mask_token false, q, k and v without bias, eps 1e-5",
         config={"use_mask_token": False, "qkv_bias": False, "layer_norm_eps": 1e-5}),
    dino("dinov2_longest_edge", "shortest_edge and longest_edge, no crop", picture=Picture(96, 40),
         process={"size": {"shortest_edge": 35, "longest_edge": 57}, "do_center_crop": False}),
    dino("dinov2_max_size", "max_height and max_width, no crop", picture=Picture(96, 70),
         process={"size": {"max_height": 40, "max_width": 60}, "do_center_crop": False}),
    dino("dinov2_old_files", "integer sizes mean the shortest edge here; torch_dtype, defaults left out",
         config={"patch_size": 14, "mlp_ratio": 4, "image_size": 42}, process=crop_to(42),
         edit_model_directory=directories.age),
    dino("dinov2_short_processor", "only type, size and crop size: mean and deviation are CLIP's",
         edit_model_directory=directories.keep_of_processor("image_processor_type", "size", "crop_size")),
    dino("dinov2_fp16", "weights in half precision", dtype="float16"),
]

WITH_REGISTERS = [
    registers("dinov2_registers", "own size, four registers"),
    registers("dinov2_registers_classifier", "classifier: the mean leaves the registers out",
              "Dinov2WithRegistersForImageClassification"),
    registers("dinov2_registers_size_larger", "positions interpolated 5x5 to 7x6 with antialias", size=(49, 42)),
    registers("dinov2_registers_size_smaller", "positions interpolated 5x5 to 3x2: antialias matters", size=(21, 14)),
    registers("dinov2_registers_non_square", "37x46 pixels from positions 10x10, two registers",
              config={"num_register_tokens": 2, "image_size": 70}, process=UNCROPPED),
    registers("dinov2_registers_swiglu", "SwiGLU, one register", config={"use_swiglu_ffn": True,
              "num_register_tokens": 1}),
    registers("dinov2_registers_old_files", "patch_size 16 and the number of registers left to the defaults",
              config={"patch_size": 16, "mlp_ratio": 4, "image_size": 48}, process=crop_to(48),
              edit_model_directory=directories.age),
]

CASES = PLAIN + WITH_REGISTERS
