"""Synthetic pictures with gradients, discs, stripes, bars and grain, so that a wrong filter, crop or flip shows."""

import numpy
from PIL import Image


def synthesise(width, height, seed):
    """A picture [height, width, 3] uint8 that is different in every quarter and has sharp and soft edges."""
    random = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float64)
    across, down = x / max(width - 1, 1), y / max(height - 1, 1)
    picture = numpy.stack([80 + 120 * across, 60 + 110 * down, 160 - 90 * across * down], axis=-1)
    for _ in range(4):
        _draw_disc(picture, x, y, random)
    stripes = numpy.sin(x * random.uniform(0.4, 1.4) + y * random.uniform(-0.8, 0.8))
    picture += 28 * stripes[..., None] * (across > 0.45)[..., None] * random.uniform(0.4, 1.0, 3)
    bar_left, bar_top = int(width * 0.08), int(height * 0.62)
    picture[bar_top : bar_top + max(height // 12, 1), bar_left : bar_left + width // 2] = random.uniform(0, 255, 3)
    picture += random.normal(0, 5, picture.shape)
    return numpy.clip(numpy.rint(picture), 0, 255).astype(numpy.uint8)


def grain(width, height, seed):
    """Every pixel another colour: small patches without positions would else be too alike for attention to matter."""
    return numpy.random.default_rng(seed).integers(0, 256, (height, width, 3), numpy.uint8)


def _draw_disc(picture, x, y, random):
    height, width = x.shape
    radius = random.uniform(0.08, 0.3) * min(height, width)
    distance = numpy.hypot(x - random.uniform(0, width), y - random.uniform(0, height))
    coverage = numpy.clip(radius - distance + 0.5, 0, 1)[..., None]
    picture[:] = picture * (1 - coverage) + random.uniform(0, 255, 3) * coverage


def save_picture(path_stem, kind, width, height, seed):
    """Writes the picture in one of the encodings below beside `path_stem` and returns the file written."""
    picture = Image.fromarray(grain(width, height, seed) if kind == "png_grain" else synthesise(width, height, seed))
    path = path_stem.with_suffix(".jpg" if kind.startswith("jpeg") else ".png")
    if kind in ("png", "png_grain"):
        picture.save(path)
    elif kind == "png_gray":
        picture.convert("L").save(path)
    elif kind == "png_gray_alpha":
        _with_alpha(picture).convert("LA").save(path)
    elif kind == "png_rgba":
        _with_alpha(picture).save(path)
    elif kind == "png_palette":
        picture.quantize(40).save(path)
    elif kind == "jpeg":
        picture.save(path, quality=90)
    elif kind.startswith("jpeg_exif_"):
        exif = Image.Exif()
        exif[0x0112] = int(kind.removeprefix("jpeg_exif_"))
        picture.save(path, quality=92, exif=exif)
    else:
        raise ValueError(f"unknown picture kind {kind}")
    return path


def _with_alpha(picture):
    """Alpha falls from left to right and hides a corner: dropping it and blending it give different pictures."""
    width, height = picture.size
    alpha = numpy.tile(numpy.linspace(255, 30, width), (height, 1))
    alpha[: height // 3, : width // 3] = 0
    picture = picture.copy()
    picture.putalpha(Image.fromarray(alpha.astype(numpy.uint8)))
    return picture
