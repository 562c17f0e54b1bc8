"""ConvNeXt cases, first and second version, of transformers."""

from . import directories
from .spec import Case, Picture, labels

THIN = {"hidden_sizes": [6, 8, 12, 16], "depths": [1, 1, 2, 1], "layer_scale_init_value": 0.1}
SIX = labels("one", "two", "three", "four", "five", "six")


def convnext(name, shows, model_class="ConvNextForImageClassification", config=None, edge=40, dtype="float16", **rest):
    return Case(name=name, shows=shows, model_class=model_class, config={**THIN, **SIX, **(config or {})},
                picture=Picture(33, 27, "png_grain"), processor_class="ConvNextImageProcessor",
                processor={"size": {"shortest_edge": edge}, "crop_pct": 0.875}, dtype=dtype, **rest)


V2 = "ConvNextV2ForImageClassification"

CASES = [
    convnext("convnext", "layer scale, odd maps; the processor enlarges by its crop_pct", dtype="float32"),
    convnext("convnext_model", "ConvNextModel, eps 1e-12 in its last norm only", "ConvNextModel"),
    convnext("convnext_eps", "layer_norm_eps 1e-6 in the last norm", "ConvNextModel", {"layer_norm_eps": 1e-6}),
    convnext("convnext_no_layer_scale", "layer_scale_init_value 0: none", config={"layer_scale_init_value": 0.0}),
    convnext("convnext_patch_2", "patch_size 2", config={"patch_size": 2}, edge=24),
    convnext("convnext_size", "35x58 pixels: the rest of a patch is left over", size=(35, 58)),
    convnext("convnext_old_files", "integer size, feature extractor, torch_dtype, defaults left out of config.json",
             edit_model_directory=directories.age),
    convnext("convnextv2", "global response normalisation, no layer scale", V2),
    convnext("convnextv2_model", "ConvNextV2Model", "ConvNextV2Model", dtype="float32"),
    convnext("convnextv2_size", "35x58 pixels", V2, size=(35, 58)),
]
