"""Edits of a written model directory: layouts that other versions of transformers wrote."""

import json

import transformers


def _read(path):
    return json.loads(path.read_text())


def _write(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n")


def nest_processor(directory):
    """processor_config.json with the picture part nested, and no preprocessor_config.json."""
    flat = directory / "preprocessor_config.json"
    _write(directory / "processor_config.json", {"image_processor": _read(flat), "processor_class": "Processor"})
    flat.unlink()


def nest_processor_beside_a_wrong_flat_one(directory):
    """Both files: the nested one counts."""
    flat = directory / "preprocessor_config.json"
    nest_processor(directory)
    right = _read(directory / "processor_config.json")["image_processor"]
    _write(flat, right | {"image_mean": [0.1, 0.2, 0.3], "resample": 0})


def keep_of_processor(*keys):
    """Leaves the other keys to the defaults of the processor's class."""

    def edit(directory):
        path = directory / "preprocessor_config.json"
        _write(path, {key: value for key, value in _read(path).items() if key in keys})

    return edit


def age_processor(directory):
    """As files of 2021 and 2022 look: a feature extractor's name, integer sizes, no rescale keys."""
    path = directory / "preprocessor_config.json"
    content = _read(path)
    for key in ("do_rescale", "rescale_factor", "do_convert_rgb", "do_reduce_labels"):
        content.pop(key, None)
    processor_type = content.pop("image_processor_type")
    content["feature_extractor_type"] = processor_type.replace("ImageProcessor", "FeatureExtractor")
    for key in ("size", "crop_size"):
        if key in content:
            content[key] = next(iter(content[key].values()))
    _write(path, content)


def age_config(directory):
    """As older files look: `torch_dtype` for `dtype`, and no value that equals the default of its class."""
    path = directory / "config.json"
    content = _read(path)
    defaults = transformers.AutoConfig.for_model(content["model_type"]).to_dict()
    always = ("model_type", "architectures", "transformers_version")
    content = {key: value for key, value in content.items()
               if key in always or key not in defaults or value != defaults[key]}
    content["torch_dtype"] = content.pop("dtype", "float32")
    _write(path, content)


def age(directory):
    age_config(directory)
    age_processor(directory)


def flatten(directory):
    """config.json as timm 0.x wrote it: the fields of pretrained_cfg beside the architecture, `labels`."""
    path = directory / "config.json"
    content = _read(path)
    flat = {"architecture": content["architecture"], "num_features": content["num_features"]}
    flat |= content["pretrained_cfg"] | {"labels": content["label_names"]}
    _write(path, flat)


def keep_model_args(*keys):
    """Leaves the other model_args to the architecture and to pretrained_cfg."""

    def edit(directory):
        path = directory / "config.json"
        content = _read(path)
        content["model_args"] = {key: content["model_args"][key] for key in keys}
        _write(path, content)

    return edit
