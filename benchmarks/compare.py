"""nunchi beside its peers: steady latency in fp32, bf16 and int8, load, memory, and a fresh process to its first answer.

  python benchmarks/compare.py [--models ViT-B/16 MobileNetV2=DIR ...] [--precisions fp32,bf16,int8] [--batches 1,8]
         [--peers torch,onnxruntime,openvino] [--rounds 3] [--build build/release] [--out FILE.json]

A model is one of MODELS with random weights, or NAME=DIR with the weights of a transformers directory. Contenders take
turns, each in a process of its own, round after round, so that a machine whose speed drifts treats all alike; the best
round of each counts. Every answer is compared with PyTorch's in fp32 first: where it differs there is no time. Peers
that are not installed, and what they cannot do, are left out and named. Needs a Python with torch, transformers and
pillow; onnxruntime, openvino, onnx and nncf where wanted (see benchmarks/README.md).
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import answers

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = [sys.executable, str(ROOT / "benchmarks" / "peers.py")]
PREPARE = [sys.executable, str(ROOT / "benchmarks" / "peers_prepare.py")]
MODELS = {  # name in the tables -> what tools/make_random_model.py writes, side of its pictures
    "ViT-B/16": ("vit-base-patch16-224", 224),
    "DeiT-S/16": ("deit-small-patch16-224", 224),
    "Swin-T": ("swin-tiny-patch4-window7-224", 224),
    "DINOv2 ViT-S/14": ("dinov2-small-imagenet1k-1-layer", 518),
    "ResNet-50": ("resnet-50", 224),
    "MobileNetV2": ("mobilenet_v2_1.0_224", 224),
    "ConvNeXt-T": ("convnext-tiny-224", 224),
}
CALIBRATED = ("resnet-50", "mobilenet_v2_1.0_224")  # whose convolutions hand on bytes once `nunchi quantize` knows their ranges
PREPARED = {"onnx": "model.onnx", "onnxruntime-int8": "onnxruntime_int8.onnx", "openvino-int8": "openvino_int8.xml"}
PACKAGES = ("torch", "transformers", "onnxruntime", "openvino", "nncf", "onnx")


def run(command):
    """Standard output or None, the last line of errors, wall seconds and peak MiB of a whole process."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        reason = (err.read().decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        return (out.read().decode() if process.returncode == 0 else None), reason, wall, usage.ru_maxrss / 1024


def rounds_of(contenders, rounds, left_out):
    """name -> the JSON that each round of it printed, with the wall seconds and the peak memory of the process."""
    results = {}
    for _ in range(rounds):
        for name, command in contenders.items():
            if name in left_out:
                continue
            text, reason, wall, mib = run(command)
            if text is None:
                left_out[name] = reason
                results.pop(name, None)
            else:
                answer = json.loads(text.strip().splitlines()[-1])
                results.setdefault(name, []).append(answer | {"seconds": wall, "peak_mib": mib})
    return results


def summary(values):
    """The best round, and the median one, of the median in each."""
    medians = [value["median_ms"] for value in values]
    return {"best_ms": min(medians), "median_ms": statistics.median(medians),
            **{key: min(value[key] for value in values) for key in ("load_ms", "first_ms", "peak_mib")}}


