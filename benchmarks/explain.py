"""Class activation maps of nunchi beside pytorch-grad-cam: time of one map and peak memory of the whole process.

  python benchmarks/explain.py [--methods grad-cam,score-cam,...] [--rounds 3] [--runs 10] [--threads N]
         [--build build/release] [--out FILE.json]

ViT-B/16 with random weights at 224 pixels, fp32, one photo. Both take turns, round after round, each method in a
process of its own. Before a time counts the maps are compared, raw, on the grid of the target layer: the largest
difference over the largest value. The time is that of one map, model and picture being loaded: the least one of all
rounds and the median of their medians; nunchi gets the photo as often as the peer is called. Needs a Python with
torch, transformers, pillow, torchvision 0.28 and grad-cam 1.5.7.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy
from compare import ROOT, run
from safetensors.numpy import load_file

PEER = [sys.executable, str(ROOT / "benchmarks" / "explain_peers.py")]
METHODS = ["grad-cam", "grad-cam++", "hires-cam", "layer-cam", "eigen-cam", "score-cam"]
SLOW = {"score-cam"}  # a forward for each channel: one run a round
SPREAD = 1e-3  # of the maps of twelve blocks in float32
CLASS = 7  # of those whose maps are not empty


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "nunchi-bench",
                        help="keeps the model")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=METHODS)
    parser.add_argument("--picture", type=pathlib.Path, default=ROOT / "assets" / "photos" / "cat.jpg")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=10, help="maps in each process")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=pathlib.Path)
    return parser.parse_args()


def prepare(options):
    """The model's folder, with pixel values of the photo beside it."""
    model = options.work / "vit-base-patch16-224"
    if not (model / "config.json").exists():
        without_torchvision = os.environ | {"PYTHONPATH": ""}  # transformers stops at one that lacks its operators
        subprocess.run([sys.executable, ROOT / "tools" / "make_random_model.py", model.name, model], check=True,
                       env=without_torchvision)
    subprocess.run([options.build / "bin" / "nunchi", "forward", model, "--image", options.picture,
                    "--out", model / "forward.safetensors", "--quiet"], check=True)
    return model


def nunchi(options, model, method, runs, folder):
    """Seconds of each map, the map, peak MiB."""
    pictures = [folder / f"{index}{options.picture.suffix}" for index in range(runs)]
    for picture in pictures:
        picture.unlink(missing_ok=True)
        picture.symlink_to(options.picture.resolve())
    text, reason, _, mib = run([options.build / "bin" / "nunchi", "explain", model, *pictures, "--method", method,
                                "--class", str(CLASS), "--maps", "--no-scores", "--quiet", "--json",
                                "-o", folder / "nunchi"])
    if text is None:
        raise SystemExit(f"nunchi {method}: {reason}")
    seconds = [json.loads(line)["methods"][method]["seconds"] for line in text.splitlines()]
    return seconds, load_file(folder / "nunchi" / "0.maps.safetensors")[method], mib


def peer(options, model, method, runs, folder):
    text, reason, _, mib = run([*PEER, model, method, str(CLASS), str(runs), str(options.threads),
                                folder / "peer.safetensors"])
    if text is None:
        raise SystemExit(f"pytorch-grad-cam {method}: {reason}")
    return json.loads(text.splitlines()[-1])["seconds"], load_file(folder / "peer.safetensors")["map"], mib


def difference(found, expected):
    """Relative to the largest value, infinite for an empty map; Eigen-CAM's map may be that of the other sign."""
    return min(float(numpy.abs(found - of_sign).max() / of_sign.max()) if of_sign.max() > 0 else math.inf
               for of_sign in expected)


def measure(options, model, method):
    rounds = {"nunchi": [], "pytorch-grad-cam": []}
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(options.rounds):
            runs = 1 if method in SLOW else options.runs
            answers = {}
            for name, contender in (("nunchi", nunchi), ("pytorch-grad-cam", peer)):
                seconds, answers[name], mib = contender(options, model, method, runs, pathlib.Path(scratch))
                rounds[name].append((seconds, mib))
            away = difference(answers["nunchi"], answers["pytorch-grad-cam"])
            if not away <= SPREAD:
                raise SystemExit(f"{method}: the maps differ by {away:.1e} of the largest value")
    return {"difference": away, **{name: {
        "best_ms": 1e3 * min(min(seconds) for seconds, _ in values),
        "median_ms": 1e3 * statistics.median(statistics.median(seconds) for seconds, _ in values),
        "peak_mib": min(mib for _, mib in values)} for name, values in rounds.items()}}


def main():
    options = arguments()
    os.environ |= {"OMP_NUM_THREADS": str(options.threads)}
    options.work.mkdir(parents=True, exist_ok=True)
    model = prepare(options)
    report = {}
    print(f"{'method':14}{'':18}{'best ms':>10}{'median ms':>11}{'peak MiB':>10}{'difference':>12}")
    for method in options.methods:
        report[method] = measure(options, model, method)
        for name in ("nunchi", "pytorch-grad-cam"):
            figures = report[method][name]
            print(f"{method:14}{name:18}{figures['best_ms']:10.1f}{figures['median_ms']:11.1f}"
                  f"{figures['peak_mib']:10.0f}{report[method]['difference']:12.1e}", flush=True)
        if options.out:
            options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
