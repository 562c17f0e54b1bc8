"""Shows that each case can fail: breaks the peer one part at a time and demands that a required output moves.

"Moves" is the largest absolute difference over the largest absolute value of an output. Every break must move one by
ten tolerances, the peer's own float32 rounding must stay under a fifth of one, and the file must hold what the peer
gives.
"""

import contextlib
import json
import re
from unittest import mock

import torch
from safetensors.torch import load_file
from torch import nn

from . import writer
from .layers import hidden_layers, is_gelu, is_norm

MARGIN = 10
EPSILONS = (1e-12, 1e-6, 1e-5)
BATCH_NORM_EPSILONS = (1e-3, 1e-5)

DEAD = {
    "mask_token": "used only when patches are masked",
    "k_proj.bias": "adds the same number to all scores of a query: the softmax drops it",
    "k_norm.bias": "the same",
    "num_batches_tracked": "a counter of training",
    "lm_head": "the head of masked image modelling is not run",
    "decoder": "the head of masked image modelling is not run",
}
DERIVED = ("relative_position_index", "relative_coords_table", "attn_mask")  # of the window size: nobody reads them


def check_cases(cases, folder):
    """Prints one line a case and returns the number of failed ones."""
    failed = 0
    for case in cases:
        problems, summary = check_case(case, folder / case.name)
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok':6} {case.name}: {summary}", *problems, sep="\n       ", flush=True)
    return failed


def check_case(case, folder):
    """The problems found and a summary of how far the breaks moved the outputs."""
    description = json.loads((folder / "case.json").read_text())
    required, tolerance = description["required"], description["rtol"]
    with torch.no_grad():
        model, pixel_values = writer.load_case(case, folder)
    expected = load_file(folder / "expected.safetensors")

    def moved():
        return movement(writer.run_peer(case, model, pixel_values), expected, required)

    problems = []
    if moved() > 1e-6:
        problems.append("expected.safetensors is not what the peer gives now")
    noise = rounding(case, model, pixel_values, expected, required)
    if noise > tolerance / 5:
        problems.append(f"the peer's own rounding is {noise:.1e}")
    smallest = {"parameter": float("inf"), "eps": float("inf"), "variant": float("inf")}
    for kind, name, broken in breaks(case, model, expected["pixel_values"]):
        with broken:
            distance = moved()
        smallest[kind] = min(smallest[kind], distance)
        if not distance > MARGIN * tolerance and not f"{kind} {name}".startswith(case.unseen or "-"):
            problems.append(f"{kind} {name} moves the outputs by {distance:.1e} only")
    for name, broken in dead_parameters(case, model):
        with broken:
            if moved() > tolerance / 5:
                problems.append(f"parameter {name} is listed as dead and is not")
    return problems, f"rounding {noise:.0e}, " + ", ".join(f"{kind} >= {least:.0e}" for kind, least in smallest.items())


def movement(outputs, expected, required):
    return max(
        ((outputs[name].double() - expected[name].double()).abs().max() / expected[name].abs().max()).item()
        for name in required
        if name != "pixel_values"
    )


def rounding(case, model, pixel_values, expected, required):
    exact = writer.run_peer(case, model.double(), pixel_values.double())
    model.float()
    return movement(exact, expected, required)


def breaks(case, model, pixel_values):
    """(kind, name, context manager that breaks the model while it is open)."""
    for name, tensor in named_state(model):
        if not is_dead(case, name):
            yield "parameter", name, replaced(tensor, spoiled(name, tensor))
    for name, module in model.named_modules():
        for eps in epsilons(module) if not is_dead(case, name) else ():
            if not 0.5 < eps / module.eps < 2:
                yield "eps", f"{name}.eps = {eps:g}", mock.patch.object(module, "eps", eps)
    yield from variants(case, model, pixel_values)


def epsilons(module):
    if isinstance(module, nn.BatchNorm2d):
        return BATCH_NORM_EPSILONS
    return EPSILONS if is_norm(module) else ()


def named_state(model):
    """What the file holds."""
    kept = model.state_dict()
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if name in kept and tensor.numel() and not name.endswith(DERIVED):
            yield name, tensor


def is_dead(case, name):
    rotary = case.arch.startswith("DINOv3")  # there a key's bias turns with its position
    return any(part in name for part in DEAD if not (rotary and part == "k_proj.bias"))


def dead_parameters(case, model):
    for name, tensor in named_state(model):
        if is_dead(case, name):
            yield name, replaced(tensor, tensor + 1)


def spoiled(name, tensor):
    """Constants go to the value they have when they are forgotten, matrices get a fifth of noise."""
    if tensor.ndim >= 2 and name.endswith("weight"):
        generator = torch.Generator().manual_seed(1)
        return tensor + 0.2 * tensor.std() * torch.randn(tensor.shape, generator=generator)
    is_scale = re.search(r"(weight|lambda_?[12]|gamma(_[12])?|layer_scale|running_var)$", name)
    return torch.ones_like(tensor) if is_scale else torch.zeros_like(tensor)


@contextlib.contextmanager
def replaced(tensor, value):
    kept = tensor.detach().clone()
    with torch.no_grad():
        tensor.copy_(value)
        yield
        tensor.copy_(kept)


def variants(case, model, pixel_values):
    """Wrong turns that a port takes: the other GELU, the other resampling, the other padding."""
    for name, broken in other_gelus(model):
        yield "variant", f"{name}: the other gelu", broken
    if writer.peer_of(case).interpolates(case, model, pixel_values):
        yield "variant", "antialias switched", resampled(lambda options: {"antialias": not options.get("antialias")})
        yield "variant", "bilinear positions", resampled(lambda _: {"mode": "bilinear"})
    if case.peer == "transformers" and case.model_class.startswith("MobileNet"):
        yield "variant", "tf_padding switched", switched_padding(model)
        if model.config.hidden_act == "relu6":
            yield "variant", "ReLU without the 6", unclipped(model)


def other_gelus(model):
    """Each GELU of an MLP in the other of its two forms."""
    for name, _, activation, _ in hidden_layers(model):
        kind = type(activation).__name__.lower()
        if is_gelu(activation) and "quick" not in kind:
            other = nn.GELU(approximate="none" if "tanh" in kind or "new" in kind else "tanh")
            yield name, mock.patch.object(activation, "forward", other.forward)


def resampled(change):
    interpolate = nn.functional.interpolate
    return mock.patch.object(
        nn.functional, "interpolate", lambda *inputs, **options: interpolate(*inputs, **{**options, **change(options)})
    )


@contextlib.contextmanager
def unclipped(model):
    with contextlib.ExitStack() as stack:
        for module in model.modules():
            if getattr(module, "activation", None) is not None:
                stack.enter_context(mock.patch.object(module, "activation", nn.ReLU()))
        yield


@contextlib.contextmanager
def switched_padding(model):
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    kept = [convolution.padding for convolution in convolutions]
    model.config.tf_padding = not model.config.tf_padding
    for convolution in convolutions:
        same = (convolution.kernel_size[0] - 1) // 2 * convolution.dilation[0]
        convolution.padding = (0, 0) if model.config.tf_padding else (same, same)
    yield
    model.config.tf_padding = not model.config.tf_padding
    for convolution, padding in zip(convolutions, kept):
        convolution.padding = padding