def latency(options, model, precision, batch, checked):
    runs = options.runs if batch == 1 else max(3, options.runs // 5)
    words = [str(model), precision, str(batch), str(runs), str(model / f"pixels_{batch}.f32")]
    own = str(own_model(model, precision))
    contenders = {"nunchi": [str(options.build / "bin" / "bench_latency"), own, *words[1:]]}
    contenders |= {peer: [*PEERS, "latency", peer, *words] for peer in options.peers}
    left_out = {}
    results = rounds_of(contenders, options.rounds, left_out)
    cosines = answers.check(results, *checked, precision, batch, left_out)
    return {name: summary(values) | {"cosine": cosines[name]} for name, values in results.items()}, left_out


def first_answer(options, model):
    contenders = {"nunchi": [str(options.build / "bin" / "nunchi"), "classify", str(model), str(options.picture), "--json"]}
    contenders |= {peer: [*PEERS, "first", peer, str(model), str(options.picture)] for peer in options.peers}
    left_out = {}
    results = rounds_of(contenders, options.rounds + 1, left_out)  # the first round warms the page cache
    answers.check_classes(results, left_out)
    return {name: {key: min(value[key] for value in values[1:]) for key in ("seconds", "peak_mib")}
            for name, values in results.items()}, left_out


def table(title, results, left_out, key, unit):
    own = results["nunchi"][key]
    print(f"\n{title}")
    for name, value in sorted(results.items(), key=lambda item: item[1][key]):
        line = f"  {name:<14}{value[key]:>10.2f} {unit}{value[key] / own:>7.2f} of nunchi   peak {value['peak_mib']:4.0f} MiB"
        if "cosine" in value:
            line += f"   median {value['median_ms']:8.2f} ms   cosine {value['cosine']:.5f}"
        print(line)
    for name, reason in left_out.items():
        print(f"  {name:<14} left out: {reason}")
    sys.stdout.flush()


def prepare(name, weights, options):
    """The folder with the model, pixels of the picture, and what the peers read."""
    published, side = MODELS[name]
    model = options.work / (f"{published}-given" if weights else published)
    if not (model / "config.json").exists():
        if weights:
            shutil.copytree(weights, model)
        else:
            subprocess.run([sys.executable, str(ROOT / "tools" / "make_random_model.py"), published, str(model)], check=True)
    pixels = answers.forward(options.build, model, options.picture, side, "fp32")["pixel_values"]
    for batch in {1, *options.batches}:
        pixels.repeat(batch, axis=0).tofile(model / f"pixels_{batch}.f32")
    for step, file in PREPARED.items():
        if not (model / file).exists():
            text, reason, _, _ = run([*PREPARE, step, str(model), str(model / "pixels_1.f32")])
            if text is None:
                print(f"{name}: no {file}: {reason}")
    if published in CALIBRATED and "int8" in options.precisions and not (model / "nunchi_int8").exists():
        quantise(model, options)
    return model


def own_model(model, precision):
    """What nunchi reads."""
    calibrated = model / "nunchi_int8"
    return calibrated if precision == "int8" and calibrated.exists() else model


def quantise(model, options):
    subprocess.run([options.build / "bin" / "nunchi", "quantize", model, "--data", options.picture.parent, "-o",
                    model / "nunchi_int8", "--max-drop", "100", "--quiet"], check=True, stdout=subprocess.DEVNULL)


def machine(build):
    """Versions of all contenders, the processor and its instruction sets."""
    about = subprocess.check_output([build / "bin" / "nunchi", "doctor"], text=True)
    found = dict(re.findall(r"^(nunchi|processor|cores|instruction sets|LibTorch) +(.*)$", about, re.MULTILINE))
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def arguments():
    def names(text):
        return text.split(",")

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "nunchi-bench",
                        help="keeps the models, and what the peers read")
    parser.add_argument("--models", nargs="+", default=["ViT-B/16"], metavar="NAME[=DIR]", help="of " + ", ".join(MODELS))
    parser.add_argument("--precisions", type=names, default=["fp32", "bf16", "int8"])
    parser.add_argument("--batches", type=lambda text: [int(word) for word in text.split(",")], default=[1, 8])
    parser.add_argument("--peers", type=names, default=["torch", "onnxruntime", "openvino"], help="torch-compile too")
    parser.add_argument("--picture", type=pathlib.Path, default=ROOT / "assets" / "photos" / "cat.jpg")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=20, help="in each process, of batch 1; a fifth of them of larger ones")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=pathlib.Path)
    return parser.parse_args()


def measure(name, model, options):
    expected = answers.reference(model)
    report = {}
    for precision in options.precisions:
        own = answers.forward(options.build, own_model(model, precision), options.picture, MODELS[name][1], precision)["logits"][0]
        for batch in options.batches:
            results, left_out = latency(options, model, precision, batch, (own, expected))
            table(f"{name} {precision}, batch {batch}", results, left_out, "best_ms", "ms")
            report[f"{precision} batch {batch}"] = {"results": results, "left out": left_out}
    if name == "ViT-B/16":  # whose recipe for pictures the peers know without transformers
        results, left_out = first_answer(options, model)
        table(f"{name}: fresh process to its first answer (fp32)", results, left_out, "seconds", "s")
        report["first answer"] = {"results": results, "left out": left_out}
    return report


def main():
    options = arguments()
    chosen = dict(word.partition("=")[::2] for word in options.models)
    if unknown := chosen.keys() - MODELS.keys():
        raise SystemExit(f"--models: not known: {', '.join(unknown)}; known are {', '.join(MODELS)}")
    os.environ |= {"OMP_NUM_THREADS": str(options.threads), "NUNCHI_BENCH_THREADS": str(options.threads)}  # nunchi's, the peers'
    options.work.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(options.build), "threads": options.threads, "rounds": options.rounds, "models": {}}
    print(*(f"{name:<18}{value}" for name, value in report["machine"].items()), sep="\n")
    for name, weights in chosen.items():
        report["models"][name] = measure(name, prepare(name, weights, options), options)
        if options.out:  # after each model, so that a run that is stopped leaves what it has
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
