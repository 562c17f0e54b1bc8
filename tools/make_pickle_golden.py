#!/usr/bin/env python3
"""Makes tests/golden/formats/pickle: small files as torch.save writes them (zip archive and the older stream), each with
a .safetensors twin that holds what nunchi is to find in it; and files that are to be refused.

    python tools/make_pickle_golden.py            # needs numpy, torch and safetensors
"""
import argparse
import collections
import io
import os
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden" / "formats" / "pickle"
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
          torch.uint8, torch.bool, torch.complex64]
NEWER_DTYPES = [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2]  # untyped storages


def numbers(*shape, first=1, dtype=torch.float32):
    count = int(np.prod(shape))
    values = torch.arange(first, first + count, dtype=torch.float64).reshape(shape)
    return (values % 2 if dtype == torch.bool else values).to(dtype)


def twin(name, expected):
    save_file({key: value.detach().clone().contiguous() for key, value in expected.items()},
              FOLDER / f"{name}.safetensors")


def both(name, saved, expected, **options):
    """The same object in both containers."""
    torch.save(saved, FOLDER / f"{name}.pth", **options)
    torch.save(saved, FOLDER / f"{name}_stream.pth", _use_new_zipfile_serialization=False, **options)
    twin(name, expected)


def all_dtypes(dtypes):
    tensors = {f"t.{dtype}": numbers(2, 3, dtype=dtype) for dtype in dtypes}
    tensors.update({f"scalar.{dtype}": numbers(dtype=dtype) for dtype in dtypes})
    return tensors


def make_module():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 2), torch.nn.BatchNorm2d(2), torch.nn.Linear(2, 3))
    for i, tensor in enumerate(module.state_dict().values()):
        tensor.copy_(numbers(*tensor.shape, first=i + 1))
    both("module", module.state_dict(), module.state_dict())
    torch.save(module, FOLDER / "refused_module.pth")  # (the stream would hold the source of torch.nn too)


def make_views():
    base = numbers(4, 6)
    flat = numbers(8, first=100, dtype=torch.float16)
    views = {"whole": base, "transposed": base.t(), "rows": base[1:3], "columns": base[:, 1:3], "steps": base[::2, ::3],
             "expanded": flat[2:3].expand(3, 4), "one_axis_expanded": flat[:4].expand(1, 4), "offset": flat[3:],
             "permuted": numbers(2, 3, 4).permute(2, 0, 1), "empty": torch.empty(0, 3), "empty_view": base[4:],
             "channels_last": numbers(1, 2, 3, 3).contiguous(memory_format=torch.channels_last), "number": base[2, 3],
             "same": base}
    both("views", views, views)


class OldParameter:
    """Pickles as a Parameter did before torch 0.4: a call of its class, then a state."""
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return torch.nn.Parameter, (self.tensor,), (True, False, collections.OrderedDict())


def make_parameters():
    plain, with_state = torch.nn.Parameter(numbers(2, 2)), torch.nn.Parameter(numbers(3), requires_grad=False)
    with_state.no_decay = True
    tensor = numbers(4)
    tensor.note = "an attribute"
    saved = collections.OrderedDict(plain=plain, with_state=with_state, tensor=tensor)
    both("parameters", {**saved, "old": OldParameter(numbers(2))}, {**saved, "old": numbers(2)})


def make_wrapped():
    weights = {"cls_token": numbers(1, 1, 4), "blocks.0.attn.qkv.weight": numbers(6, 2, first=5)}
    averaged = {name: value + 0.5 for name, value in weights.items()}
    module = {f"module.{name}": value for name, value in weights.items()}
    arguments = argparse.Namespace(arch="vit_tiny", lr=1e-3, epochs=300, resume=None, size=torch.Size([2, 3]),
                                   device=torch.device("cuda", 0), dtype=torch.float16, names=["a", ("b", 1.5)], big=2**70,
                                   negative=-7, long=-2**40, flags={1, 2}, frozen=frozenset([3]), raw=b"\xff\0bytes")
    optimizer = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": numbers(4)}}, "param_groups": [{"params": [0]}]}
    both("wrapped_model", {"model": weights, "optimizer": optimizer, "epoch": 3, "args": arguments}, weights)
    both("wrapped_state_dict", {"state_dict": module, "best_acc1": np.float64(71.5), "best": torch.tensor(3.0),
                                "count": np.int64(4), "milestones": collections.Counter({30: 1}),
                                "lists": collections.defaultdict(list, a=[1])}, weights)
    both("wrapped_ema", {"model": weights, "model_ema": averaged}, averaged)
    both("wrapped_compiled", {"net": {f"_orig_mod.module.{name}": value for name, value in weights.items()}}, weights)
    both("wrapped_other", {"my_weights": weights, "epoch": 1}, weights)
    both("with_counters", {**weights, "epoch": 3, "nothing": None}, weights)
    student = {f"module.backbone.{name}": value for name, value in weights.items()}
    student["module.head.mlp.0.weight"] = numbers(2, 2)
    teacher = {f"backbone.{name}": value for name, value in averaged.items()}
    teacher.update({"head.mlp.0.weight": numbers(2, 2), "head.last_layer.weight_g": numbers(2, 1)})
    both("dino", {"student": student, "teacher": teacher, "optimizer": optimizer, "epoch": 3, "args": arguments,
                  "dino_loss": {"center": numbers(1, 4)}}, averaged)
    both("dino_student", student, weights)
    classifier = {"backbone.weight": numbers(2), "linear_head.weight": numbers(3)}
    both("backbone_and_classifier", classifier, classifier)
    two = {"generator": {"a": numbers(1)}, "discriminator": {"b": numbers(1)}}
    torch.save(two, FOLDER / "refused_two_dicts.pth")
    torch.save({"epoch": 3}, FOLDER / "refused_no_tensors.pth")
    torch.save([numbers(2)], FOLDER / "refused_list.pth")


