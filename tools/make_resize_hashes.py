"""Writes tests/golden/image/resize_*.txt: hashes of what Pillow and torch make of random pictures.

The cases themselves are not stored; tests/image/resize_test.cpp draws the same ones from the same seeds.
Needs Pillow, numpy and torch: python tools/make_resize_hashes.py
"""
import numpy as np
import PIL
import torch
from PIL import Image

from image_golden import GOLDEN, Random, hash_array, random_picture

PIL_CASES = 6000
TORCH_CASES = 1500


def side(random):
    kind = random.between(0, 9)
    return random.between(1, 6) if kind == 0 else random.between(7, 90) if kind < 9 else random.between(91, 700)


def pil_case(number):
    random = Random(number)
    width, height, new_width, new_height = (side(random) for _ in range(4))
    channels = 1 if random.between(0, 4) == 0 else 3
    code = random.between(0, 5)
    box = None
    if random.between(0, 2) == 0:  # quarters of pixels are exact in float32
        left, right = sorted((random.between(0, 4 * width - 1), random.between(0, 4 * width - 1)))
        top, bottom = sorted((random.between(0, 4 * height - 1), random.between(0, 4 * height - 1)))
        box = (left / 4, top / 4, (right + 1) / 4, (bottom + 1) / 4)
    picture = Image.fromarray(random_picture(number, width, height, channels))
    return np.asarray(picture.resize((new_width, new_height), code, box))


def torch_case(number):
    random = Random(number + 1_000_000)
    width, height, new_width, new_height = (side(random) for _ in range(4))
    mode = "bilinear" if random.between(0, 1) == 0 else "bicubic"
    pixels = torch.from_numpy(random_picture(number, width, height, 3)).permute(2, 0, 1)[None]
    resized = torch.nn.functional.interpolate(pixels, (new_height, new_width), mode=mode, antialias=True)
    return resized[0].permute(1, 2, 0).numpy()


def write(name, made_by, cases):
    lines = [f"# {made_by}; written by tools/make_resize_hashes.py", *cases]
    (GOLDEN / name).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    write("resize_pil.txt", f"Pillow {PIL.__version__}", (hash_array(pil_case(i)) for i in range(PIL_CASES)))
    write("resize_torch.txt", f"torch {torch.__version__}", (hash_array(torch_case(i)) for i in range(TORCH_CASES)))
