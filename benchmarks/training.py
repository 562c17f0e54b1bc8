"""Training with nunchi and with PyTorch (eager, torch.compile, Lightning), in turns, at one recipe.

python benchmarks/training.py NUNCHI DATASET.zip [--models NAME...] [--precisions fp32 bf16] [--peers NAME...]
       [--rounds N]
DATASET.zip holds class folders of 32x32 JPEGs under train/. All start from the same weights of a timm model: AdamW with
clipping, label smoothing, random crops and flips. First each trains a few steps on one batch without chance, and must
show PyTorch's losses. Then the pictures a second after the first steps, and the peak memory of the whole process: nunchi
decodes and augments its pictures meanwhile, the peers are given their batches ready. Needs torch and timm; Lightning is
measured where it is installed.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import torch
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from cases.absent_torchvision import import_timm  # noqa: E402
from training_peers import ADAMW, BATCH, CLIP, SMOOTHING, WARM_STEPS  # noqa: E402

CHECKED_STEPS = 5
MODELS = {
    "ViT, 9 layers of 192": ("vit_tiny_patch16_224", {"img_size": 32, "patch_size": 4, "depth": 9, "num_classes": 10}),
    "ViT with stem, 6 layers of 192": ("vit_tiny_r_s16_p8_224", {
        "img_size": 32, "patch_size": 1, "depth": 6, "num_classes": 10, "class_token": False, "global_pool": "avg"}),
    "ResNet-18": ("resnet18", {"num_classes": 10}),
}
PEERS = ("eager", "compile", "lightning")
SPREAD = {"fp32": 1e-4, "bf16": 3e-2}  # of the first losses
RECIPE = {"optimizer.kind": ADAMW["kind"], "optimizer.learning_rate": ADAMW["peak"],
          "optimizer.weight_decay": ADAMW["weight_decay"], "optimizer.clip_norm": CLIP, "schedule.kind": "constant",
          "loss.label_smoothing": SMOOTHING, "data.batch": BATCH, "data.validation_fraction": 0}


def run(command):
    """Standard output and peak MiB of a whole process."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        out.seek(0)
        err.seek(0)
        if status:
            raise SystemExit(f"{' '.join(map(str, command))}\n{err.read().decode()[-2000:]}")
        return out.read().decode(), usage.ru_maxrss / 1024


def run_nunchi(program, model, data, precision, steps, checked):
    with tempfile.TemporaryDirectory() as scratch:
        recipe = pathlib.Path(scratch) / "recipe.yaml"
        recipe.write_text("{}\n", encoding="utf-8")
        words = RECIPE | {"model.checkpoint": model, "data.path": data, "run.precision": precision}
        if checked:  # one batch, again and again
            words |= {"schedule.epochs": steps, "run.log_every": 1, "augment.crop": "none", "augment.flip": 0}
        else:
            words |= {"schedule.epochs": 1, "run.log_every": WARM_STEPS, "augment.crop": "random", "augment.flip": 0.5}
        command = [program, "train", str(recipe), "-o", f"{scratch}/run", "-q", *(f"{k}={v}" for k, v in words.items())]
        _, mib = run(command)
        lines = [json.loads(line) for line in (pathlib.Path(scratch) / "run" / "journal.jsonl").read_text().splitlines()]
    logged = [line for line in lines if line["kind"] == "step"]
    first, last = logged[0], logged[-1]
    rate = BATCH * (last["step"] - first["step"]) / (last["seconds"] - first["seconds"])
    return {"losses": [line["loss"] for line in logged], "rate": rate, "mib": mib}


def run_peer(kind, model, data, precision, steps):
    command = [sys.executable, str(ROOT / "benchmarks" / "training_peers.py"), kind, str(model), str(data), precision, str(steps)]
    text, mib = run(command)
    return json.loads(text.strip().splitlines()[-1]) | {"mib": mib}


def write_model(name, folder):
    timm = import_timm()
    architecture, arguments = MODELS[name]
    torch.manual_seed(0)
    model = timm.create_model(architecture, **arguments)
    folder.mkdir(parents=True)
    config = {"architecture": architecture, "num_classes": 10, "model_args": arguments,
              "pretrained_cfg": {"input_size": [3, 32, 32], "crop_pct": 1.0, "interpolation": "bilinear",
                                 "mean": [0.5] * 3, "std": [0.5] * 3, "num_classes": 10}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / "model.safetensors")


def write_data(dataset, folder, count):
    """Class folders of `count` pictures, evenly from all."""
    archive = zipfile.ZipFile(dataset)
    names = sorted(name for name in archive.namelist() if "/train/" in f"/{name}" and name.endswith((".jpg", ".jpeg")))
    for i in range(count):
        name = pathlib.PurePosixPath(names[i * len(names) // count])
        target = folder / "train" / name.parent.name / name.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read(str(name)))
    return folder


def check(name, precision, contenders, data):
    expected = None
    for contender, measure in contenders.items():
        losses = measure(data, CHECKED_STEPS, checked=True)["losses"]
        expected = expected or losses
        worst = max(abs(found - wanted) / wanted for found, wanted in zip(losses, expected))
        if len(losses) != CHECKED_STEPS or worst > SPREAD[precision]:
            raise SystemExit(f"{name}, {precision}: {contender} has the losses {losses}, PyTorch {expected}")


def compare(name, precision, options, scratch):
    model = scratch / name.replace(" ", "_").replace(",", "")
    if not model.exists():
        write_model(name, model)
    kinds = [kind for kind in options.peers if kind != "lightning" or importlib.util.find_spec("lightning")]
    contenders = {kind: lambda data, steps, checked, kind=kind: run_peer(kind, model, data, precision, steps) for kind in kinds}
    contenders["nunchi"] = lambda data, steps, checked: run_nunchi(options.nunchi, model, data, precision, steps, checked)
    check(name, precision, contenders, scratch / "one_batch")
    rounds = [{c: measure(scratch / "many", options.steps, checked=False) for c, measure in contenders.items()}
              for _ in range(options.rounds)]
    rates = {c: sorted(r[c]["rate"] for r in rounds)[options.rounds // 2] for c in contenders}
    memory = {c: max(r[c]["mib"] for r in rounds) for c in contenders}
    best = max(rate for c, rate in rates.items() if c != "nunchi")
    print(f"\n{name}, {precision}: equal losses")
    for c, rate in sorted(rates.items(), key=lambda item: -item[1]):
        ratio = f"  {rate / best:.2f} of the best peer" if c == "nunchi" else ""
        print(f"  {c:10}{rate:8.1f} pictures/s{memory[c]:9.0f} MiB{ratio}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi")
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--precisions", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        write_data(options.dataset, scratch / "one_batch", BATCH)
        write_data(options.dataset, scratch / "many", options.steps * BATCH)
        for name in options.models:
            for precision in options.precisions:
                compare(name, precision, options, scratch)


if __name__ == "__main__":
    main()