def make_protocols():
    saved = collections.OrderedDict(a=numbers(2, 3), b=numbers(3, dtype=torch.int64))
    for protocol in (3, 4, 5):
        both(f"protocol{protocol}", {"model": saved, "args": argparse.Namespace(flags={1}, raw=bytearray(b"x"))
                                     if protocol == 5 else argparse.Namespace(flags={1})}, saved, pickle_protocol=protocol)


class Scale(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(numbers(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


def repacked(source, change=None, method=zipfile.ZIP_STORED):
    target = io.BytesIO()
    with zipfile.ZipFile(FOLDER / source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            info = zipfile.ZipInfo(entry.filename, (2024, 1, 1, 0, 0, 0))
            info.compress_type = method
            data = change(entry.filename, old.read(entry)) if change else old.read(entry)
            if data is not None:
                new.writestr(info, data)
    return target.getvalue()


def make_containers():
    (FOLDER / "packed_again.pth").write_bytes(repacked("views.pth", method=zipfile.ZIP_DEFLATED))
    shutil.copy(FOLDER / "views.safetensors", FOLDER / "packed_again.safetensors")
    big = repacked("module.pth", lambda name, data: b"big" if name.endswith("byteorder") else data)
    (FOLDER / "refused_big_endian.pth").write_bytes(big)
    missing = repacked("module.pth", lambda name, data: None if name.endswith("/data/1") else data)
    (FOLDER / "refused_missing_storage.pth").write_bytes(missing)
    short = repacked("module.pth", lambda name, data: data[:8] if name.endswith("/data/0") else data)
    (FOLDER / "refused_short_storage.pth").write_bytes(short)
    torch.jit.save(torch.jit.script(Scale()), FOLDER / "refused_torchscript.pt")
    program = repacked("refused_torchscript.pt", lambda name, data: None if name.endswith(".debug_pkl") else data)
    (FOLDER / "refused_torchscript.pt").write_bytes(program)
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            archive.addfile(tarfile.TarInfo(name))
    (FOLDER / "refused_tar.pth").write_bytes(target.getvalue()[:2048])


class Calls:
    """Pickles as a call of `function`."""
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def make_malicious():
    command = "echo nunchi was here"
    evil = {"system": Calls(os.system, command), "eval": Calls(eval, command),
            "nested": {"model": collections.OrderedDict(a=numbers(2), b=[(Calls(exec, command),)])},
            "getattr": Calls(getattr, "text", "upper"), "unpickler": Calls(torch.storage._load_from_bytes, b"x")}
    for name, saved in evil.items():
        torch.save(saved, FOLDER / f"refused_{name}.pth")
        torch.save(saved, FOLDER / f"refused_{name}_stream.pth", _use_new_zipfile_serialization=False)
    (FOLDER / "refused_bare.pkl").write_bytes(pickle.dumps({"a": 1}, protocol=4))


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    both("dtypes", all_dtypes(DTYPES), all_dtypes(DTYPES))
    torch.save(all_dtypes(NEWER_DTYPES), FOLDER / "newer_dtypes.pth")
    twin("newer_dtypes", all_dtypes(NEWER_DTYPES))
    make_module()
    make_views()
    make_parameters()
    make_wrapped()
    make_protocols()
    make_containers()
    make_malicious()
    print(f"{len(list(FOLDER.iterdir()))} files, {sum(f.stat().st_size for f in FOLDER.iterdir())} bytes in {FOLDER}")
