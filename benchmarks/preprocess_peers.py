"""Pictures a second on one core, nunchi and its peers in turns: decode, shortest side to 256, crop 224, normalise.

python benchmarks/preprocess_peers.py BENCH_PREPROCESS [--rounds N] FILE...
BENCH_PREPROCESS is the program of benchmarks/preprocess.cpp. The answers of the exact peers are compared with nunchi's.
Processor time is measured, so that other work on the machine does not count.
"""
import argparse
import io
import os
import re
import subprocess
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from PIL import Image

torch.set_num_threads(1)
TABLE = ((np.arange(256) * (1 / 255)).astype(np.float32) - np.float32(0.5)) / np.float32(0.5)


def resized_size(width, height):
    long = int(256 * max(width, height) / min(width, height))
    return (256, long) if width < height else (long, 256)


def corners(width, height):
    return (width - 224) // 2, (height - 224) // 2


def pillow(data):
    """Decoded, resized and cropped by Pillow: [224, 224, 3] bytes."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image = image.resize(resized_size(*image.size), Image.BILINEAR)
    left, top = corners(*image.size)
    return np.asarray(image)[top : top + 224, left : left + 224]


def pillow_numpy(data):
    """The arithmetic as transformers writes it."""
    values = (pillow(data).astype(np.float64) * (1 / 255)).astype(np.float32)
    return np.ascontiguousarray(((values - np.float32(0.5)) / np.float32(0.5)).transpose(2, 0, 1))


def pillow_numpy_table(data):
    """The fastest exact way that numpy offers: look every byte up."""
    return TABLE[np.ascontiguousarray(pillow(data).transpose(2, 0, 1))]


def pillow_torch(data):
    """torchvision v2 on tensors: its resize is torch's antialiased kernel, its normalise two tensor operations."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    width, height = resized_size(*image.size)
    pixels = torch.nn.functional.interpolate(pixels, (height, width), mode="bilinear", antialias=True)[0]
    left, top = corners(width, height)
    values = pixels[:, top : top + 224, left : left + 224].float().div_(255)
    return values.sub_(0.5).div_(0.5).contiguous().numpy()


PEERS = {"Pillow + numpy": pillow_numpy, "Pillow + numpy table": pillow_numpy_table, "Pillow + torch (v2)": pillow_torch}


def checksum(values):
    whole = (values.astype(np.float64) * 1048576.0).astype(np.int64).ravel()
    return int((whole * (np.arange(whole.size) % 1009 + 1)).sum())


def peer_rate(process, contents):
    start = time.process_time()
    for data in contents:
        process(data)
    return len(contents) / (time.process_time() - start)


def run_nunchi(program, files, *options):
    command = [program, "--repeat", "1", *options, *files]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"nunchi: ([0-9.]+)", output)[1]), re.search(r"checksum (-?[0-9]+)", output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    contents = [open(f, "rb").read() for f in options.files]
    answer = sum(checksum(pillow_numpy(data)) for data in contents)
    assert int(run_nunchi(options.program, options.files, "--checksum")[1][1]) == answer, "the answers differ"
    rates = {name: [] for name in ("nunchi", *PEERS)}
    for _ in range(options.rounds):
        rates["nunchi"].append(run_nunchi(options.program, options.files * 3)[0])
        for name, process in PEERS.items():
            rates[name].append(peer_rate(process, contents))
    median = {name: sorted(values)[len(values) // 2] for name, values in rates.items()}
    for name, rate in median.items():
        print(f"{name:22} {rate:7.1f} pictures/s   nunchi is {median['nunchi'] / rate:.2f} times as fast")


if __name__ == "__main__":
    main()
