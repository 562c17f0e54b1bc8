"""What one parity case is made of; the modules beside this one list the cases of one family each."""

from dataclasses import dataclass, field
from typing import Any, Callable


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    kind: str = "png"  # see pictures.save_picture


@dataclass(frozen=True, kw_only=True)
class CommonCase:
    name: str
    shows: str  # one line for the table in the README of the cases
    picture: Picture
    size: tuple[int, int] | None = None  # (height, width): overrides the processor and interpolates positions
    dtype: str = "float32"  # of the saved weights; the expected values are always computed in float32
    edit_model_directory: Callable | None = None  # called with the written directory: makes older or newer layouts
    roles: dict[str, str] = field(default_factory=dict)  # rules that come before those of roles.py
    unseen: tuple[str, ...] = ()  # breaks that no weights can show, by the start of their name
    brief: bool = False  # expects no map: they would be large
    rtol: float = 1e-4


@dataclass(frozen=True, kw_only=True)
class Case(CommonCase):
    """A model of transformers."""

    model_class: str
    config: dict[str, Any]
    processor_class: str
    processor: dict[str, Any]
    model_arguments: dict[str, Any] = field(default_factory=dict)
    save: dict[str, Any] = field(default_factory=dict)  # arguments of save_pretrained
    backbone_only: bool = False  # expect the backbone's outputs although the file holds another head

    peer = "transformers"

    @property
    def arch(self):
        return self.model_class

    @property
    def task(self):
        return "classify" if "ImageClassification" in self.model_class else "embed"


@dataclass(frozen=True, kw_only=True)
class TimmCase(CommonCase):
    """A model of timm, in the directory that timm writes for the hub."""

    arch: str
    arguments: dict[str, Any]  # of create_model
    cfg: dict[str, Any]  # what differs from the pretrained_cfg of the architecture
    model_config: dict[str, Any] = field(default_factory=dict)  # what save_for_hf adds to config.json
    weights: str = "model.safetensors"  # or pytorch_model.bin, "views" (see strided.py), or the size of a shard
    load: dict[str, Any] = field(default_factory=dict)  # arguments of create_model when the directory is read

    peer = "timm"

    @property
    def task(self):
        return "embed" if self.arguments.get("num_classes") == 0 else "classify"


@dataclass(frozen=True, kw_only=True)
class TorchCase(CommonCase):
    """A bare state dict as its publisher saved it; the architecture's name is all that is known beside it."""

    peer: str  # torchvision, or the name of another module of peers/
    arch: str  # what --arch is given
    arguments: dict[str, Any]  # of the class
    weights: str = "model.pth"  # or model.safetensors
    layout: str = "plain"  # see layouts.py
    task: str = "classify"


def labels(*names):
    """id2label and label2id of a configuration."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}
