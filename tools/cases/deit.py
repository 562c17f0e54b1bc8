"""DeiT cases: two prefix tokens, and two heads where it was distilled."""

from . import directories
from .spec import Case, Picture, labels

SMALL = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24,
         "image_size": 32, "patch_size": 8}
LARGER = SMALL | {"hidden_size": 24, "intermediate_size": 60}
# what the tests read by name: larger, and in float32 where nothing else is said
NAMED = ("deit_classifier", "deit_distilled")
RESIZE_AND_CROP = {"size": {"height": 37, "width": 37}, "crop_size": {"height": 32, "width": 32}}
SIX = labels("one", "two", "three", "four", "five", "six")


def deit(name, shows, model_class, picture=Picture(70, 58), config=None, process=None, **rest):
    config = {**(LARGER if name in NAMED else SMALL), **SIX, **(config or {})}
    return Case(name=name, shows=shows, model_class=model_class, config=config,
                processor_class="DeiTImageProcessor", processor=process or RESIZE_AND_CROP, picture=picture,
                dtype=rest.pop("dtype", "float32" if name in NAMED else "float16"), **rest)


CASES = [
    deit("deit_distilled", "teacher head: logits are the mean of two heads", "DeiTForImageClassificationWithTeacher",
         config=labels("a", "b", "c", "d", "e")),
    deit("deit_classifier", "classifier on the class token", "DeiTForImageClassification", Picture(52, 81)),
    deit("deit_pooler", "DeiTModel with pooler", "DeiTModel", Picture(64, 40, "jpeg")),
    deit("deit_no_pooler", "DeiTModel without pooler, q, k and v without bias", "DeiTModel",
         config={"qkv_bias": False}, model_arguments={"add_pooling_layer": False}),
    deit("deit_size_larger", "positions interpolated 4x4 to 5x7 behind two prefix tokens",
         "DeiTForImageClassificationWithTeacher", size=(40, 56)),
    deit("deit_size_smaller", "positions interpolated 4x4 to 2x3", "DeiTModel", size=(16, 24)),
    deit("deit_small_picture", "a picture of 20x15 pixels, enlarged and cropped with odd margins",
         "DeiTForImageClassification", Picture(20, 15)),
    deit("deit_old_files", "integer sizes, feature extractor, torch_dtype, defaults left out of config.json",
         "DeiTForImageClassificationWithTeacher", config={"patch_size": 16},
         edit_model_directory=directories.age),
    deit("deit_short_processor", "only type, size and crop size: the rest is the class's default",
         "DeiTForImageClassification",
         edit_model_directory=directories.keep_of_processor("image_processor_type", "size", "crop_size")),
]
