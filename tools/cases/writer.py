"""Writes a case folder: the model directory as the peer writes it, the picture, the peer's outputs and case.json."""

import importlib
import json
import shutil
import zlib

import torch
from safetensors.torch import save_file

from . import pictures
from .draws import DRAWS

CONTRACT = ("pixel_values", "logits", "cls_logits", "distillation_logits", "last_hidden_state", "pooler_output",
            "hidden_state_1", "attentions_last", "feature_map_0", "feature_map_1", "feature_map_2")


def peer_of(case):
    return importlib.import_module(f".peers.{case.peer}_peer", __package__)


def write_case(case, folder):
    """Writes `case` into `folder`, replacing what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "model").mkdir(parents=True)
    seed = zlib.crc32(case.name.encode()) + DRAWS.get(case.name, 0)
    picture_file = pictures.save_picture(
        folder / "input", case.picture.kind, case.picture.width, case.picture.height, seed
    )
    peer_of(case).write(case, folder / "model", picture_file, seed)
    if case.edit_model_directory:
        case.edit_model_directory(folder / "model")
    model, pixel_values = load_case(case, folder)
    outputs = run_peer(case, model, pixel_values)
    save_file({name: tensor.float().contiguous() for name, tensor in outputs.items()}, folder / "expected.safetensors")
    write_description(case, folder, picture_file, outputs)


def load_case(case, folder):
    """What the peer makes of the folder's own files: the model in float32 and the pixel values."""
    model = peer_of(case).load(case, folder / "model")
    return model, peer_of(case).pixel_values(case, model, folder / "model", next(folder.glob("input.*")))


def run_peer(case, model, pixel_values):
    """All outputs of the peer, pixel values first."""
    with torch.no_grad():
        outputs = {"pixel_values": pixel_values, **peer_of(case).run(case, model, pixel_values)}
    return {name: tensor.detach().clone() for name, tensor in outputs.items() if is_kept(case, name)}


def is_kept(case, name):
    return not case.brief or not name.startswith(("hidden_state", "last_hidden_state"))


def write_description(case, folder, picture_file, outputs):
    peer = peer_of(case)
    description = {
        "name": case.name,
        "peer": case.peer,
        "peer_version": peer.VERSION,
        "arch": case.arch,
        "task": case.task,
        "input": picture_file.name,
        "texts": [],
        "size": list(case.size) if case.size else None,
        "required": peer.required(case, [name for name in CONTRACT if name in outputs]),
        "atol": 1e-7,
        "rtol": case.rtol,
        "shows": case.shows,
    }
    (folder / "case.json").write_text(json.dumps(description, indent=2) + "\n")
