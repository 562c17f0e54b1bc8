"""Writes tests/golden/image/decode/ (small picture files of every kind) and decode.txt, photos.txt (what Pillow makes of them).

A line is: name, width, height and hash with EXIF orientation, then without. "error" stands where Pillow refuses.
Needs Pillow and numpy: python tools/make_decode_golden.py
"""
import io
import struct
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin

from image_golden import GOLDEN, ROOT, SHARED, Random, hash_array

DECODE = GOLDEN / "decode"
FILES = {}


def source():
    """A real photo, small, with sides that are no multiples of 8."""
    return Image.open(SHARED / "data" / "photos" / "owl.jpg").convert("RGB").resize((61, 45), Image.BICUBIC)


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def exif_block(orientation, order=">"):
    head = b"MM\0*" if order == ">" else b"II*\0"
    entries = struct.pack(order + "HHIHH", 0x112, 3, 1, orientation, 0)
    return head + struct.pack(order + "IH", 8, 1) + entries + struct.pack(order + "I", 0)


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def add_jpegs(rgb):
    for sampling in (0, 1, 2):
        FILES[f"sampling{sampling}.jpg"] = saved(rgb, "JPEG", quality=90, subsampling=sampling)
        FILES[f"progressive{sampling}.jpg"] = saved(rgb, "JPEG", quality=70, subsampling=sampling, progressive=True)
    FILES["sampling411.jpg"] = saved(rgb, "JPEG", quality=80, subsampling="4:1:1")
    FILES["gray.jpg"] = saved(rgb.convert("L"), "JPEG")
    FILES["gray_progressive.jpg"] = saved(rgb.convert("L"), "JPEG", progressive=True)
    FILES["cmyk.jpg"] = saved(rgb.convert("CMYK"), "JPEG")
    FILES["rgb_not_ycc.jpg"] = saved(rgb, "JPEG", keep_rgb=True)
    FILES["restart.jpg"] = saved(rgb, "JPEG", restart_marker_rows=1)
    FILES["low_quality.jpg"] = saved(rgb, "JPEG", quality=5)
    ycck = bytearray(FILES["cmyk.jpg"])  # the Adobe marker's transform flag says how the inks are coded
    at = ycck.find(b"Adobe")
    if at >= 0:
        ycck[at + 11] = 2
        FILES["ycck.jpg"] = bytes(ycck)
        FILES["cmyk_no_adobe.jpg"] = FILES["cmyk.jpg"][: at - 4] + FILES["cmyk.jpg"][at + 12 :]
    for orientation in range(0, 10):
        order = "<" if orientation % 2 else ">"
        FILES[f"exif{orientation}.jpg"] = saved(rgb, "JPEG", exif=b"Exif\0\0" + exif_block(orientation, order))
    FILES["xmp6.jpg"] = saved(rgb, "JPEG", xmp=XMP)
    FILES["stray_bytes.jpg"] = FILES["sampling0.jpg"] + b"\0\1\2\3"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, rows, extra=b"", interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    body = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + body + chunk(b"IEND", b"")


