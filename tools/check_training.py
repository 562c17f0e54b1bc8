#!/usr/bin/env python3
"""Ten training steps of timm's ViT, Swin and ResNet-18 in PyTorch: what tests/train/peer_steps_test.cpp must repeat.

    tools/check_training.py                    writes tests/golden/training.json: losses, and figures of every gradient
    tools/check_training.py --full FOLDER      every gradient of the first step and every weight after the tenth, one
                                               safetensors file a model; NUNCHI_TRAINING_PEER=FOLDER makes the test
                                               compare them element by element

Weights, pictures and labels follow a formula that both sides have, so that none is stored. Needs torch, timm and numpy
(and safetensors for --full).
"""
import argparse
import json
import math
import pathlib

import numpy
import torch

from cases.absent_torchvision import import_timm

timm = import_timm()

STEPS, WARMUP, CLASSES, SMOOTHING, CLIP = 10, 3, 10, 0.1, 1.0
ADAMW = {"kind": "adamw", "peak": 2e-4, "weight_decay": 0.05}
SGD = {"kind": "sgd", "peak": 0.0005, "weight_decay": 1e-4}
CASES = {
    "vit": {"class": "VisionTransformer", "batch": 8, "side": 32, "recipe": ADAMW,
            "arguments": {"img_size": 32, "patch_size": 4, "embed_dim": 192, "depth": 3, "num_heads": 3,
                          "num_classes": CLASSES}},
    "swin": {"class": "SwinTransformer", "batch": 4, "side": 64, "recipe": ADAMW,
             "arguments": {"img_size": 64, "patch_size": 4, "embed_dim": 32, "depths": [2, 2, 2, 2],
                           "num_heads": [2, 4, 8, 16], "window_size": 4, "drop_path_rate": 0.0,
                           "num_classes": CLASSES}},
    "resnet": {"class": "ResNet", "batch": 8, "side": 64, "recipe": SGD,
               "arguments": {"block": "BasicBlock", "layers": [2, 2, 2, 2], "channels": [16, 32, 64, 128],
                             "num_classes": CLASSES}},
}


def name_hash(name):
    """FNV-1a, 32 bits."""
    value = 2166136261
    for byte in name.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def spread(count, name):
    """Numbers from -1 up to 1 that float32 holds exactly."""
    with numpy.errstate(over="ignore"):
        x = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(0x9E3779B9) + numpy.uint32(name_hash(name))
        for factor in (0x7FEB352D, 0x846CA68B):
            x = (x ^ (x >> numpy.uint32(16))) * numpy.uint32(factor)
        x ^= x >> numpy.uint32(16)
    return torch.from_numpy((x >> numpy.uint32(8)).astype(numpy.float32) / numpy.float32(2**23) - numpy.float32(1))


def initial_value(name, shape):
    noise = spread(math.prod(shape), name).reshape(shape)
    if len(shape) > 1:
        return noise * numpy.float32(math.sqrt(3 / (math.prod(shape) / shape[0])))
    if name.endswith("running_var") or name.endswith("weight"):
        return 1 + noise / 8
    return noise / 8


def tensors(model):
    kept = {name: value for name, value in model.named_buffers() if "running_" in name}
    return dict(model.named_parameters()) | kept


def build(case):
    from timm.models import resnet, swin_transformer, vision_transformer
    arguments = dict(case["arguments"])
    if "block" in arguments:
        arguments["block"] = getattr(resnet, arguments["block"])
    for module in (resnet, swin_transformer, vision_transformer):
        if hasattr(module, case["class"]):
            model = getattr(module, case["class"])(**arguments)
            break
    with torch.no_grad():
        for name, value in tensors(model).items():
            value.copy_(initial_value(name, tuple(value.shape)))
    return model.double().train()  # its own rounding is not to be repeated


def learning_rate(peak, step):
    if step < WARMUP:
        return peak * (step + 1) / (WARMUP + 1)
    return peak * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) / 2


def make_optimizer(model, recipe):
    decayed = [p for name, p in model.named_parameters() if p.ndim > 1 and name.endswith("weight")]
    rest = [p for name, p in model.named_parameters() if not (p.ndim > 1 and name.endswith("weight"))]
    groups = [{"params": decayed, "weight_decay": recipe["weight_decay"]}, {"params": rest, "weight_decay": 0}]
    if recipe["kind"] == "sgd":
        return torch.optim.SGD(groups, lr=recipe["peak"], momentum=0.9)
    return torch.optim.AdamW(groups, lr=recipe["peak"])


def batch(case, step):
    shape = (case["batch"], 3, case["side"], case["side"])
    labels = [(7 * i + 3 * step) % CLASSES for i in range(case["batch"])]
    return 2 * spread(math.prod(shape), f"batch {step}").reshape(shape).double(), torch.tensor(labels)


def figures(tensor):
    flat = tensor.detach().double().flatten()
    return [flat.norm().item(), flat.abs().max().item(), flat[0].item(), flat[len(flat) // 2].item(), flat[-1].item()]


def run(case):
    torch.manual_seed(0)
    model = build(case)
    optimizer = make_optimizer(model, case["recipe"])
    answer = {"losses": [], "norms": []}
    for step in range(STEPS):
        images, labels = batch(case, step)
        loss = torch.nn.functional.cross_entropy(model(images), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(case["recipe"]["peak"], step)
        optimizer.step()
        answer["losses"].append(loss.item())
        answer["norms"].append(norm.item())
    answer["gradients"] = {name: figures(g) for name, g in gradients.items()}
    answer["buffers"] = {name: figures(b) for name, b in model.named_buffers() if "running_" in name}
    return answer, gradients, tensors(model)


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {key: rounded(v) for key, v in value.items()} if isinstance(value, dict) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    golden = {"made_with": f"torch {torch.__version__}, timm {timm.__version__}", "steps": STEPS, "warmup": WARMUP,
              "label_smoothing": SMOOTHING, "max_norm": CLIP, "cases": {}}
    for name, case in CASES.items():
        answer, gradients, final = run(case)
        golden["cases"][name] = rounded(case | answer)
        print(f"{name}: loss {answer['losses'][0]:.5f} -> {answer['losses'][-1]:.5f}, {len(gradients)} gradients")
        if options.full:
            from safetensors.torch import save_file
            full = {f"gradient.{key}": g.contiguous() for key, g in gradients.items()}
            full |= {f"final.{key}": value.detach().contiguous() for key, value in final.items()}
            options.full.mkdir(parents=True, exist_ok=True)
            save_file(full, options.full / f"{name}.safetensors")
    if options.full:
        return
    path = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "training.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
