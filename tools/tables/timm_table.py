"""timm's architectures: what the entry points pass to the classes that nunchi reads, and the tags of their weights."""

import contextlib
import dataclasses
import sys
from unittest import mock

import torch

from .describe import CONVENTIONS, describe

CLASSES = ("VisionTransformer", "VisionTransformerDistilled", "Beit", "Eva", "SwinTransformer", "SwinTransformerV2",
           "ResNet", "ConvNeXt", "MobileNetV2")
TAG_FIELDS = ("num_classes", "input_size", "test_input_size", "fixed_input_size", "interpolation", "crop_pct",
              "test_crop_pct", "crop_mode", "mean", "std")
ABOUT_TAGS = (
    " tags: what differs from num_classes 1000, input_size [3,224,224], fixed_input_size false, interpolation bicubic, "
    "crop_pct 0.875, crop_mode center and the mean and std of ImageNet; \"weights\": false where nothing is published; "
    "the tag \"\" is a name without tag. num_classes, in_chans and, where fixed_input_size holds, img_size follow from "
    "the tag unless given. class MobileNetV2 is timm's EfficientNet with the arguments of its MobileNetV2 generator. "
    "others: [class, tags with weights...]. deprecated: old name -> name.tag."
)
BUILDER_ONLY = ("feature_cfg", "pretrained_filter_fn", "pretrained_strict")


class Captured(Exception):
    """Carries (class name, arguments) out of an entry point."""


def table(timm):
    registry = sys.modules["timm.models._registry"]
    architectures, others = {}, {}
    with captured_builders():
        for name in timm.list_models():
            class_name, arguments = capture(registry.model_entrypoint(name), name)
            tags = tags_of(registry, name)
            if class_name in CLASSES:
                default = registry._model_default_cfgs[name].tags[0]
                kept = {key: describe(value) for key, value in arguments.items() if key not in BUILDER_ONLY}
                architectures[name] = {"class": class_name, "args": kept, "tags": tags, "default_tag": default}
            else:
                others[name] = [class_name, *(tag for tag, fields in tags.items() if fields.get("weights", True))]
    deprecated = {old: new for old, new in sorted(registry.get_deprecated_models().items())
                  if new and new.split(".")[0] in architectures}
    content = {"version": timm.__version__, "conventions": CONVENTIONS + ABOUT_TAGS, "architectures": architectures,
               "others": others, "deprecated": deprecated}
    check_listing(timm, content)
    return content


def capture(entry_point, name):
    try:
        entry_point()
    except Captured as captured:
        return captured.args
    raise RuntimeError(f"{name} is not built by timm's builder")


@contextlib.contextmanager
def captured_builders():
    with contextlib.ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.startswith("timm.models.") and hasattr(module, "build_model_with_cfg"):
                keep = capturing_builder(module.build_model_with_cfg)
                stack.enter_context(mock.patch.object(module, "build_model_with_cfg", keep))
        efficientnet = sys.modules["timm.models.efficientnet"]
        stack.enter_context(mock.patch.object(efficientnet, "_gen_mobilenet_v2", capture_mobilenet_v2))
        yield


def capturing_builder(build):
    def keep(model_class, variant, pretrained, **arguments):
        if arguments.get("features_only"):  # the convolutional part of a hybrid
            with torch.device("meta"):
                return build(model_class, variant, pretrained, **arguments)
        raise Captured(model_class.__name__, arguments)

    return keep


def capture_mobilenet_v2(variant, channel_multiplier, pretrained=False, **arguments):
    raise Captured("MobileNetV2", {"channel_multiplier": channel_multiplier, **arguments})


def tags_of(registry, name):
    default_cfg = registry._model_default_cfgs.get(name)
    if default_cfg is None:
        return {}
    return {tag: fields_of(cfg) for tag, cfg in default_cfg.cfgs.items()}


def fields_of(cfg):
    fields = {} if cfg.has_weights else {"weights": False}
    for field in dataclasses.fields(cfg):
        value = getattr(cfg, field.name)
        if field.name in TAG_FIELDS and value != field.default:
            fields[field.name] = describe(value)
    return fields


def check_listing(timm, content):
    """Both maps together give timm's own list of pretrained models."""
    names = []
    for name, row in content["architectures"].items():
        names += [f"{name}.{tag}".rstrip(".") for tag, fields in row["tags"].items() if fields.get("weights", True)]
    for name, (_, *tags) in content["others"].items():
        names += [f"{name}.{tag}".rstrip(".") for tag in tags]
    if sorted(names) != sorted(timm.list_models(pretrained=True)):
        raise RuntimeError("the table's pretrained models are not timm's")
