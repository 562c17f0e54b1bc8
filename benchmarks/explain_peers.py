"""pytorch-grad-cam on a ViT of transformers, for explain.py: MODEL METHOD CLASS RUNS THREADS OUT.

MODEL holds forward.safetensors with pixel_values. Prints {"seconds": [...]}, one for each map, and writes the raw map
to OUT: [signs, rows, columns], one sign but for Eigen-CAM, whose singular vector has none.
"""

import json
import os
import pathlib
import sys
import time

os.environ |= {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from cases.torchvision_without_operators import import_torchvision  # noqa: E402

import_torchvision()

import numpy  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from pytorch_grad_cam import (EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM,  # noqa: E402
                              ScoreCAM, base_cam)
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # noqa: E402
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

METHODS = {"grad-cam": GradCAM, "grad-cam++": GradCAMPlusPlus, "hires-cam": HiResCAM, "layer-cam": LayerCAM,
           "eigen-cam": EigenCAM, "score-cam": ScoreCAM}
SIDE = 14  # patches


class Logits(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, pixel_values):
        return self.inner(pixel_values=pixel_values).logits


def to_map(tokens):
    return tokens[:, 1:].unflatten(1, (SIDE, SIDE)).permute(0, 3, 1, 2)


def main():
    model, method, target, runs, threads, out = sys.argv[1:]
    torch.set_num_threads(int(threads))
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    pixels = load_file(f"{model}/forward.safetensors")["pixel_values"]
    network = Logits(transformers.ViTForImageClassification.from_pretrained(model)).eval()
    raw = []  # what scale_cam_image is given first
    scale = base_cam.scale_cam_image
    base_cam.scale_cam_image = lambda maps, *size: (raw.append(maps), scale(maps, *size))[1]
    seconds = []
    with METHODS[method](network, [network.inner.vit.layers[-1].layernorm_before], to_map) as explain:
        for _ in range(int(runs)):
            raw.clear()
            begin = time.perf_counter()
            explain(pixels, [ClassifierOutputTarget(int(target))])
            seconds.append(time.perf_counter() - begin)
        signs = [raw[0][0]]
        if method == "eigen-cam":
            activations = explain.activations_and_grads.activations[0].numpy()
            signs.append(numpy.maximum(-get_2d_projection(activations)[0], 0))
    save_file({"map": numpy.float32(signs)}, out)
    print(json.dumps({"seconds": seconds}))


main()
