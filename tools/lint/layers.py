#!/usr/bin/env python3
"""The arrows between the folders of src/ point down, as tools/lint/layers.txt says; LibTorch stays where it belongs."""
import fnmatch
import pathlib

import source


def read_table(path):
    table = {}
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            name, _, named = line.partition(":")
            table[name] = named.split()
    return table.pop("libtorch"), table.pop("without-libtorch"), table


def reachable(table, folder):
    found, rest = {"core", folder}, list(table[folder])
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            rest += table[name]
    return found


def is_libtorch(name):
    return name.split("/")[0] in ("ATen", "c10", "torch", "caffe2")


def check_arrows(src, table, libtorch):
    allowed = {folder: reachable(table, folder) for folder in table}
    for path in source.code_files(src, "."):
        here = path.relative_to(src)
        folder = here.parts[0]
        if folder not in table:
            yield f"src/{here}: the folder {folder} is not in tools/lint/layers.txt"
            continue
        for line, bracket, name in source.includes(path):
            target = name.split("/")[0]
            if is_libtorch(name) and folder not in libtorch:
                yield f"src/{here}:{line}: {folder} must not include LibTorch ({name})"
            elif bracket == '"' and not is_libtorch(name):
                if not (src / name).is_file():
                    yield f'src/{here}:{line}: "{name}" is no file of src/: write the path from src/, or <> for others'
                elif target not in allowed[folder]:
                    yield f"src/{here}:{line}: {folder} must not include {target} ({name})"


def chain_to_libtorch(src, path):
    """The first chain of includes from path to a LibTorch header."""
    seen, rest = {path}, [(path, [])]
    while rest:
        file, chain = rest.pop(0)
        for _, _, name in source.includes(file):
            if is_libtorch(name):
                return chain + [name]
            target = src / name
            if target.is_file() and target not in seen:
                seen.add(target)
                rest.append((target, chain + [name]))
    return None


def check_torch_free(src, patterns):
    for path in source.code_files(src, "."):
        here = str(path.relative_to(src))
        if any(fnmatch.fnmatch(here, pattern) for pattern in patterns):
            if chain := chain_to_libtorch(src, path):
                yield f"src/{here}: must stay free of LibTorch but includes {' -> '.join(chain)}"


def main():
    root = source.checkout(__doc__)
    libtorch, torch_free, table = read_table(pathlib.Path(__file__).parent / "layers.txt")
    src = root / "src"
    source.finish([*check_arrows(src, table, libtorch), *check_torch_free(src, torch_free)], "layers")


main()
