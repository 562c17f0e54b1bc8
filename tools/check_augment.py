"""Compares nunchi's augmentation with torchvision v2 on PIL pictures, operation by operation, byte by byte.

    python tools/check_augment.py [--cases N] AUGMENT_OPS [PHOTO...]   compares
    python tools/check_augment.py --write        writes tests/golden/image/augment.txt
    python tools/check_augment.py --statistics   what torchvision draws, for augment_draw_test.cpp

AUGMENT_OPS is the program of tests/data/augment_ops_main.cpp (ninja augment_ops). Needs Pillow, numpy, torch and
torchvision.
"""
import argparse
import collections
import math
import subprocess

import numpy as np
import torch
from PIL import Image

from cases.torchvision_without_operators import import_torchvision
from image_golden import GOLDEN, Random, hash_array, random_picture

import_torchvision()
from torchvision.transforms import v2  # noqa: E402
from torchvision.transforms.v2 import functional as F  # noqa: E402

FILTERS = {0: F.InterpolationMode.NEAREST, 2: F.InterpolationMode.BILINEAR, 3: F.InterpolationMode.BICUBIC,
           1: F.InterpolationMode.LANCZOS, 4: F.InterpolationMode.BOX, 5: F.InterpolationMode.HAMMING}
PADDINGS = ["constant", "edge", "reflect", "symmetric"]
KINDS = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast",
         "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize"]


def warped(picture, numbers, **affine):
    code, *fill = numbers
    center = [0, 0] if "shear" in affine else None
    affine = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0], **affine}
    return F.affine(picture, interpolation=FILTERS[code], fill=fill_of(picture, fill), center=center, **affine)


def fill_of(picture, fill):
    return fill[:1] if picture.mode == "L" else fill


def rotated(picture, angle, code, *fill):
    return F.rotate(picture, angle, interpolation=FILTERS[code], fill=fill_of(picture, fill))


def sheared_across(picture, slope, *warp):
    return warped(picture, warp, shear=[math.degrees(math.atan(slope)), 0.0])


def sheared_down(picture, slope, *warp):
    return warped(picture, warp, shear=[0.0, math.degrees(math.atan(slope))])


def translated(picture, right, down, *warp):
    return warped(picture, warp, translate=[right, down])


def cropped(picture, left, top, width, height, mode, *fill):
    right, below = left + width - picture.width, top + height - picture.height
    padding = [max(0, -left), max(0, -top), max(0, right), max(0, below)]
    padded = F.pad(picture, padding, fill=fill_of(picture, fill), padding_mode=PADDINGS[mode])
    return F.crop(padded, max(0, top), max(0, left), height, width)


def resized_crop(picture, left, top, width, height, new_width, new_height, code):
    return F.resized_crop(picture, top, left, height, width, [new_height, new_width], FILTERS[code])


def rand_augmented(picture, kind, magnitude, bins, sign):
    transform = v2.RandAugment(num_magnitude_bins=bins, magnitude=magnitude)
    magnitudes = transform._AUGMENTATION_SPACE[KINDS[kind]][0](bins, picture.height, picture.width)
    value = 0.0 if magnitudes is None else float(magnitudes[magnitude]) * sign
    apply = transform._apply_image_or_video_transform
    return apply(picture, KINDS[kind], value, transform.interpolation, transform._fill)


PEERS = {
    "adjust_brightness": F.adjust_brightness,
    "adjust_contrast": F.adjust_contrast,
    "adjust_saturation": F.adjust_saturation,
    "adjust_sharpness": F.adjust_sharpness,
    "adjust_hue": F.adjust_hue,
    "to_gray": lambda picture, channels: F.rgb_to_grayscale(picture, num_output_channels=channels),
    "posterize": F.posterize,
    "solarize": F.solarize,
    "autocontrast": F.autocontrast,
    "equalize": F.equalize,
    "flip_left_right": F.horizontal_flip,
    "flip_top_bottom": F.vertical_flip,
    "rotate": rotated,
    "shear_x": sheared_across,
    "shear_y": sheared_down,
    "translate": translated,
    "crop_padded": cropped,
    "resized_crop": resized_crop,
    "rand_augment": rand_augmented,
}


def peer(operation, pixels, numbers):
    picture = Image.fromarray(pixels)
    if operation == "normalize":
        channels = 1 if picture.mode == "L" else 3
        values = F.to_dtype(F.to_image(picture), torch.float32, scale=True)
        return F.normalize(values, numbers[:channels], numbers[3 : 3 + channels]).numpy()
    return np.asarray(PEERS[operation](picture, *numbers))


