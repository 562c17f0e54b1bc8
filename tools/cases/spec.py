"""What one parity case is made of; the modules beside this one list the cases of one family each."""

from dataclasses import dataclass, field
from typing import Any, Callable


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    kind: str = "png"  # see pictures.save_picture


@dataclass(frozen=True)
class Case:
    name: str
    shows: str  # one line for the table in the README of the cases
    model_class: str
    config: dict[str, Any]
    processor_class: str
    processor: dict[str, Any]
    picture: Picture
    model_arguments: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] | None = None  # (height, width): overrides the processor and interpolates positions
    save: dict[str, Any] = field(default_factory=dict)  # arguments of save_pretrained
    dtype: str = "float32"  # of the saved weights; the expected values are always computed in float32
    edit_model_directory: Callable | None = None  # called with the written directory: makes older or newer layouts
    backbone_only: bool = False  # expect the backbone's outputs although the file holds another head
    rtol: float = 1e-4
    draw: int = 0  # another draw of the weights, where --check found the first one too tame

    @property
    def task(self):
        return "classify" if "ImageClassification" in self.model_class else "embed"


def labels(*names):
    """id2label and label2id of a configuration."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}
