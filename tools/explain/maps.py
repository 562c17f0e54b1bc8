"""The maps that the Python peers make: CAMs of pytorch-grad-cam, attention maps by their papers, captum's gradients.

All of them raw: after the ReLU of the method, before any scaling to 0..1 and before resizing.
"""

import os

os.environ["TQDM_DISABLE"] = "1"  # Score-CAM's progress bars

import numpy
import torch
from captum import attr
from pytorch_grad_cam import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, base_cam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection

from . import relevance

base_cam.scale_cam_image = lambda maps, target_size=None: maps  # the raw map is what is compared

CAMS = {"grad-cam": GradCAM, "grad-cam++": GradCAMPlusPlus, "hires-cam": HiResCAM, "layer-cam": LayerCAM,
        "eigen-cam": EigenCAM, "score-cam": ScoreCAM}
ATTENTIONS = ("attention", "rollout", "grad-rollout")
INPUTS = ("input-x-gradient", "lrp", "integrated-gradients", "smooth-grad", "occlusion")


def of(method, network, pixel_values, target):
    """One map, by its name in `nunchi explain`."""
    if method in CAMS:
        return cam(method, network, pixel_values, target)
    if method in INPUTS:
        return of_input(method, network, pixel_values, target)
    by_name = {"attention": attention, "rollout": rollout}
    return by_name[method](network, pixel_values) if method in by_name else grad_rollout(network, pixel_values, target)


def cam(method, network, pixel_values, target):
    """[rows, columns] of the layer; Eigen-CAM's sign is LAPACK's."""
    with CAMS[method](network.model, [network.layer], network.to_map) as explain:
        return torch.as_tensor(explain(pixel_values, [ClassifierOutputTarget(target)])[0])


def eigen_cam_of_other_sign(network, pixel_values):
    """The singular vector may as well point the other way: what is negative then remains."""
    seen = []
    hook = network.layer.register_forward_hook(lambda _, __, output: seen.append(network.to_map(output).detach()))
    with torch.no_grad():
        network.model(pixel_values)
    hook.remove()
    return torch.as_tensor(numpy.maximum(-get_2d_projection(seen[0].numpy())[0], 0))


def attention(network, pixel_values):
    """[layers, heads, tokens, tokens]: what the softmax gave."""
    with torch.no_grad():
        return torch.cat(network.attend(pixel_values)[1])


def rollout(network, pixel_values):
    """Abnar and Zuidema 2020: the mean of the heads and the residual, half each, layer after layer; class row."""
    joint = torch.eye(sum_of_tokens(network)).to(pixel_values)
    for layer in attention(network, pixel_values):
        mixed = (layer.mean(0) + torch.eye(len(joint)).to(joint)) / 2
        joint = mixed / mixed.sum(-1, keepdim=True) @ joint
    return of_class_row(network, joint)


def grad_rollout(network, pixel_values, target):
    """Chefer, Gur and Wolf 2021, equations 5 and 6: R += mean over heads of (gradient * attention)+, times R."""
    logits, layers = network.attend(pixel_values)
    gradients = torch.autograd.grad(logits[0, target], layers)
    joint = torch.eye(sum_of_tokens(network)).to(pixel_values)
    for layer, gradient in zip(layers, gradients):
        joint = joint + (gradient[0] * layer[0]).clamp_min(0).mean(0) @ joint
    return of_class_row(network, joint.detach())


def attention_entropy(attentions):
    """-sum w ln w, the mean of all that ask, [layers, heads]."""
    return -torch.special.xlogy(attentions, attentions).sum(-1).mean(-1)


def attention_distance(network, attentions):
    """Dosovitskiy et al. 2021, figure 7, in patches: tokens before them neither ask nor count, [layers, heads]."""
    places = torch.cartesian_prod(*(torch.arange(side) for side in network.grid)).to(attentions)
    between = attentions[..., network.prefix:, network.prefix:]
    return (between * torch.cdist(places, places)).sum(-1).mean(-1)


def sum_of_tokens(network):
    return network.prefix + network.grid[0] * network.grid[1]


def of_class_row(network, joint):
    """What the patches are to the class token, [rows, columns]."""
    return joint[0, network.prefix:].unflatten(0, network.grid)


def of_input(method, network, pixel_values, target):
    """[3, h, w], signed, or [h, w] of occlusion; with the options that nunchi has where nothing is said."""
    pixels = pixel_values.clone()
    if method == "input-x-gradient":
        return attr.InputXGradient(network.model).attribute(pixels, target=target)[0].detach()
    if method == "lrp":
        return relevance.of(network.model, pixels, target)
    if method == "integrated-gradients":
        explain = attr.IntegratedGradients(network.model)
        return explain.attribute(pixels, target=target, n_steps=50)[0].detach()
    if method == "smooth-grad":
        return smooth_grad(network, pixels, target)
    window = min(pixels.shape[-2:]) // 7
    return attr.Occlusion(network.model).attribute(pixels, target=target, sliding_window_shapes=(3, window, window),
                                                   strides=(3, window // 2, window // 2),
                                                   perturbations_per_eval=32)[0, 0].detach()


def smooth_grad(network, pixels, target, samples=25, noise=0.15, seed=0):
    """Smilkov et al. 2017 with the noise that torch draws from this seed: captum draws its own."""
    deviation = noise * (pixels.max() - pixels.min()).item()
    draws = torch.empty(samples, *pixels.shape[1:]).normal_(0, deviation, generator=torch.Generator().manual_seed(seed))
    explain = attr.Saliency(network.model).attribute
    return sum(explain(pixels + draw, target=target, abs=False)[0] for draw in draws.to(pixels)) / samples