def golden_picture(seed, width, height, channels):
    """Of every third the contrast is low, of every third one channel is flat."""
    pixels = random_picture(seed, width, height, channels)
    if seed % 3 == 1:
        pixels = (60 + pixels.astype(np.int32) * 3 // 8).astype(np.uint8)
    elif seed % 3 == 2:
        pixels.reshape(height, width, -1)[:, :, 0] = seed % 256
    return pixels


def draw_numbers(operation, random, width, height):
    """Numbers of an operation; reals are multiples of 1/64, or of 1/1000 where decimal places are wanted."""
    reals = lambda low, high: random.between(int(low * 64), int(high * 64)) / 64
    decimals = lambda low, high: random.between(int(low * 1000), int(high * 1000)) / 1000
    bytes_ = lambda count: [random.between(0, 255) for _ in range(count)]
    warp = lambda: [(0, 2, 3)[random.between(0, 2)], *bytes_(3)]
    if operation in ("adjust_brightness", "adjust_contrast", "adjust_saturation", "adjust_sharpness"):
        return [(decimals if random.between(0, 1) else reals)(0, 2.5)]
    if operation == "adjust_hue":
        return [decimals(-0.5, 0.5)]
    if operation == "to_gray":
        return [(1, 3)[random.between(0, 1)]]
    if operation == "posterize":
        return [random.between(1, 8)]
    if operation == "solarize":
        return [reals(-1, 257)]
    if operation == "rotate":
        is_quarter = random.between(0, 7) == 0
        return [(0, 90, 180, 270, -90)[random.between(0, 4)] if is_quarter else decimals(-370, 370), *warp()]
    if operation in ("shear_x", "shear_y"):
        return [decimals(-0.6, 0.6), *warp()]
    if operation == "translate":
        return [random.between(-width, width), random.between(-height, height), *warp()]
    if operation == "crop_padded":
        mode = random.between(0, 3)
        reach = (min(width, height) - 1 if mode == 2 else min(width, height)) if mode > 1 else 9
        left, top = random.between(-reach, width - 1), random.between(-reach, height - 1)
        return [left, top, random.between(max(1, 1 - left), width + reach - left),
                random.between(max(1, 1 - top), height + reach - top), mode, *bytes_(3)]
    if operation == "resized_crop":
        left, top = random.between(0, width - 1), random.between(0, height - 1)
        return [left, top, random.between(1, width - left), random.between(1, height - top), random.between(1, 70),
                random.between(1, 70), random.between(1, 5)]
    if operation == "rand_augment":
        bins = (31, 11, 10)[random.between(0, 2)]
        return [random.between(0, 13), random.between(0, bins - 1), bins, (-1, 1)[random.between(0, 1)]]
    if operation == "normalize":
        return [decimals(0, 1) for _ in range(3)] + [decimals(0.01, 1) for _ in range(3)]
    return []


def may_follow(operation, numbers, channels):
    """Whether torchvision takes it; a negative magnitude only where RandAugment draws a sign."""
    if operation == "rand_augment":
        if numbers[0] not in range(1, 10):
            numbers[3] = 1
        return not (channels == 1 and numbers[0] == 7)  # Color of a gray picture is refused
    return channels == 3 or operation not in ("to_gray", "adjust_saturation", "adjust_hue")


def ask(program, jobs):
    """Runs (operation, pixels, numbers) jobs through the program: arrays."""
    stream = bytearray()
    for operation, pixels, numbers in jobs:
        height, width, channels = pixels.reshape(*pixels.shape[:2], -1).shape
        stream += f"{operation} {width} {height} {channels} {' '.join(map(repr, numbers))}\n".encode()
        stream += pixels.tobytes()
    output = subprocess.run([program], input=bytes(stream), stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for operation, _, _ in jobs:
        end = output.index(b"\n", at)
        width, height, channels = map(int, output[at:end].split())
        at, count = end + 1, width * height * channels
        if operation == "normalize":
            yield np.frombuffer(output, np.float32, count, at).reshape(channels, height, width)
            at += 4 * count
        else:
            shape = (height, width) if channels == 1 else (height, width, channels)
            yield np.frombuffer(output, np.uint8, count, at).reshape(shape)
            at += count


def drawn_jobs(cases, photos):
    operations = [*PEERS, "normalize"]
    for number in range(cases):
        random = Random(number + 5_000_000)
        operation = operations[number % len(operations)]
        if photos and random.between(0, 3) == 0:
            pixels = photos[random.between(0, len(photos) - 1)]
        else:
            channels = 1 if random.between(0, 4) == 0 else 3
            small = random.between(0, 5) == 0
            width, height = (random.between(1, 6) if small else random.between(7, 90) for _ in range(2))
            pixels = golden_picture(number, width, height, channels)
        height, width, channels = pixels.reshape(*pixels.shape[:2], -1).shape
        numbers = draw_numbers(operation, random, width, height)
        if may_follow(operation, numbers, channels):
            yield operation, pixels, numbers


def compare(program, cases, photos):
    jobs = list(drawn_jobs(cases, photos))
    found = collections.defaultdict(lambda: [0, 0, 0, 0.0])  # cases, values, values that differ, largest difference
    for (operation, pixels, numbers), ours in zip(jobs, ask(program, jobs), strict=True):
        theirs = peer(operation, pixels, numbers)
        name = f"rand_augment {KINDS[numbers[0]]}" if operation == "rand_augment" else operation
        if operation in ("rotate", "shear_x", "shear_y", "translate"):
            name += {0: " nearest", 2: " bilinear", 3: " bicubic"}[numbers[-4]]
        assert ours.shape == theirs.shape, (name, numbers, ours.shape, theirs.shape)
        difference = np.abs(ours.astype(np.float64) - theirs)
        row = found[name]
        row[0] += 1
        row[1] += difference.size
        row[2] += int((difference != 0).sum())
        if difference.max() > row[3]:
            row[3] = difference.max()
            print(f"  {name} {pixels.shape} {numbers}: {(difference != 0).sum()} values differ by up to {row[3]:g}")
    print(f"{'operation':28} {'cases':>6} {'values':>10} {'differ':>7} {'largest':>8}")
    for name, (count, values, differ, largest) in sorted(found.items()):
        print(f"{name:28} {count:6} {values:10} {differ:7} {largest:8g}")
    return sum(row[2] for row in found.values())


def write_golden(cases=800):
    lines = ["# torchvision on Pillow's pictures, of one of 8 sizes; written by tools/check_augment.py"]
    sizes = [(24, 20), (20, 24), (17, 17), (32, 32), (5, 9), (3, 3), (2, 7), (1, 1)]
    operations = list(PEERS)
    for number in range(cases):
        random = Random(number + 6_000_000)
        operation = operations[number % len(operations)]
        width, height = sizes[random.between(0, 7) if random.between(0, 2) == 0 else random.between(0, 3)]
        channels = 1 if random.between(0, 4) == 0 else 3
        numbers = draw_numbers(operation, random, width, height)
        if may_follow(operation, numbers, channels):
            result = peer(operation, golden_picture(number, width, height, channels), numbers)
            texts = " ".join(repr(value) for value in numbers)
            lines.append(f"{hash_array(result)} {number} {width} {height} {channels} {operation} {texts}".rstrip())
    (GOLDEN / "augment.txt").write_text("\n".join(lines) + "\n")


def moments(values):
    quantiles = " ".join(f"{q:.4g}" for q in np.quantile(values, [0.1, 0.25, 0.5, 0.75, 0.9]))
    return f"mean {np.mean(values):.4f} deviation {np.std(values):.4f} quantiles {quantiles}"


def print_statistics(draws=200_000):
    """Of what is drawn for a picture of 48 x 30 (wide enough that tries of RandomResizedCrop fail)."""
    torch.manual_seed(0)
    picture = [Image.new("RGB", (48, 30))]
    crop = v2.RandomResizedCrop(32, scale=(0.3, 1.0))
    drawn = [crop.make_params(picture) for _ in range(draws)]
    for key in ("width", "height", "left", "top"):
        print(f"RandomResizedCrop {key}: {moments([d[key] for d in drawn])}")
    print(f"central part: {np.mean([d['width'] == 40 and d['height'] == 30 and d['left'] == 4 for d in drawn]):.5f}")
    erasing = v2.RandomErasing(p=1)
    image = [torch.zeros(3, 30, 48)]
    drawn = [erasing.make_params(image) for _ in range(draws)]
    print(f"RandomErasing fails: {np.mean([d['v'] is None for d in drawn]):.5f}")
    drawn = [d for d in drawn if d["v"] is not None]
    for key in ("w", "h", "j", "i"):
        print(f"RandomErasing {key}: {moments([d[key] for d in drawn])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?")
    parser.add_argument("photos", nargs="*")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--statistics", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.write:
        write_golden()
    if options.statistics:
        print_statistics()
    if options.program:
        photos = [np.asarray(Image.open(file).convert("RGB")) for file in options.photos]
        raise SystemExit(compare(options.program, options.cases, photos) != 0)


if __name__ == "__main__":
    main()
