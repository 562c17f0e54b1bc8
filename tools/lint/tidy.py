#!/usr/bin/env python3
"""clang-tidy 14 with the checks of .clang-tidy over src/, in two parts: the folders without LibTorch (seconds a file) and
those with it (ten times that). A file whose text, includes and flags were found clean before is not looked at again.

    tools/lint/tidy.py BUILD [plain|libtorch]      77 where clang-tidy-14 is not installed
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import source


# The checkout's path may hold spaces: CMake quotes or escapes them.
PRECOMPILED = r"""-Winvalid-pch|-include (?:"[^"]*cmake_pch[^"]*"|'[^']*cmake_pch[^']*'|(?:\\.|[^\s"'])*cmake_pch(?:\\.|\S)*)"""


def commands(build, part):
    """{file: flags} of one part, without what only g++ understands, such as its precompiled header."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        is_libtorch = "AT_PER_OPERATOR_HEADERS" in entry["command"]
        if "/src/" in entry["file"] and "cmake_pch" not in entry["file"] and is_libtorch == (part == "libtorch"):
            flags = re.sub(PRECOMPILED + "|-Wno-maybe-uninitialized|-fopenmp", "", entry["command"])
            found[pathlib.Path(entry["file"])] = dict(entry, command=flags)
    return found


def included(src, path, seen):
    """The files of src/ that path includes, itself among them."""
    if path not in seen and path.is_file():
        seen.add(path)
        for _, _, name in source.includes(path):
            included(src, src / name, seen)
    return seen


def fingerprint(root, path, entry):
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes() + entry["command"].encode())
    for file in sorted(included(root / "src", path, set())):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    build, part = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else "plain"
    tidy = shutil.which("clang-tidy-14")
    if not tidy:
        print("tidy: skipped, clang-tidy-14 is not installed")
        sys.exit(77)
    work = build / "tidy" / part
    (work / "clean").mkdir(parents=True, exist_ok=True)
    entries = commands(build, part)
    (work / "compile_commands.json").write_text(json.dumps(list(entries.values())))
    marks = {path: work / "clean" / fingerprint(root, path, entry) for path, entry in entries.items()}

    def check(path):
        run = subprocess.run([tidy, "-p", work, "--quiet", path], capture_output=True, text=True)
        # A configuration it cannot read is only a message: it then checks next to nothing.
        failed = run.returncode != 0 or "error:" in run.stderr
        if not failed:
            marks[path].touch()
        return path, failed, run.stdout or run.stderr

    pending = [path for path, mark in marks.items() if not mark.exists()]
    problems = []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for path, failed, output in pool.map(check, pending):
            if failed:
                problems.append(str(path.relative_to(root)))
                print(output, flush=True)
    source.finish(problems, f"tidy {part} ({len(entries)} files, {len(pending)} looked at)")


main()
