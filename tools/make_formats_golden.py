#!/usr/bin/env python3
"""Makes tests/golden/formats: small files as safetensors and numpy write them, and what they hold, as JSON.

    python tools/make_formats_golden.py            # needs numpy, torch and safetensors

The values of tensor i are i, i + 1, i + 2, ... (modulo 2 for booleans), so that the test needs no other source.
"""
import io
import json
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden" / "formats"

SAFETENSORS_DTYPES = {
    "BOOL": torch.bool, "U8": torch.uint8, "I8": torch.int8, "I16": torch.int16, "U16": torch.uint16,
    "F16": torch.float16, "BF16": torch.bfloat16, "I32": torch.int32, "U32": torch.uint32, "F32": torch.float32,
    "C64": torch.complex64, "F64": torch.float64, "I64": torch.int64, "U64": torch.uint64,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz, "F8_E8M0": torch.float8_e8m0fnu,
}
SHAPES = [(), (3,), (2, 3), (1, 2, 2), (0, 4), (2, 1, 1, 2)]


def values(count, first, dtype):
    numbers = torch.arange(first, first + count, dtype=torch.float64)
    return (numbers % 2 if dtype == torch.bool else numbers).to(dtype)


def raw(tensor):
    if tensor.numel() == 0:
        return b""
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def make_safetensors():
    tensors, rows = {}, {}
    for i, (name, dtype) in enumerate(SAFETENSORS_DTYPES.items()):
        shape = SHAPES[i % len(SHAPES)]
        tensor = values(int(np.prod(shape)), i + 1, dtype).reshape(shape)
        tensors[f"layer.{i}.{name.lower()}"] = tensor
        rows[f"layer.{i}.{name.lower()}"] = {"dtype": name, "shape": list(shape), "hex": raw(tensor).hex()}
    (FOLDER / "all_dtypes.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))
    (FOLDER / "all_dtypes.json").write_text(json.dumps({"metadata": {"format": "pt"}, "tensors": rows}, indent=1) + "\n")
    (FOLDER / "no_tensors.safetensors").write_bytes(save({}))


def make_unaligned():
    """As versions of the library before 0.3 wrote: the header is not padded, so that the data are at an odd address."""
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    header += b" " * (1 - len(header) % 2)
    (FOLDER / "unaligned.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<ff", 1, 2))


def make_npy():
    rows = {}
    for i, code in enumerate(["<f4", "<f8", "<f2", "<i4", "<i8", "<i2", "<u2", "<u4", "<u8", "|i1", "|u1", "|b1", "<c8"]):
        shape = SHAPES[i % len(SHAPES)]
        array = (np.arange(int(np.prod(shape))) + i + 1).astype(code).reshape(shape)
        name = f"npy_{code[1:]}.npy"
        np.save(FOLDER / name, array)
        rows[name] = {"shape": list(shape), "hex": array.tobytes().hex()}
    array = np.arange(24, dtype="<i4").reshape(2, 3, 4)
    np.save(FOLDER / "npy_fortran.npy", np.asfortranarray(array))
    rows["npy_fortran.npy"] = {"shape": [2, 3, 4], "hex": array.tobytes().hex()}
    for version in [(2, 0), (3, 0)]:
        name = f"npy_version{version[0]}.npy"
        with open(FOLDER / name, "wb") as file:
            np.lib.format.write_array(file, array, version=version)
        rows[name] = {"shape": [2, 3, 4], "hex": array.tobytes().hex()}
    np.save(FOLDER / "refused_big_endian.npy", array.astype(">i4"))
    np.save(FOLDER / "refused_structured.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    np.save(FOLDER / "refused_text.npy", np.array(["a", "b"]))
    (FOLDER / "npy.json").write_text(json.dumps(rows, indent=1) + "\n")


ZIP_CONTENTS = {"folder/": b"", "folder/zeros": b"\0" * 5000, "folder/text.txt": b"nunchi\n" * 40, "empty": b"",
                "\ub208\uce58.bin": bytes(range(256))}


class Unseekable(io.BytesIO):
    """Makes zipfile write sizes behind the data, as it does into a pipe."""
    def seekable(self):
        return False

    def seek(self, *arguments):
        raise io.UnsupportedOperation

    def tell(self):
        raise io.UnsupportedOperation


def zip_bytes(method=zipfile.ZIP_DEFLATED, target=None, comment=b"", contents=None):
    target = target or io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.comment = comment
        for name, data in (ZIP_CONTENTS if contents is None else contents).items():
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name.endswith("/") else method
            archive.writestr(info, data)
    return target.getvalue()


def zip_with_equal_names():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for data in (b"one", b"two"):
            archive.writestr(zipfile.ZipInfo("a", (2024, 1, 1, 0, 0, 0)), data)
    return target.getvalue()


def make_zip():
    folder = FOLDER / "zip"
    folder.mkdir(exist_ok=True)
    files = {"stored": zip_bytes(zipfile.ZIP_STORED), "deflated": zip_bytes(), "streamed": zip_bytes(target=Unseekable()),
             "comment": zip_bytes(comment=b"PK\5\6" * 10), "no_entries": zip_bytes(contents={}),
             "refused_method": zip_bytes(zipfile.ZIP_BZIP2), "refused_twice": zip_with_equal_names()}
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 16, 0
    files["zip64"] = zip_bytes(zipfile.ZIP_STORED)
    for name, data in files.items():
        (folder / f"{name}.zip").write_bytes(data)
    rows = {name: {"size": len(data), "hex": data[:300].hex()} for name, data in ZIP_CONTENTS.items()}
    (folder / "contents.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    make_safetensors()
    make_unaligned()
    make_npy()
    make_zip()
    print(f"{len(list(FOLDER.rglob('*.*')))} files, {sum(f.stat().st_size for f in FOLDER.rglob('*.*'))} bytes in {FOLDER}")
