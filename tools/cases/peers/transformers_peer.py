"""Writes, loads and runs a model of transformers."""

import torch
import transformers
from transformers import AutoImageProcessor
from transformers.image_utils import load_image

from .. import weights

VERSION = transformers.__version__
WITHOUT_ATTENTIONS = ("MobileNet", "Swin", "ResNet", "ConvNext")  # Swin's are those of windows
ON_TENSORS = "DINOv3ViTImageProcessor"  # the only one without a PIL backend
INTERPOLATING = ("ViT", "DeiT", "Beit", "Data2Vec", "IJepa")
HEAD_OUTPUTS = ("last_hidden_state", "pooler_output", "logits", "cls_logits", "distillation_logits")


def write(case, directory, picture_file, seed):
    pil = "" if case.processor_class == ON_TENSORS else "Pil"
    processor = getattr(transformers, case.processor_class + pil)(**case.processor)
    processor.save_pretrained(directory)
    torch.manual_seed(seed)
    model_class = getattr(transformers, case.model_class)
    model = model_class(model_class.config_class(**case.config), **case.model_arguments).eval()
    weights.randomise(model, process(case, directory, picture_file).float(), seed, case.roles)
    model.to(getattr(torch, case.dtype)).save_pretrained(directory, **case.save)


def load(case, directory):
    """What transformers makes of the directory: the model in float32."""
    model_class = getattr(transformers, case.model_class)
    return model_class.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager", **case.model_arguments
    ).eval()


def pixel_values(case, model, directory, picture_file):
    return process(case, directory, picture_file)


def process(case, directory, picture_file):
    backend = "torchvision" if case.processor_class == ON_TENSORS else "pil"
    processor = AutoImageProcessor.from_pretrained(directory, backend=backend)
    overrides = {}
    if case.size and case.processor_class == "ConvNextImageProcessor":  # has no exact size
        kept = {key: getattr(processor, key) for key in ("resample", "image_mean", "image_std", "rescale_factor")}
        processor = transformers.ViTImageProcessorPil(size=dict(zip(("height", "width"), case.size)), **kept)
    elif case.size:
        overrides = {"size": {"height": case.size[0], "width": case.size[1]}, "do_center_crop": False}
    return processor(images=load_image(str(picture_file)), return_tensors="pt", **overrides)["pixel_values"]


def run(case, model, pixel_values):
    """All outputs of the peer under the names of DESIGN section 4, in the order in which they are computed."""
    if case.model_class.endswith("Backbone"):
        return {f"feature_map_{index}": map for index, map in enumerate(model(pixel_values).feature_maps)}
    has_attention = not case.model_class.startswith(WITHOUT_ATTENTIONS)
    arguments = {"output_hidden_states": True}
    if has_attention:
        arguments["output_attentions"] = True
    if case.size and case.model_class.startswith(INTERPOLATING):
        arguments["interpolate_pos_encoding"] = True
    if case.model_class.startswith("ViTMAE"):  # every patch, in its order
        model.config.mask_ratio = 0.0
        patches = model.base_model.embeddings.patch_embeddings(pixel_values).shape[1]
        arguments["noise"] = torch.arange(patches, dtype=pixel_values.dtype)[None]
    backbone = model if case.model_class.endswith("Model") else model.base_model
    backbone = backbone(pixel_values=pixel_values, **arguments)
    head = {} if case.backbone_only else model(pixel_values=pixel_values, **arguments)
    outputs = {f"hidden_state_{index}": state for index, state in enumerate(backbone.hidden_states)}
    if has_attention:
        outputs["attentions_last"] = backbone.attentions[-1]
    for source in (backbone, head):
        outputs |= {name: source[name] for name in HEAD_OUTPUTS if source.get(name) is not None}
    return outputs


def required(case, names):
    """The names of `names` that the peer's own output object has; a classifier's does not have its backbone's."""
    backbone_only_names = ("last_hidden_state", "pooler_output")
    return [name for name in names if not (case.task == "classify" and name in backbone_only_names)]


def interpolates(case, model, pixel_values):
    """Whether the positions are resampled, always by torch's interpolate."""
    embeddings = getattr(model.base_model, "embeddings", None)
    always = case.model_class.startswith("Dinov2")
    if getattr(embeddings, "position_embeddings", None) is None or not (case.size or always):
        return False
    height, width = pixel_values.shape[-2:]
    projection = embeddings.patch_embeddings.projection
    patches = (height // projection.kernel_size[0]) * (width // projection.kernel_size[1])
    return height != width or patches != embeddings.patch_embeddings.num_patches
