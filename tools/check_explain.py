#!/usr/bin/env python3
"""Compares the maps of `nunchi explain` with those of the Python peers, on the pixel values that nunchi gives.

    tools/check_explain.py build/release/bin/nunchi                          every network
    tools/check_explain.py build/release/bin/nunchi --networks swin convnext --methods grad-cam,score-cam

CAMs are pytorch-grad-cam's own, attentions those of transformers' eager attention (of timm without its fused kernel),
roll-outs as their papers have them, gradients of the input captum's, relevance (lrp) that of lxt and zennit. Maps are
raw: before any scaling to 0..1 and before resizing. Each class of each network has a map of its own; a network's row
shows the worst. The relative error is the largest difference over the largest value of the peer's map. `rounding` is
the peer's own error, its float32 against its float64: where that comes near 1e-4, four times as much is allowed and the
row says so. Of lrp what three millionths of the weights change is allowed, too (explain/relevance.py). Eigen-CAM has no
sign: the better of both counts, and the row says how many maps have the peer's other one.

Needs torch, transformers, timm, torchvision 0.28, and grad-cam 1.5.7, captum 0.9, lxt 2.1 and zennit 0.5.1 (pip install
--no-deps, beside their pure dependencies ttach, opencv-python-headless, matplotlib, scikit-learn).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from cases.torchvision_without_operators import import_torchvision

import_torchvision()  # before the peers, which look for it

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file

from cases import writer
from explain import maps, models, networks, relevance

TOLERANCE = 1e-4
METHODS = (*maps.CAMS, *maps.ATTENTIONS, *maps.INPUTS)


@dataclass
class Row:
    """What the classes of one network gave with one method."""

    absolute: float = 0.0
    relative: float = 0.0
    rounding: float = 0.0
    shaken: float = 0.0  # of lrp
    maps: int = 0
    empty: int = 0  # maps without a positive value, in the peer as in nunchi
    wrong_empty: int = 0
    other_sign: int = 0
    problems: list = field(default_factory=list)

    def add(self, found, expected, exact):
        self.maps += 1
        if found.shape != expected.shape:
            self.problems.append(f"shape {tuple(found.shape)}, the peer's {tuple(expected.shape)}")
            return
        largest = expected.abs().max().item()
        if largest == 0:
            self.empty += 1
            self.wrong_empty += found.abs().max().item() > 0
            return
        difference = (found - expected).abs().max().item()
        self.absolute = max(self.absolute, difference)
        self.relative = max(self.relative, difference / largest)
        self.rounding = max(self.rounding, ((expected - exact).abs().max() / exact.abs().max()).item())

    def verdict(self):
        if self.problems or self.wrong_empty or not self.relative <= max(TOLERANCE, 4 * self.rounding, self.shaken):
            return "FAIL"
        if self.empty == self.maps:
            return "PASS, all empty"
        return "PASS" if self.relative <= TOLERANCE else "PASS within the peer's rounding"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi")
    parser.add_argument("--networks", nargs="*", help="parts of their names")
    parser.add_argument("--classes", type=int, default=6, help="of each network")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=METHODS)
    parser.add_argument("--work", type=Path, help="keep the networks here; a temporary folder when left out")
    options = parser.parse_args()
    torch.set_num_threads(1)  # the networks are small
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    wanted = [case for case in models.CASES
              if not options.networks or any(part in title_of(case) for part in options.networks)]
    print(f"{'network':32}{'method':22}{'maps':>5}{'empty':>6}{'absolute':>10}{'relative':>10}{'rounding':>10}")
    with tempfile.TemporaryDirectory() as temporary:
        failed = sum([check(options, case, (options.work or Path(temporary)) / title_of(case)) for case in wanted])
    print(f"{failed} of the rows above differ" if failed else "all equal")
    sys.exit(failed > 0)


def title_of(case):
    return f"{case.peer}-{case.name.removeprefix('timm_')}"


def check(options, case, folder):
    """Prints a row for each method; how many failed."""
    if not folder.exists():
        writer.write_case(case, folder)
    model, _ = writer.load_case(case, folder)
    picture = next(folder.glob("input.*"))
    run(options.nunchi, "forward", folder / "model", "--image", picture, "--out", folder / "forward.safetensors")
    pixels = load_file(folder / "forward.safetensors")["pixel_values"]
    network = networks.network_of(case, model, pixels)
    exact = networks.network_of(case, writer.load_case(case, folder)[0].double(), pixels)
    methods = [method for method in options.methods if network.attend or method not in maps.ATTENTIONS]
    rows = {method: Row() for method in methods}
    for target in range(min(options.classes, network.model(pixels).shape[1])):
        run(options.nunchi, "explain", folder / "model", picture, "--method", ",".join(methods), "--class", target,
            "--maps", "--no-scores", "--quiet", "-o", folder / "maps")
        with safe_open(folder / "maps" / f"{picture.stem}.maps.safetensors", "pt") as found:
            for method in methods:
                compare(rows[method], method, found, network, exact, pixels, target)
    for method, row in rows.items():
        show(case, method, row)
    return sum(row.verdict() == "FAIL" for row in rows.values())


def compare(row, method, file, network, exact, pixels, target):
    if method not in file.keys():
        row.problems.append(f"no map named {method}")
        return
    found = file.get_tensor(method)
    expected = maps.of(method, network, pixels, target)
    precise = maps.of(method, exact, pixels.double(), target)
    if method == "eigen-cam":
        other, same = maps.eigen_cam_of_other_sign(network, pixels), expected
        expected = closer(found, same, other)
        row.other_sign += expected is other
        precise = closer(expected, precise, maps.eigen_cam_of_other_sign(exact, pixels.double()))
    row.add(found, expected, precise)
    if method == "lrp":
        for other in relevance.shaken(exact.model, pixels.double(), target):
            row.shaken = max(row.shaken, ((other - precise).abs().max() / precise.abs().max()).item())


def closer(found, first, second):
    """The one of both that `found` is nearer to."""
    return first if (found - first).abs().max() <= (found - second).abs().max() else second


def show(case, method, row):
    notes = [row.verdict(), *sorted(set(row.problems))]
    if row.wrong_empty:
        notes.append(f"{row.wrong_empty} maps should be empty")
    if row.other_sign:
        notes.append(f"{row.other_sign} of the other sign")
    print(f"{title_of(case):32}{method:22}{row.maps:5}{row.empty:6}{row.absolute:10.1e}{row.relative:10.1e}"
          f"{row.rounding:10.1e}  {'; '.join(notes)}", flush=True)


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(str(word) for word in command)}: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
