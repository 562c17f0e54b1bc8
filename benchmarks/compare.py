"""nunchi beside its peers on ViT-B/16: steady latency, a fresh process to its first answer, load, preprocessing.

  python benchmarks/compare.py [--build build/release] [--rounds 3] [--out benchmarks/results/NAME.json]

Contenders take turns, round after round, so that a machine whose speed drifts treats all alike; the best round of each
counts. An answer that differs from PyTorch's is a failure, not a time. Peers that are not installed are left out and named.
Needs a Python with torch, transformers and pillow; onnxruntime, openvino and onnx where wanted (see benchmarks/README.md).
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = [sys.executable, str(ROOT / "benchmarks" / "peers.py")]


def run(command):
    """Standard output, wall seconds and peak MiB of a whole process."""
    with tempfile.TemporaryFile() as out:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    return (text if process.returncode == 0 else None), wall, usage.ru_maxrss / 1024


def last_json(text):
    return json.loads(text.strip().splitlines()[-1]) if text else None


def rounds_of(contenders, rounds, measure):
    results = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, command in contenders.items():
            result = measure(command)
            if result is not None:
                results[name].append(result)
    return {name: values for name, values in results.items() if values}


def check(results, reference, tolerance):
    expected = results[reference][0]
    for name, values in results.items():
        for value in values:
            agrees = value["largest"] == expected["largest"]
            if "sum" in value:
                agrees = agrees and abs(value["sum"] - expected["sum"]) <= tolerance * max(1, abs(expected["sum"]))
            if not agrees:
                raise SystemExit(f"{name} gives another answer than {reference}: {value} against {expected}")


def latency(build, model, precision, batch, rounds, runs):
    import numpy

    pixels = model / f"pixels_{batch}.f32"
    numpy.random.default_rng(0).standard_normal((batch, 3, 224, 224)).astype(numpy.float32).tofile(pixels)
    contenders = {"nunchi": [str(build / "bin" / "bench_latency"), str(model), precision, str(batch), str(runs), str(pixels)]}
    for peer in ("torch", "onnxruntime", "openvino"):
        contenders[peer] = PEERS + ["latency", peer, str(model), precision, str(batch), str(runs), str(pixels)]
    results = rounds_of(contenders, rounds, lambda command: last_json(run(command)[0]))
    check(results, "torch", 1e-3 if precision == "fp32" else 0.2)
    return {name: {key: min(v[key] for v in values) for key in ("median_ms", "min_ms", "load_ms", "first_ms")}
            for name, values in results.items()}


def first_answer(build, model, picture, rounds):
    contenders = {"nunchi": [str(build / "bin" / "nunchi"), "classify", str(model), str(picture), "--json"]}
    for peer in ("transformers", "onnxruntime", "openvino"):
        contenders[peer] = PEERS + ["first", peer, str(model), str(picture)]

    def measure(command):
        text, wall, mib = run(command)
        if text is None:
            return None
        answer = last_json(text)
        largest = answer["predictions"][0]["id"] if "predictions" in answer else answer["largest"]
        return {"largest": largest, "seconds": wall, "peak_mib": mib}

    results = rounds_of(contenders, rounds + 1, measure)  # the first round warms the page cache
    check(results, "transformers", 0)
    return {name: {"seconds": min(v["seconds"] for v in values[1:]), "peak_mib": min(v["peak_mib"] for v in values[1:])}
            for name, values in results.items()}


def table(title, results, column, unit):
    own = results["nunchi"][column]
    print(f"\n{title}")
    for name, values in sorted(results.items(), key=lambda item: item[1][column]):
        ratio = "" if name == "nunchi" else f"  nunchi needs {own / values[column]:.2f} of it"
        print(f"  {name:<14}{values[column]:>10.1f} {unit}{ratio}")


def prepare(model):
    if not (model / "config.json").exists():
        subprocess.run([sys.executable, str(ROOT / "tools" / "make_random_model.py"), "vit-base-patch16-224", str(model)], check=True)
    if not (model / "model.onnx").exists():
        subprocess.run(PEERS + ["export", str(model)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--model", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "nunchi-bench" / "vit-b16")
    parser.add_argument("--picture", type=pathlib.Path, default=ROOT / "tests" / "golden" / "cases" / "vit_jpeg" / "input.jpg")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.model.parent.mkdir(parents=True, exist_ok=True)
    prepare(arguments.model)

    report = {}
    for precision in ("fp32", "bf16"):
        for batch in (1, 8):
            runs = arguments.runs if batch == 1 else max(3, arguments.runs // 5)
            report[f"{precision} batch {batch}"] = results = latency(arguments.build, arguments.model, precision, batch,
                                                                     arguments.rounds, runs)
            table(f"ViT-B/16 {precision}, batch {batch}: median latency", results, "median_ms", "ms")
            if batch == 1:
                table(f"ViT-B/16 {precision}: load", results, "load_ms", "ms")
    report["first answer"] = results = first_answer(arguments.build, arguments.model, arguments.picture, arguments.rounds)
    table("fresh process to its first answer (fp32)", results, "seconds", "s")
    table("its peak memory", results, "peak_mib", "MiB")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
