"""Large weights as overlapping views of small storages, so that a full-size architecture makes a small file.

A pickled state dict keeps a tensor's strides and saves its storage once. Weight [a, b] of a matrix is element 3a + b of
its storage; other weights stay as they are.
"""

import torch
from torch import nn

ROW, COLUMN = 3, 1


def strides_of(weight):
    """The strides of the view, None where it would not be smaller."""
    rows, columns = weight.shape[0], weight[0].numel()
    if length_of(weight) * 2 > rows * columns:
        return None
    strides, step = [], COLUMN
    for size in reversed(weight.shape[1:]):
        strides.insert(0, step)
        step *= size
    return (ROW, *strides)


def length_of(weight):
    return ROW * (weight.shape[0] - 1) + COLUMN * (weight[0].numel() - 1) + 1


def structure(model):
    """Gives the large weights of `model` values that such views can hold, as wide as they were."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)) and strides_of(module.weight):
                storage = module.weight.std() * torch.randn(length_of(module.weight), generator=generator)
                module.weight.copy_(storage.as_strided(module.weight.shape, strides_of(module.weight)))


def as_views(model):
    """The state dict of a model that went through structure()."""
    state = model.state_dict()
    large = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, (nn.Linear, nn.Conv2d))}
    for name in large:
        weight, strides = state[name], strides_of(state[name])
        if strides:
            storage = torch.zeros(length_of(weight), dtype=weight.dtype)
            places = torch.arange(len(storage)).as_strided(weight.shape, strides)
            storage[places.flatten()] = weight.flatten()
            state[name] = storage.as_strided(weight.shape, strides)
    return state
