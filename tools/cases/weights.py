"""Random weights that can fail.

A case proves little when a forgotten bias is zero or an epsilon drowns in the signal. So every constant parameter is
drawn anew, the residual stream stays near SIGNAL (its variance is comparable to a LayerNorm epsilon), half of the
hidden units of a GELU sit in its negative tail (where the erf and the tanh forms differ by per cents) and BatchNorm
variances are near 1e-3. What a layer is to the stream, its role, follows from its name by the rules in roles.py.
"""

import math

import torch
from torch import nn

from .layers import hidden_layers, is_gelu, is_norm
from .roles import role_of

SIGNAL = 8e-4  # standard deviation of a token, a position, a patch
TAIL_CENTRE = -2.7  # gelu(-2.7) is -0.009, and its two forms differ by 5 % there
TAIL_GAIN = 35.0  # brings the tail units to the size of the others
BATCH_VARIANCE = 3e-3
BATCH_GAIN = 2.0  # signal over running deviation: ReLU6 clips some values at both ends

LINEAR_SCALES = {  # deviations of the output that the weight and the bias make
    "patches": (SIGNAL, 0.5 * SIGNAL),
    "into_stream": (2.5 * SIGNAL, 0.8 * SIGNAL),
    "from_norm": (1.2, 0.5),
    "sharp": (4.0, 0.5),
    "from_stream": (1.2 / SIGNAL, 0.5),
    "from_normed_stream": (0.24 / SIGNAL, 0.5),
    "within_stream": (1.0, 0.5 * SIGNAL),
    "stem": (1.0, 0.5 * SIGNAL),
}
LOGIT_SCALES = {"logit_scale": (0.5, 3.5), "large_logit_scale": (4.2, 6.0)}  # clamped at log(100)


def randomise(model, pixel_values, seed, first_roles):
    """Draws every parameter and buffer of `model` from `seed`; `pixel_values` sets the scale of the first layer."""
    generator = torch.Generator().manual_seed(seed)
    pixel_scale = pixel_values.double().pow(2).mean().sqrt().item()
    with torch.no_grad():
        for name, module in sorted(model.named_modules()):
            _randomise_module(name, module, pixel_scale, first_roles, generator)
        _move_units_into_gelu_tail(model)
        _shrink_what_enters_inner_norms(model)
        calibrate_batch_norms(model, pixel_values)


def _normal_(tensor, deviation, generator):
    tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation)


def _uniform_(tensor, low, high, generator):
    tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)


def _randomise_module(name, module, pixel_scale, first_roles, generator):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        role = role_of(name, first_roles) or ("from_norm" if isinstance(module, nn.Conv2d) else None)
        if role is None:
            raise ValueError(f"no rule for the weights of {name}")
        _randomise_linear(role, module, pixel_scale, generator)
    elif isinstance(module, nn.BatchNorm2d):
        _uniform_(module.weight, 0.7, 1.5, generator)
        _normal_(module.bias, 0.5, generator)
        _normal_(module.running_mean, 0.5 * math.sqrt(BATCH_VARIANCE), generator)
        _uniform_(module.running_var, 0.4 * BATCH_VARIANCE, 1.6 * BATCH_VARIANCE, generator)
        module.num_batches_tracked.fill_(7)
    elif is_norm(module):
        makes_stream = role_of(name, first_roles) in ("norm_of_stream", "stem")
        scale = 10 * SIGNAL if makes_stream else 1.0  # its input drowns in eps
        _uniform_(module.weight, 0.5 * scale, 1.5 * scale, generator)
        if getattr(module, "bias", None) is not None:
            _normal_(module.bias, 0.3 if scale == 1.0 else SIGNAL, generator)
    else:
        for parameter_name, parameter in sorted(module.named_parameters(recurse=False)):
            role = role_of(f"{name}.{parameter_name}", first_roles)
            if role == "layer_scale":
                _uniform_(parameter, -1.7, 1.7, generator)
            elif role in LOGIT_SCALES:
                _uniform_(parameter, *LOGIT_SCALES[role], generator)
            elif role == "from_norm":
                _normal_(parameter, LINEAR_SCALES[role][0] / math.sqrt(parameter[0].numel()), generator)
            else:  # class, distillation, register and mask tokens, position tables
                _normal_(parameter, {"unit": 1.0, "bias": 0.5}.get(role, SIGNAL), generator)


def _randomise_linear(role, module, pixel_scale, generator):
    weight, bias = LINEAR_SCALES[role]
    if role == "patches":
        weight /= pixel_scale
    _normal_(module.weight, weight / math.sqrt(module.weight[0].numel()), generator)
    if module.bias is not None:
        _normal_(module.bias, bias, generator)


def _move_units_into_gelu_tail(model):
    for name, first, activation, second in hidden_layers(model):
        inner_norm = is_norm(getattr(model.get_submodule(name), "norm", None))
        if first.bias is None or inner_norm or not is_gelu(activation):
            continue
        tail = slice(0, first.weight.shape[0] // 2)
        first.weight[tail] *= 0.2
        first.bias[tail] = TAIL_CENTRE + 0.3 * first.bias[tail]
        second.weight[:, tail] *= TAIL_GAIN
        response = getattr(model.get_submodule(name), "grn", None)
        if response is not None:
            response.bias[..., tail] /= TAIL_GAIN


def _shrink_what_enters_inner_norms(model):
    """Norms of queries, keys, values and hidden units get an input of the size of the stream, too."""
    for module in model.modules():
        dim = getattr(getattr(module, "proj", None), "in_features", 0)
        if is_norm(getattr(module, "q_norm", nn.Identity())):
            _shrink(module, "qkv", slice(0, 2 * dim))
            _shrink(module, "q_proj")
            _shrink(module, "k_proj")
            _shrink(module, "q")
            _shrink(module, "kv", slice(0, dim))
        if is_norm(getattr(module, "norm", nn.Identity())):
            _shrink(module, "qkv", slice(2 * dim, 3 * dim))
            _shrink(module, "v_proj")
            if getattr(module, "v_bias", None) is not None:
                module.v_bias *= SIGNAL
            if hasattr(module, "fc2"):
                _shrink(module, "fc1_x" if hasattr(module, "fc1_x") else "fc1")


def _shrink(module, part, rows=slice(None)):
    linear = getattr(module, part, None)
    if isinstance(linear, (nn.Linear, nn.Conv2d)):
        linear.weight[rows] *= SIGNAL
        if linear.bias is not None:
            linear.bias[rows] *= SIGNAL


@torch.no_grad()
def calibrate_batch_norms(model, pixel_values):
    """Makes what enters each BatchNorm BATCH_GAIN deviations wide, so that 50 layers neither explode nor die."""
    latest = []  # the convolution that ran last: the one in front of the BatchNorm that runs next
    hooks = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(lambda convolution, *_: latest.append(convolution)))
        if isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(lambda _, inputs: _scale(latest[-1], inputs)))
    if any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        model.eval()(pixel_values.float())
    for hook in hooks:
        hook.remove()


def _scale(convolution, inputs):
    factor = BATCH_GAIN * math.sqrt(BATCH_VARIANCE) / inputs[0].std().clamp_min(1e-12)
    convolution.weight.mul_(factor)
    return (inputs[0] * factor,)
