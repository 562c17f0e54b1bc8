"""Layer-wise relevance as lxt and zennit hand it back, over a peer's network whose batch norms are folded.

lxt (efficient): norms, activations, gates and attention weights by its conservative rules, as gradient times input.
zennit: the generalised gamma rule of linear layers and convolutions, which lxt brings to that form.
"""

import copy
import sys
import types
from contextlib import contextmanager

import torch

# lxt's maps of language models, which it imports first, look for what newer versions of transformers have no more.
sys.modules["lxt.efficient.models"] = types.SimpleNamespace(get_default_map=None)

from lxt.efficient import monkey_patch_zennit, zennit_patches
from lxt.efficient.patches import layer_norm_forward, non_linear_forward
from torch.nn.utils.fusion import fuse_conv_bn_eval
from zennit.composites import LayerMapComposite
from zennit.rules import Gamma

LINEAR_GAMMA, CONV_GAMMA = 0.05, 0.25
GATED = ("SwiGLU", "GluMlp")  # modules whose `act` is a gate


def stabilize(tensor, epsilon=None):
    """Of what is divided by: lxt adds 1e-10, which shows where a value is not much larger than that."""
    return torch.where(tensor == 0, 1, tensor)


monkey_patch_zennit()
zennit_patches.stabilize = stabilize


def of(model, pixel_values, target):
    """[3, h, w]. `model` answers pixel values with its logits."""
    model = copy.deepcopy(model)
    fold_batch_norms(model)
    spell_out_attention(model)
    hold(model)
    pixels = pixel_values.clone().requires_grad_(True)
    composite = LayerMapComposite([(torch.nn.Conv2d, Gamma(CONV_GAMMA, stabilizer=stabilize)),
                                   (torch.nn.Linear, Gamma(LINEAR_GAMMA, stabilizer=stabilize))])
    with held_softmax(), composite.context(model) as patched:
        gradient, = torch.autograd.grad(patched(pixels)[:, target].sum(), pixels)
    return (pixels * gradient)[0].detach()


def shaken(model, pixel_values, target, draws=6, size=3e-6):
    """The same of weights that differ by some millionths. The gamma rule jumps where an input of a layer changes its sign,
    and of the thousands one may be so near to 0 that rounding decides."""
    for seed in range(draws):
        generator = torch.Generator().manual_seed(seed)
        other = copy.deepcopy(model)
        with torch.no_grad():
            for weight in other.parameters():
                weight *= 1 + size * torch.randn(weight.shape, generator=generator).to(weight)
        yield of(other, pixel_values, target)


def fold_batch_norms(model):
    """Each into the convolution that its parent has before it."""
    for parent in list(model.modules()):
        before = None
        for name, child in list(parent.named_children()):
            if isinstance(child, torch.nn.BatchNorm2d):
                setattr(parent, before[0], fuse_conv_bn_eval(before[1], child))
                setattr(parent, name, torch.nn.Sequential(Copy(), getattr(child, "act", torch.nn.Identity())))
            before = name, child


class Copy(torch.nn.Module):
    """What a convolution gave is kept for the rule, and residuals are added in place."""

    def forward(self, x):
        return x.clone()


def spell_out_attention(model):
    """A softmax that can be held, and a projection that is a layer."""
    for module in model.modules():
        if hasattr(module, "set_attn_implementation"):
            module.set_attn_implementation("eager")
        if hasattr(module, "fused_attn"):
            module.fused_attn = False
        if getattr(module, "q_bias", None) is not None:
            biases = [module.q_bias, getattr(module, "k_bias", torch.zeros_like(module.q_bias)), module.v_bias]
            module.qkv.bias = torch.nn.Parameter(torch.cat(biases))
            module.q_bias = None


def hold(model):
    for parent in model.modules():
        gated = type(parent).__name__ in GATED
        for name, module in parent.named_children():
            if isinstance(module, torch.nn.LayerNorm):
                module.forward = layer_norm(module)
            elif gated and name == "act":
                module.register_forward_hook(lambda _, __, output: output.detach())
            elif is_activation(module):
                module.inplace = False
                module.original_forward = module.forward
                module.forward = non_linear_forward.__get__(module)


def is_activation(module):
    return type(module).__module__.endswith(("activation", "activations")) and not list(module.parameters()) \
        and not isinstance(module, torch.nn.Softmax)


def layer_norm(module):
    forward = layer_norm_forward.__get__(module)
    if type(module).__name__ != "LayerNorm2d" and getattr(module, "data_format", "") != "channels_first":
        return forward
    return lambda x: forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@contextmanager
def held_softmax():
    """Attention weights are constants (nothing else in these models is a softmax)."""
    of_tensor, functional = torch.Tensor.softmax, torch.nn.functional.softmax
    torch.Tensor.softmax = lambda *args, **options: of_tensor(*args, **options).detach()
    torch.nn.functional.softmax = lambda *args, **options: functional(*args, **options).detach()
    try:
        yield
    finally:
        torch.Tensor.softmax, torch.nn.functional.softmax = of_tensor, functional
