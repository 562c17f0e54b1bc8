"""nunchi's loader and torch's DataLoader with torchvision v2, in turns on the same pictures and the same recipe.

python benchmarks/loader_peers.py BENCH_LOADER DATASET.zip [--rounds N] [--pictures N]
BENCH_LOADER is the program of benchmarks/loader.cpp, DATASET.zip class folders of 32x32 JPEGs under train/. Without
random steps the pixels of both are compared first. Both clocks are printed: of the wall, and of the processor (a second
of it on one core), whose figure holds on a machine that does other work too. torchvision as tools/README.md says.
"""
import argparse
import io
import pathlib
import re
import resource
import subprocess
import sys
import time
import zipfile

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from cases.torchvision_without_operators import import_torchvision  # noqa: E402

import_torchvision()
from torchvision.transforms import v2  # noqa: E402

torch.set_num_threads(1)
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
PLAIN = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
RANDOM = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip(), v2.RandAugment()]


class Pictures(Dataset):
    """JPEGs in memory, or with `decoded` the pictures: what torch's loader is given."""

    def __init__(self, files, transforms, decoded, as_tensors=False):
        self.items = files
        if decoded:
            self.items = [Image.open(io.BytesIO(data)).convert("RGB") for data in files]
        if as_tensors:
            self.items = [v2.functional.to_image(item) for item in self.items]
        self.decoded, self.transform = decoded, v2.Compose(transforms)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        item = self.items[index]
        return self.transform(item if self.decoded else Image.open(io.BytesIO(item)).convert("RGB")), 0


def read_files(path, count):
    archive = zipfile.ZipFile(path)
    endings = (".jpg", ".jpeg", ".png")
    names = sorted(name for name in archive.namelist() if "/train/" in f"/{name}" and name.endswith(endings))
    names = names[:: len(names) // count][:count]
    return [archive.read(name) for name in names]


def checksum(values):
    whole = (values.astype(np.float64) * 1048576.0).astype(np.int64).reshape(len(values), -1)
    return int((whole * (np.arange(whole.shape[1]) % 1009 + 1)).sum())


def processor_seconds():
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peer_rates(dataset, workers):
    """Pictures a second of the wall and of the processor; the workers have started when the clocks do."""
    loader = DataLoader(dataset, 128, shuffle=True, num_workers=workers, drop_last=True)
    before = processor_seconds()
    batches = iter(loader)
    next(batches)
    start, pictures = time.perf_counter(), 0
    for pixels, _ in batches:
        pictures += len(pixels)
    wall = time.perf_counter() - start
    del batches  # ends the workers, whose time counts from then on
    return pictures / wall, (pictures + 128) / (processor_seconds() - before)


def nunchi(program, dataset, *options):
    return subprocess.run([program, *options, dataset], capture_output=True, text=True, check=True).stdout


def nunchi_rates(program, dataset, *options):
    found = re.search(r"([0-9]+) pictures/s, ([0-9]+) per second", nunchi(program, dataset, *options))
    return float(found[1]), float(found[2])


def contenders(options, files):
    count = ["--pictures", str(options.pictures)]
    # A row: pictures as they lie, workers, and what measures it.
    for kind, decoded, keep in (("JPEG", False, []), ("decoded", True, ["--keep"])):
        transforms = Pictures(files, RANDOM + PLAIN, decoded)
        for workers in (0, 1, 2):
            if workers > 0:
                more = ["--workers", str(workers), *keep, *count]
                yield kind, workers, "nunchi", lambda more=more: nunchi_rates(options.program, options.dataset, *more)
            yield kind, workers, "torch, PIL", lambda d=transforms, w=workers: peer_rates(d, w)
    tensors = Pictures(files, RANDOM + PLAIN[1:], True, as_tensors=True)
    for workers in (0, 2):
        yield "decoded", workers, "torch, tensors", lambda w=workers: peer_rates(tensors, w)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("dataset")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=5000)
    options = parser.parse_args()
    files = read_files(options.dataset, options.pictures)
    whole = files[: len(files) // 128 * 128]
    theirs = checksum(np.stack([pixels.numpy() for pixels, _ in Pictures(whole, PLAIN, decoded=False)]))
    ours = int(nunchi(options.program, options.dataset, "--checksum", "--pictures", str(options.pictures)).split()[1])
    assert ours == theirs, "without chance the pixels differ"
    print(f"{len(files)} pictures; without chance the pixels are equal")
    rows = list(contenders(options, files))
    rates = [[measure() for _, _, _, measure in rows] for _ in range(options.rounds)]
    print(f"{'pictures':9} {'workers':>7}  {'loader':15} {'pictures/s':>10} {'per processor second':>21}")
    for (kind, workers, name, _), measured in zip(rows, zip(*rates)):
        wall, processor = (sorted(values)[len(values) // 2] for values in zip(*measured))
        print(f"{kind:9} {workers:7}  {name:15} {wall:10.0f} {processor:21.0f}")


if __name__ == "__main__":
    main()
