"""Finds the parts of any peer's model that the draws and the checks treat alike."""

from torch import nn


def is_norm(module):
    """LayerNorm and RMSNorm of any peer."""
    kind = type(module).__name__.lower()
    named = "norm" in kind and "response" not in kind and not isinstance(module, nn.BatchNorm2d)
    return named and hasattr(module, "eps") and getattr(module, "weight", None) is not None


def is_gelu(module):
    return isinstance(module, nn.Module) and "gelu" in type(module).__name__.lower()


def hidden_layers(model):
    """(name, layer into the hidden units, their activation, layer out of them) of each MLP."""
    for name, module in model.named_modules():
        if hasattr(module, "fc1") and hasattr(module, "fc2"):
            yield name, module.fc1, getattr(module, "act", None) or getattr(module, "activation_fn", None), module.fc2
        elif hasattr(module, "pwconv1"):
            yield name, module.pwconv1, module.act, module.pwconv2
        elif hasattr(getattr(module, "intermediate", None), "dense") and hasattr(module, "output"):
            yield name, module.intermediate.dense, module.intermediate.intermediate_act_fn, module.output.dense
        elif isinstance(module, nn.Sequential):
            yield from _in_sequence(name, [part for part in module if not isinstance(part, nn.Dropout)])


def _in_sequence(name, parts):
    for first, activation, second in zip(parts, parts[1:], parts[2:]):
        if is_gelu(activation) and isinstance(first, nn.Linear) and isinstance(second, nn.Linear):
            yield name, first, activation, second
