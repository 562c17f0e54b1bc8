"""ResNet cases of transformers."""

from . import directories
from .spec import Case, Picture, labels

THIN = {"embedding_size": 8, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]}
SIX = labels("one", "two", "three", "four", "five", "six")


def resnet(name, shows, model_class="ResNetForImageClassification", config=None, edge=40, dtype="float16", **rest):
    return Case(name=name, shows=shows, model_class=model_class, config={**THIN, **SIX, **(config or {})},
                picture=Picture(33, 27, "png_grain"), processor_class="ConvNextImageProcessor",
                processor={"size": {"shortest_edge": edge}, "crop_pct": 0.875}, dtype=dtype, **rest)


CASES = [
    resnet("resnet_bottleneck", "bottleneck blocks, the stride in their 3x3", dtype="float32"),
    resnet("resnet_basic", "basic blocks", config={"layer_type": "basic"}),
    resnet("resnet_model", "ResNetModel: its pooler gives a map of one pixel", "ResNetModel"),
    resnet("resnet_stride_in_1x1", "downsample_in_bottleneck", config={"downsample_in_bottleneck": True}),
    resnet("resnet_early_stride", "downsample_in_first_stage, basic blocks without a first shortcut",
           config={"downsample_in_first_stage": True, "layer_type": "basic"}),
    resnet("resnet_size", "35x58 pixels", size=(35, 58)),
    resnet("resnet_old_files", "integer size, feature extractor, torch_dtype, defaults left out of config.json",
           edit_model_directory=directories.age),
]
