"""Random weights that can fail.

A case proves little when a forgotten bias is zero or an epsilon drowns in the signal. So every constant parameter is
drawn anew, the residual stream stays near SIGNAL (its variance is comparable to a LayerNorm epsilon), half of the
hidden units of a GELU sit in its negative tail (where the erf and the tanh forms differ by per cents) and BatchNorm
variances are near 1e-3.
"""

import math

import torch
from torch import nn

SIGNAL = 8e-4  # standard deviation of a token, a position, a patch
TAIL_CENTRE = -2.7  # gelu(-2.7) is -0.009, and its two forms differ by 5 % there
TAIL_GAIN = 35.0  # brings the tail units to the size of the others
BATCH_VARIANCE = 3e-3
BATCH_GAIN = 2.0  # signal over running deviation: ReLU6 clips some values at both ends

INTO_RESIDUAL = ("o_proj", "fc2", "down_proj")
FROM_NORM = ("q_proj", "k_proj", "v_proj", "fc1", "gate_proj", "up_proj", "dense", "classifier", "cls_classifier",
             "distillation_classifier")


def randomise(model, pixel_values, seed):
    """Draws every parameter and buffer of `model` from `seed`; `pixel_values` sets the scale of the first layer."""
    generator = torch.Generator().manual_seed(seed)
    pixel_scale = pixel_values.double().pow(2).mean().sqrt().item()
    with torch.no_grad():
        for name, module in sorted(model.named_modules()):
            _randomise_module(name, module, pixel_scale, generator)
        _move_units_into_gelu_tail(model)
        _calibrate_batch_norms(model, pixel_values)


def _normal_(tensor, deviation, generator):
    tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation)


def _uniform_(tensor, low, high, generator):
    tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)


def _randomise_module(name, module, pixel_scale, generator):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        _randomise_linear(name.rsplit(".", 1)[-1], module, pixel_scale, generator)
    elif isinstance(module, nn.LayerNorm):
        _uniform_(module.weight, 0.5, 1.5, generator)
        _normal_(module.bias, 0.3, generator)
    elif isinstance(module, nn.BatchNorm2d):
        _uniform_(module.weight, 0.7, 1.5, generator)
        _normal_(module.bias, 0.5, generator)
        _normal_(module.running_mean, 0.5 * math.sqrt(BATCH_VARIANCE), generator)
        _uniform_(module.running_var, 0.4 * BATCH_VARIANCE, 1.6 * BATCH_VARIANCE, generator)
        module.num_batches_tracked.fill_(7)
    else:
        for parameter_name, parameter in sorted(module.named_parameters(recurse=False)):
            if parameter_name == "lambda1":
                _uniform_(parameter, -1.7, 1.7, generator)
            else:  # class, distillation, register and mask tokens, position tables
                _normal_(parameter, SIGNAL, generator)


def _randomise_linear(role, module, pixel_scale, generator):
    fan_in = module.weight[0].numel()
    if role == "projection":
        weight, bias = SIGNAL / pixel_scale, 0.5 * SIGNAL
    elif role in INTO_RESIDUAL:
        weight, bias = 2.5 * SIGNAL, 0.8 * SIGNAL
    elif role in FROM_NORM or isinstance(module, nn.Conv2d):
        weight, bias = 1.2, 0.5
    else:
        raise ValueError(f"no rule for the weights of {role}")
    _normal_(module.weight, weight / math.sqrt(fan_in), generator)
    if module.bias is not None:
        _normal_(module.bias, bias, generator)


def _move_units_into_gelu_tail(model):
    if "gelu" not in getattr(model.config, "hidden_act", ""):
        return
    for module in model.modules():
        if hasattr(module, "fc1") and hasattr(module, "fc2"):
            tail = slice(0, module.fc1.out_features // 2)
            module.fc1.weight[tail] *= 0.2
            module.fc1.bias[tail] = TAIL_CENTRE + 0.3 * module.fc1.bias[tail]
            module.fc2.weight[:, tail] *= TAIL_GAIN


def _calibrate_batch_norms(model, pixel_values):
    """Makes what enters each BatchNorm BATCH_GAIN deviations wide, so that 50 layers neither explode nor die."""
    hooks = []
    for module in model.modules():
        if isinstance(getattr(module, "normalization", None), nn.BatchNorm2d):
            hooks.append(module.normalization.register_forward_pre_hook(_scaling_hook(module.convolution)))
    if hooks:
        model.eval()(pixel_values=pixel_values.float())
    for hook in hooks:
        hook.remove()


def _scaling_hook(convolution):
    def scale(_, inputs):
        factor = BATCH_GAIN * math.sqrt(BATCH_VARIANCE) / inputs[0].std().clamp_min(1e-12)
        convolution.weight.mul_(factor)
        return (inputs[0] * factor,)

    return scale
