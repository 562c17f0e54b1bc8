"""A bare state dict on disk."""

import torch
from safetensors.torch import load_file, save_file

from ..layouts import LAYOUTS


def save(case, model, directory):
    """Writes the state of `model` as the case wants it: dtype, nesting, format."""
    dtype = getattr(torch, case.dtype)
    state = model.state_dict()
    for name, tensor in state.items():  # in place: the OrderedDict of a module carries metadata, as published files do
        state[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
    if case.weights.endswith(".safetensors"):
        save_file(dict(state), directory / case.weights)
    else:
        torch.save(LAYOUTS[case.layout][0](state), directory / case.weights)


def load(case, directory):
    """The tensors of the file as they are stored, without the nesting."""
    if case.weights.endswith(".safetensors"):
        return load_file(directory / case.weights)
    return LAYOUTS[case.layout][1](torch.load(directory / case.weights, weights_only=True))
