#!/usr/bin/env python3
"""Makes docs/gallery.md and docs/gallery/: every method of `nunchi explain` on photos of assets/photos.

    tools/make_gallery.py build/release/bin/nunchi --mobilenet DIR --swin DIR

DIR are folders with config.json and weights: MobileNetV2 with its ImageNet weights, and what `nunchi train
recipes/cifar10-swin.yaml` made. No Python library is needed.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT / "assets" / "photos"
GALLERY = ROOT / "docs" / "gallery"
PAGE = ROOT / "docs" / "gallery.md"
INTRODUCTION = """# What explanations look like

Made by `tools/make_gallery.py` from the photos of `assets/photos` ([credits](../assets/CREDITS.md)). How to read them, and what the
scores mean: [explaining](explaining.md). Red is what the method finds important.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi", type=Path)
    parser.add_argument("--mobilenet", type=Path, required=True)
    parser.add_argument("--swin", type=Path, required=True)
    options = parser.parse_args()
    shutil.rmtree(GALLERY, ignore_errors=True)
    GALLERY.mkdir()
    sections = [
        section(options.nunchi, "bundled", None, "cat.jpg",
                "## The bundled ViT\n\nA small ViT that sees 32 x 32 pixels and knows CIFAR-10's ten classes "
                "([its card](../assets/bundled/nunchi-vit-cifar10))."),
        section(options.nunchi, "mobilenet", options.mobilenet, "cat.jpg",
                "## MobileNetV2 on ImageNet\n\nA convolutional network with its real weights (1,001 classes)."),
        section(options.nunchi, "swin", options.swin, "cat.jpg",
                "## A small Swin\n\nTwo stages of 16 x 16 and 8 x 8 places in windows of 4 x 4, trained on CIFAR-10 by "
                "`recipes/cifar10-swin.yaml`, stopped after 7 of its 10 epochs: it names 53.4 % of the test pictures "
                "rightly. Its attention lies inside windows, so it has no map of what a class token "
                "reads and no rollout; the other methods are the same. What a map says of its weights is in the last "
                "column."),
    ]
    PAGE.write_text("\n".join([INTRODUCTION, *sections]))


def section(nunchi, name, model, photo, introduction):
    with tempfile.TemporaryDirectory() as folder:
        command = [nunchi, "explain", *([model] if model else []), PHOTOS / photo, "--method", "all", "--json",
                   "--steps", "32", "--figures", "svg", "--quiet", "-o", folder]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        for figure in Path(folder).glob("*.svg"):
            shutil.copy(figure, GALLERY / figure.name.replace(Path(photo).stem, name, 1))
    answer = json.loads(run.stdout)
    lines = [introduction, "", f"It answers {answer['label']} with {100 * answer['probability']:.1f} %.", "",
             f"![every method on {photo}](gallery/{name}.svg)", ""]
    if (GALLERY / f"{name}.heads.svg").exists():
        lines += [f"![the heads of its last block](gallery/{name}.heads.svg)", ""]
    return "\n".join([*lines, *table(answer["methods"]), ""])


def table(methods):
    yield "| method | deletion (small is good) | insertion (large is good) | weights (near 1: as with random ones) |"
    yield "|---|---|---|---|"
    for name, scores in methods.items():
        alike = scores["random_weights"]
        weights = "-" if alike is None else f"{alike:.2f}" + ("" if scores["shows_weights"] else " !")
        yield f"| {name} | {scores['deletion']:.3f} | {scores['insertion']:.3f} | {weights} |"


if __name__ == "__main__":
    main()
