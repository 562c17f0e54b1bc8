"""Imports torchvision beside a torch that cannot load its compiled operators.

The wheel of PyPI is built for CUDA; beside a CPU torch its library does not load, and the import stops at two operators
that only detection uses. Declaring them is enough for the models and the transforms. The wheel, unpacked, is found on
PYTHONPATH; nothing needs to be installed.
"""

import importlib.util

import torch

_declarations = []  # a declaration lives as long as its library object


def import_torchvision():
    """torchvision itself, or a message that says how to give it."""
    if importlib.util.find_spec("torchvision") is None:
        raise SystemExit("torchvision is missing: unpack its wheel (pip download --no-deps torchvision==0.28.0) into a "
                         "folder and put that folder on PYTHONPATH")
    if not _declarations:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declarations.append(library)
    import torchvision

    return torchvision