def png_rows(random, width, height, bits, interlace):
    """Filter byte and noise for every row, of every Adam7 pass where interlaced."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = bytearray()
    for x0, y0, dx, dy in passes if interlace else [(0, 0, 1, 1)]:
        columns, rows = (width - x0 + dx - 1) // dx, (height - y0 + dy - 1) // dy
        for _ in range(rows if columns > 0 else 0):
            data.append(random.between(0, 4))
            data += bytes(random.between(0, 255) for _ in range((columns * bits + 7) // 8))
    return bytes(data)


def add_pngs(rgb):
    random = Random(3)
    palette = chunk(b"PLTE", bytes(random.between(0, 255) for _ in range(3 * 13)))
    kinds = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
    for color, (samples, depths) in kinds.items():
        for depth in depths:
            for interlace in (0, 1):
                extra = palette if color == 3 else b""
                if color == 3 and depth < 4:
                    extra = chunk(b"PLTE", bytes(random.between(0, 255) for _ in range(3 << depth)))
                rows = png_rows(random, 23, 17, samples * depth, interlace)
                FILES[f"color{color}_{depth}bit{'_interlaced' if interlace else ''}.png"] = png(
                    23, 17, depth, color, rows, extra, interlace
                )
    rows = png_rows(random, 23, 17, 8, 0)
    FILES["palette_transparent.png"] = png(23, 17, 8, 3, rows, palette + chunk(b"tRNS", b"\0\x80"))
    FILES["gray_transparent.png"] = png(23, 17, 8, 0, rows, chunk(b"tRNS", b"\0\x07"))
    FILES["exif5.png"] = saved(rgb, "PNG", exif=b"Exif\0\0" + exif_block(5))
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    FILES["xmp6.png"] = saved(rgb, "PNG", pnginfo=info)
    FILES["animated.png"] = saved(rgb, "PNG", save_all=True, append_images=[rgb.rotate(180)])


def add_webps(rgb):
    rgba = rgb.copy()
    rgba.putalpha(Image.linear_gradient("L").resize(rgb.size))
    FILES["lossy.webp"] = saved(rgb, "WEBP", quality=80)
    FILES["lossless.webp"] = saved(rgb, "WEBP", lossless=True)
    FILES["lossy_alpha.webp"] = saved(rgba, "WEBP", quality=60)
    FILES["lossless_alpha.webp"] = saved(rgba, "WEBP", lossless=True, exact=True)
    FILES["animated.webp"] = saved(rgba, "WEBP", save_all=True, append_images=[rgba.rotate(180)], duration=50)
    FILES["exif8.webp"] = saved(rgb, "WEBP", exif=exif_block(8))
    FILES["xmp6.webp"] = saved(rgb, "WEBP", xmp=XMP)


def add_tiffs(rgb):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 65536, (19, 27), dtype=np.uint16))
    modes = {"rgb": rgb, "gray": rgb.convert("L"), "bits1": rgb.convert("1"), "palette": rgb.quantize(40)}
    rgba = rgb.copy()
    rgba.putalpha(Image.linear_gradient("L").resize(rgb.size))
    modes |= {"rgba": rgba, "cmyk": rgb.convert("CMYK"), "gray16": noise, "la": rgba.convert("LA")}
    for name, image in modes.items():
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
            FILES[f"{name}_{compression}.tif"] = saved(image, "TIFF", compression=compression)
    FILES["rgb_jpeg.tif"] = saved(rgb, "TIFF", compression="jpeg", quality=80)
    FILES["gray_jpeg.tif"] = saved(rgb.convert("L"), "TIFF", compression="jpeg", quality=80)
    FILES["ycc_jpeg.tif"] = saved(rgb.convert("YCbCr"), "TIFF", compression="jpeg", quality=80)
    for fax in ("group3", "group4", "tiff_ccitt"):
        FILES[f"{fax}.tif"] = saved(rgb.convert("1"), "TIFF", compression=fax)
    for extra in ("zstd", "lzma", "webp"):
        try:
            FILES[f"rgb_{extra}.tif"] = saved(rgb, "TIFF", compression=extra)
        except OSError:
            pass
    FILES["int32.tif"] = saved(Image.fromarray(np.arange(-300, 700, 20, dtype=np.int32).reshape(5, 10)), "TIFF")
    FILES["float.tif"] = saved(Image.fromarray(np.linspace(-9, 300, 50, dtype=np.float32).reshape(5, 10)), "TIFF")
    for orientation in (3, 6):
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[0x112] = orientation
        FILES[f"orientation{orientation}.tif"] = saved(rgb, "TIFF", tiffinfo=tags, compression="tiff_lzw")
    add_raw_tiffs()


def raw_tiff(order, width, height, bits, photometric, data, extra=(), tile=None, planar=1, colormap=None, fill=1, format=1):
    """An uncompressed TIFF written by hand: 16-bit colour, planes, tiles and odd depths, which Pillow cannot write."""
    samples = len(bits)
    tags = [(256, 4, [width]), (257, 4, [height]), (258, 3, list(bits)), (259, 3, [1]), (262, 3, [photometric])]
    tags += [(266, 3, [fill]), (277, 3, [samples]), (284, 3, [planar]), (339, 3, [format] * samples)]
    parts = data if isinstance(data, list) else [data]
    if extra:
        tags.append((338, 3, list(extra)))
    if colormap:
        tags.append((320, 3, colormap))
    offsets = [8 + sum(len(p) for p in parts[:i]) for i in range(len(parts))]
    if tile:
        tags += [(322, 4, [tile[0]]), (323, 4, [tile[1]]), (324, 4, offsets), (325, 4, [len(p) for p in parts])]
    else:
        tags += [(273, 4, offsets), (278, 4, [height]), (279, 4, [len(p) for p in parts])]
    body = b"".join(parts) + b"\0" * (sum(map(len, parts)) % 2)
    directory = 8 + len(body)
    entries, values = b"", b""
    after = directory + 2 + 12 * len(tags) + 4
    for tag, kind, numbers in sorted(tags):
        packed = struct.pack(order + str(len(numbers)) + ("H" if kind == 3 else "I"), *numbers)
        if len(packed) > 4:
            entries += struct.pack(order + "HHII", tag, kind, len(numbers), after + len(values))
            values += packed
        else:
            entries += struct.pack(order + "HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", directory)
    return head + body + struct.pack(order + "H", len(tags)) + entries + b"\0" * 4 + values


def add_raw_tiffs():
    random = Random(11)
    noise = lambda count: bytes(random.between(0, 255) for _ in range(count))
    for order, name in (("<", "little"), (">", "big")):
        FILES[f"rgb16_{name}.tif"] = raw_tiff(order, 13, 9, [16] * 3, 2, noise(13 * 9 * 6))
        FILES[f"gray16_{name}.tif"] = raw_tiff(order, 13, 9, [16], 1, noise(13 * 9 * 2))
        FILES[f"int16_{name}.tif"] = raw_tiff(order, 13, 9, [16], 1, noise(13 * 9 * 2), format=2)
    FILES["gray12.tif"] = raw_tiff("<", 14, 9, [12], 1, noise(21 * 9))
    FILES["cmyk16.tif"] = raw_tiff("<", 13, 9, [16] * 4, 5, noise(13 * 9 * 8))
    for bits in (1, 2, 4, 8):
        row = (13 * bits + 7) // 8
        colors = [random.between(0, 65535) for _ in range(3 << bits)]
        FILES[f"white0_{bits}.tif"] = raw_tiff("<", 13, 9, [bits], 0, noise(row * 9))
        FILES[f"black0_{bits}.tif"] = raw_tiff(">", 13, 9, [bits], 1, noise(row * 9), fill=2)
        FILES[f"palette{bits}.tif"] = raw_tiff("<", 13, 9, [bits], 3, noise(row * 9), colormap=colors)
    FILES["planes.tif"] = raw_tiff("<", 13, 9, [8] * 3, 2, [noise(13 * 9) for _ in range(3)], planar=2)
    FILES["tiles.tif"] = raw_tiff("<", 37, 21, [8] * 3, 2, [noise(16 * 16 * 3) for _ in range(6)], tile=(16, 16))
    for extra in (0, 1, 2):
        FILES[f"extra{extra}.tif"] = raw_tiff("<", 13, 9, [8] * 4, 2, noise(13 * 9 * 4), extra=[extra])
    FILES["associated16.tif"] = raw_tiff("<", 13, 9, [16] * 4, 2, noise(13 * 9 * 8), extra=[1])


def bmp(width, height, bits, data, compression=0, palette=b"", masks=b"", size=40, colors=0):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, colors, 0)
    if size > 40:
        header = struct.pack("<I", size) + header[4:] + masks.ljust(size - 40, b"\0")
        masks = b""
    offset = 14 + len(header) + len(masks) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + masks + palette + data


def add_bmps(rgb):
    random = Random(5)
    noise = lambda count: bytes(random.between(0, 255) for _ in range(count))
    for bits in (1, 4, 8):
        row = (19 * bits + 31) // 32 * 4
        FILES[f"palette{bits}.bmp"] = bmp(19, 11, bits, noise(row * 11), palette=noise(4 << bits))
        FILES[f"palette{bits}_down.bmp"] = bmp(19, -11, bits, noise(row * 11), palette=noise(4 << bits))
    FILES["few_colors.bmp"] = bmp(19, 11, 8, noise(20 * 11), palette=noise(4 * 7), colors=7)
    for bits in (16, 24, 32):
        row = (19 * bits + 31) // 32 * 4
        FILES[f"color{bits}.bmp"] = bmp(19, 11, bits, noise(row * 11))
        FILES[f"color{bits}_down.bmp"] = bmp(19, -11, bits, noise(row * 11))
    masks = {
        "565": (16, 0xF800, 0x7E0, 0x1F, 0),
        "555": (16, 0x7C00, 0x3E0, 0x1F, 0),
        "bgrx": (32, 0xFF0000, 0xFF00, 0xFF, 0),
        "xbgr": (32, 0xFF000000, 0xFF0000, 0xFF00, 0),
        "rgba": (32, 0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        "bgra": (32, 0xFF0000, 0xFF00, 0xFF, 0xFF000000),
    }
    for name, (bits, *values) in masks.items():
        data = noise((19 * bits + 31) // 32 * 4 * 11)
        FILES[f"masks_{name}.bmp"] = bmp(19, 11, bits, data, 3, masks=struct.pack("<4I", *values), size=108)
    FILES["masks_565_short.bmp"] = bmp(19, 11, 16, noise(40 * 11), 3, masks=struct.pack("<3I", 0xF800, 0x7E0, 0x1F))
    runs8 = bytes([10, 7, 9, 200, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 14, 99, 0, 0, 0, 2, 4, 1, 15, 6, 0, 0, 19, 33, 0, 0, 0, 1])
    runs4 = bytes([10, 0x12, 9, 0xAB, 0, 0, 0, 5, 0x12, 0x34, 0x50, 0, 14, 0xCD, 0, 0, 0, 2, 4, 1, 15, 0x77, 0, 0, 19, 0xE1])
    FILES["rle8.bmp"] = bmp(19, 5, 8, runs8, 1, palette=noise(1024))
    FILES["rle4.bmp"] = bmp(19, 5, 4, runs4 + b"\0\1", 2, palette=noise(64))
    core = struct.pack("<IHHHH", 12, 19, 11, 1, 24)
    FILES["os2.bmp"] = b"BM" + struct.pack("<IHHI", 0, 0, 0, 26) + core + noise(60 * 11)
    FILES["gray.bmp"] = saved(rgb.convert("L"), "BMP")


def add_pnms(rgb):
    random = Random(7)
    noise = lambda count: bytes(random.between(0, 255) for _ in range(count))
    words = lambda count, most: b"".join(struct.pack(">H", random.between(0, most)) for _ in range(count))
    text = lambda count, most: b" ".join(b"%d" % random.between(0, most) for _ in range(count))
    FILES["rgb.ppm"] = saved(rgb, "PPM")
    FILES["gray.pgm"] = saved(rgb.convert("L"), "PPM")
    FILES["bits.pbm"] = saved(rgb.convert("1"), "PPM")
    FILES["comment.ppm"] = b"P6 # made by hand\n13 # width\n9\n255\n" + noise(13 * 9 * 3)
    for most in (1, 7, 100, 200):
        FILES[f"max{most}.pgm"] = b"P5 13 9 %d\n" % most + bytes(random.between(0, most) for _ in range(13 * 9))
        FILES[f"max{most}.ppm"] = b"P6 13 9 %d\n" % most + bytes(random.between(0, most) for _ in range(13 * 27))
        FILES[f"plain{most}.ppm"] = b"P3 13 9 %d\n" % most + text(13 * 27, most) + b"\n"
    for most in (300, 65535):
        FILES[f"max{most}.pgm"] = b"P5 13 9 %d\n" % most + words(13 * 9, most)
        FILES[f"max{most}.ppm"] = b"P6 13 9 %d\n" % most + words(13 * 27, most)
        FILES[f"plain{most}.pgm"] = b"P2 13 9 %d\n" % most + text(13 * 9, most) + b"\n"
    FILES["plain.pbm"] = b"P1 13 9\n" + bytes(48 + random.between(0, 1) for _ in range(13 * 9)) + b"\n"
    FILES["plain_comment.pgm"] = b"P2\n# one\n3 2\n15\n0 5 # two\n15 1 2 3\n"


def add_gifs(rgb):
    small = rgb.quantize(50)
    FILES["plain.gif"] = saved(small, "GIF", interlace=0)
    FILES["interlaced.gif"] = saved(small, "GIF", interlace=1)
    FILES["gray.gif"] = saved(rgb.convert("L"), "GIF")
    FILES["transparent.gif"] = saved(small, "GIF", transparency=3)
    FILES["animated.gif"] = saved(small, "GIF", save_all=True, append_images=[small.rotate(180)], duration=50)
    moved = bytearray(FILES["plain.gif"])  # a larger canvas, so that the frame covers a part of it only
    moved[6:10] = struct.pack("<HH", 70, 60)
    FILES["partial.gif"] = bytes(moved)
    moved = bytearray(FILES["transparent.gif"])
    moved[6:10] = struct.pack("<HH", 70, 60)
    FILES["partial_transparent.gif"] = bytes(moved)
    moved[6:10] = struct.pack("<HH", 10, 10)
    FILES["frame_over_canvas.gif"] = bytes(moved)


def answer(data):
    try:
        plain = Image.open(io.BytesIO(data))
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        plain = plain.convert("RGB")
    except Exception as error:  # whatever Pillow throws, it refuses
        return f"error {type(error).__name__}"
    return " ".join(f"{i.width} {i.height} {hash_array(np.asarray(i))}" for i in (upright, plain))


def write_answers(name, answers):
    lines = [f"# Pillow {PIL.__version__}; written by tools/make_decode_golden.py"]
    lines += [f"{key} {value}" for key, value in sorted(answers.items())]
    (GOLDEN / name).write_text("\n".join(lines) + "\n")


def photos():
    data = SHARED / "data"
    files = [*data.glob("photos/*.*"), *data.glob("coco128-val/**/*.jpg"), *data.glob("clip/*.png")]
    return {str(f.relative_to(data)): answer(f.read_bytes()) for f in files if f.suffix in (".bmp", ".jpg", ".png")}


if __name__ == "__main__":
    rgb = source()
    for add in (add_jpegs, add_pngs, add_webps, add_tiffs, add_bmps, add_pnms, add_gifs):
        add(rgb)
    DECODE.mkdir(parents=True, exist_ok=True)
    for old in DECODE.iterdir():
        old.unlink()
    for name, data in FILES.items():
        (DECODE / name).write_bytes(data)
    write_answers("decode.txt", {name: answer(data) for name, data in FILES.items()})
    write_answers("photos.txt", photos())
