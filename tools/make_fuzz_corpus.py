#!/usr/bin/env python3
"""Makes tests/fuzz/corpus: small files from which the fuzzers start, and which the ordinary tests replay.

    python tools/make_fuzz_corpus.py           # needs numpy and Pillow; run tools/make_formats_golden.py and make_pickle_golden.py first
"""
import io
import json
import shutil
import struct
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "formats"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"


def write(target, name, data):
    path = CORPUS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def safetensors_bytes(header, data=b"\0" * 4):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def make_safetensors():
    for path in GOLDEN.glob("*.safetensors"):
        write("safetensors", path.stem, path.read_bytes())
    one = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    write("safetensors", "unknown_field", safetensors_bytes({"a": {**one, "x": [{"y": None}, 1.5]}}))
    write("safetensors", "metadata", safetensors_bytes({"__metadata__": {"a": "b", "c": "d"}, "a": one}))
    write("safetensors", "overflow", safetensors_bytes({"a": {**one, "shape": [2**63, 2**63]}}))
    write("safetensors", "twice", safetensors_bytes(b'{"a":{"dtype":"F32"},"a":{}}'))


def make_npy():
    for path in GOLDEN.glob("*.npy"):
        write("npy", path.stem, path.read_bytes())


def make_shard_index():
    def index(shard_of):
        return json.dumps({"metadata": {"total_size": 8}, "weight_map": shard_of}).encode()

    write("shard_index", "two", index({"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}))
    write("shard_index", "outside", index({"a": "../secret.safetensors"}))
    write("shard_index", "number", index({"a": 1}))
    write("shard_index", "empty", b"{}")
    write("shard_index", "deep", b"[" * 50 + b"]" * 50)


def make_zips():
    for path in (GOLDEN / "zip").glob("*.zip"):
        write("zip", path.stem, path.read_bytes())


def make_pickles():
    for path in (GOLDEN / "pickle").glob("*.p*"):
        if path.stat().st_size < 3000:
            write("pickle", path.stem, path.read_bytes())


def picture(mode):
    y, x = np.mgrid[0:11, 0:13]
    rgb = Image.fromarray(np.stack([x * 19, y * 23, (x * y) % 256], axis=-1).astype(np.uint8))
    if mode in ("I;16",):
        return Image.fromarray(((x * 1000 + y) % 65536).astype(np.uint16))
    if mode in ("LA", "RGBA"):
        rgb.putalpha(Image.fromarray((x * 20).astype(np.uint8)))
    return rgb.convert(mode)


def make_images():
    def save(name, mode, form, **options):
        buffer = io.BytesIO()
        picture(mode).save(buffer, form, **options)
        write("image", name, buffer.getvalue())

    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
    save("jpeg_rgb", "RGB", "JPEG", exif=exif)
    save("jpeg_xmp", "RGB", "JPEG", xmp=xmp, subsampling=0)
    save("jpeg_progressive", "RGB", "JPEG", progressive=True, restart_marker_rows=1)
    save("jpeg_gray", "L", "JPEG")
    save("jpeg_cmyk", "CMYK", "JPEG")
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        save(f"png_{mode.replace(';', '')}", mode, "PNG", exif=exif)
    save("png_palette_transparent", "P", "PNG", transparency=3)
    save("webp_lossy", "RGBA", "WEBP", exif=exif)
    save("webp_lossless", "RGB", "WEBP", lossless=True)
    for compression in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        save(f"tiff_{compression}", "RGB", "TIFF", compression=compression)
    save("tiff_cmyk", "CMYK", "TIFF")
    save("tiff_group4", "1", "TIFF", compression="group4")
    save("tiff_16", "I;16", "TIFF")
    save("tiff_palette", "P", "TIFF")
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        save(f"bmp_{mode}", mode, "BMP")
    save("pgm", "L", "PPM")
    save("ppm", "RGB", "PPM")
    save("pbm", "1", "PPM")
    write("image", "ppm_text", b"P3\n# text\n2 2 15\n" + b"1 2 3 " * 4)
    save("gif", "P", "GIF", interlace=1, transparency=2)
    frames = [picture("P"), picture("L").convert("P")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    write("image", "gif_animated", buffer.getvalue())
    buffer = io.BytesIO()
    picture("RGB").save(buffer, "WEBP", save_all=True, append_images=[picture("RGB").transpose(0)])
    write("image", "webp_animated", buffer.getvalue())


if __name__ == "__main__":
    shutil.rmtree(CORPUS, ignore_errors=True)
    make_safetensors()
    make_npy()
    make_shard_index()
    make_zips()
    make_pickles()
    make_images()
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files)} bytes in {CORPUS}")
