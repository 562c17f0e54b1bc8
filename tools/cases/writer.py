"""Writes a case folder: the model directory as the peer writes it, the picture, the peer's outputs and case.json."""

import json
import shutil
import zlib

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoImageProcessor
from transformers.image_utils import load_image

from . import pictures, weights

CONTRACT = ("pixel_values", "logits", "cls_logits", "distillation_logits", "last_hidden_state", "pooler_output",
            "hidden_state_1", "attentions_last")


def write_case(case, folder):
    """Writes `case` into `folder`, replacing what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "model").mkdir(parents=True)
    seed = zlib.crc32(case.name.encode()) + case.draw
    picture_file = pictures.save_picture(
        folder / "input", case.picture.kind, case.picture.width, case.picture.height, seed
    )
    write_processor(case, folder / "model")
    write_model(case, folder, picture_file, seed)
    if case.edit_model_directory:
        case.edit_model_directory(folder / "model")
    model, pixel_values = load_case(case, folder)
    outputs = run_peer(case, model, pixel_values)
    save_file({name: tensor.float().contiguous() for name, tensor in outputs.items()}, folder / "expected.safetensors")
    write_description(case, folder, picture_file, outputs)


def write_processor(case, directory):
    processor = getattr(transformers, f"{case.processor_class}Pil")(**case.processor)
    processor.save_pretrained(directory)


def write_model(case, folder, picture_file, seed):
    torch.manual_seed(seed)
    model_class = getattr(transformers, case.model_class)
    model = model_class(model_class.config_class(**case.config), **case.model_arguments).eval()
    processor = AutoImageProcessor.from_pretrained(folder / "model", backend="pil")
    weights.randomise(model, process(case, processor, picture_file).float(), seed)
    model.to(getattr(torch, case.dtype)).save_pretrained(folder / "model", **case.save)


def load_case(case, folder):
    """What the peer makes of the folder's own files: the model in float32 and the pixel values."""
    model_class = getattr(transformers, case.model_class)
    model = model_class.from_pretrained(
        folder / "model", dtype=torch.float32, attn_implementation="eager", **case.model_arguments
    ).eval()
    processor = AutoImageProcessor.from_pretrained(folder / "model", backend="pil")
    return model, process(case, processor, next(folder.glob("input.*")))


def process(case, processor, picture_file):
    overrides = {}
    if case.size:
        overrides = {"size": {"height": case.size[0], "width": case.size[1]}, "do_center_crop": False}
    return processor(images=load_image(str(picture_file)), return_tensors="pt", **overrides)["pixel_values"]


def run_peer(case, model, pixel_values):
    """All outputs of the peer under the names of DESIGN section 4, in the order in which they are computed."""
    has_attention = not case.model_class.startswith("MobileNet")
    arguments = {"output_hidden_states": True}
    if has_attention:
        arguments["output_attentions"] = True
    if case.size and case.model_class.startswith(("ViT", "DeiT")):
        arguments["interpolate_pos_encoding"] = True
    with torch.no_grad():
        backbone = model.base_model(pixel_values=pixel_values, **arguments)
        head = {} if case.backbone_only else model(pixel_values=pixel_values, **arguments)
    outputs = {"pixel_values": pixel_values}
    for index, hidden_state in enumerate(backbone.hidden_states):
        outputs[f"hidden_state_{index}"] = hidden_state
    if has_attention:
        outputs["attentions_last"] = backbone.attentions[-1]
    for source in (backbone, head):
        for name in ("last_hidden_state", "pooler_output", "logits", "cls_logits", "distillation_logits"):
            if source.get(name) is not None:
                outputs[name] = source[name]
    return {name: tensor.detach().clone() for name, tensor in outputs.items()}


def required_names(case, outputs):
    """The contract's names that the peer's own output object has; a classifier's does not have its backbone's."""
    backbone_only_names = ("last_hidden_state", "pooler_output")
    return [name for name in CONTRACT
            if name in outputs and not (case.task == "classify" and name in backbone_only_names)]


def write_description(case, folder, picture_file, outputs):
    description = {
        "name": case.name,
        "peer": "transformers",
        "peer_version": transformers.__version__,
        "arch": case.model_class,
        "task": case.task,
        "input": picture_file.name,
        "texts": [],
        "size": list(case.size) if case.size else None,
        "required": required_names(case, outputs),
        "atol": 1e-7,
        "rtol": case.rtol,
        "shows": case.shows,
    }
    (folder / "case.json").write_text(json.dumps(description, indent=2) + "\n")
