"""torchvision's classifiers: what the entry points pass to the classes that nunchi reads, and presets of weights."""

import contextlib
import inspect
import re
from unittest import mock

from .describe import CONVENTIONS, describe

READ = re.compile(r"vit_|swin_|resnet\d|wide_resnet|resnext|convnext_|mobilenet_v2")
CLASSES = {"vision_transformer": "VisionTransformer", "swin_transformer": "SwinTransformer", "resnet": "ResNet",
           "convnext": "ConvNeXt", "mobilenetv2": "MobileNetV2"}
ABOUT_WEIGHTS = (
    " weights: the picture preset that comes with each published state dict (resize of the short side, centre crop, "
    "antialiased); default_weights: the first published. A ConvNeXt block_setting is [in, out (null at the end), "
    "layers]."
)


class Captured(Exception):
    """Carries (class name, arguments) out of an entry point."""


def table(torchvision):
    models = torchvision.models
    architectures, others = {}, {}
    for name in models.list_models(module=models):
        if READ.match(name):
            architectures[name] = architecture(models, name)
        else:
            others[name] = inspect.signature(models.get_model_builder(name)).return_annotation.__name__
    return {"version": torchvision.__version__.split("+")[0], "conventions": CONVENTIONS + ABOUT_WEIGHTS,
            "architectures": architectures, "others": others}


def architecture(models, name):
    with contextlib.ExitStack() as stack:
        for module_name, class_name in CLASSES.items():
            module = getattr(models, module_name)
            stack.enter_context(mock.patch.object(module, class_name, keeper(getattr(module, class_name))))
        try:
            models.get_model_builder(name)()
        except Captured as captured:
            class_name, arguments = captured.args
    weights = models.get_model_weights(name)
    return {"class": class_name, "args": arguments, "weights": {entry.name: preset(entry) for entry in weights},
            "default_weights": next(iter(weights)).name}


def keeper(model_class):
    def keep(*positional, **named):
        bound = inspect.signature(model_class).bind(*positional, **named)
        raise Captured(model_class.__name__, {key: describe_argument(key, value)
                                              for key, value in flattened(bound.arguments).items()})

    return keep


def flattened(arguments):
    return {key: value for key, value in arguments.items() if key != "kwargs"} | arguments.get("kwargs", {})


def describe_argument(key, value):
    if key == "block_setting":
        return [[entry.input_channels, entry.out_channels, entry.num_layers] for entry in value]
    return describe(value)


def preset(entry):
    transform = entry.transforms()
    return {"resize_size": transform.resize_size[0], "crop_size": transform.crop_size[0],
            "interpolation": transform.interpolation.value, "mean": transform.mean, "std": transform.std}
