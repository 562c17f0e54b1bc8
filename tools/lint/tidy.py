#!/usr/bin/env python3
"""clang-tidy 14 with the checks of .clang-tidy over src/, in two parts: the folders without LibTorch and those with it. A
file whose text, includes and flags were found clean before is not looked at again.

    tools/lint/tidy.py BUILD [plain|libtorch]      77 where clang-tidy-14 or clangd-14 is not installed

clang-tidy looks through every declaration that a file includes, LibTorch's 20 seconds' worth. clangd has the same checks
and looks at the file alone, in three seconds; so there headers are looked at one by one. It leaves out
bugprone-use-after-move: files that move something see clang-tidy for that.
"""
import concurrent.futures
import functools
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


@functools.cache
def includes(path):
    return [name for _, _, name in source.includes(path)]


def included(src, path, seen):
    """The files of src/ that path includes, itself among them."""
    if path not in seen and path.is_file():
        seen.add(path)
        for name in includes(path):
            included(src, src / name, seen)
    return seen


def fingerprint(root, path, entry):
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes() + entry["command"].encode())
    for file in sorted(included(root / "src", path, set())):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def makes_loops(path):
    """The files of an instruction set define what the headers of their loops need: clang-tidy sees both at once."""
    return "NUNCHI_ISA_NAMESPACE" in path.read_text(encoding="utf-8")


def own_headers(root, build, entries):
    """{file: flags} of the headers that only these files include: clang-tidy sees the others in the plain part."""
    def headers_of(files):
        seen = set()
        for file in files:
            included(root / "src", file, seen)
        return {file for file in seen if file.suffix == ".h" and not makes_loops(file)}

    found = {}
    for file, entry in entries.items():
        for header in headers_of([file]):
            command = entry["command"].replace(str(file), str(header)) + " -Wno-unused"  # by itself
            found.setdefault(header, dict(entry, file=str(header), command=command))
    return {header: found[header] for header in sorted(found.keys() - headers_of(commands(build, "plain")))}


def clang_tidy(work, path, *options):
    """What is wrong with a file, as text; empty: nothing."""
    run = subprocess.run(["clang-tidy-14", "-p", work, "--quiet", *options, path], capture_output=True, text=True)
    # A configuration it cannot read is only a message: it then checks next to nothing.
    return run.stdout or run.stderr if run.returncode != 0 or "error:" in run.stderr else ""


def clangd(work, path):
    """The same, of this file alone."""
    run = subprocess.run(["clangd-14", f"--check={path}", "--check-lines=1-1", f"--compile-commands-dir={work}",
                          "--enable-config=false"], capture_output=True, text=True)
    every = re.findall(r"^E\[[^]]*\] (\[.*\]) Line (\d+): (.*)", run.stderr, re.M)
    if not every and (run.returncode != 0 or "All checks completed, 0 errors" not in run.stderr):
        return run.stderr
    # A header names for others what it does not use itself.
    return "\n".join(f"{path}:{line}: {text} {check}" for check, line, text in every
                     if path.suffix == ".cpp" or check != "[misc-unused-using-decls]")


def problems_of(work, path, part):
    if part == "plain" or makes_loops(path):
        return clang_tidy(work, path)
    moves = path.suffix == ".cpp" and "std::move(" in path.read_text(encoding="utf-8")
    return clangd(work, path) or (clang_tidy(work, path, "--checks=-*,bugprone-use-after-move") if moves else "")


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    build, part = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else "plain"
    for tool in ("clang-tidy-14", "clangd-14"):
        if not shutil.which(tool):
            print(f"tidy: skipped, {tool} is not installed")
            sys.exit(77)
    work = build / "tidy" / part
    (work / "clean").mkdir(parents=True, exist_ok=True)
    entries = commands(build, part)
    if part == "libtorch":
        entries.update(own_headers(root, build, entries))
    (work / "compile_commands.json").write_text(json.dumps(list(entries.values())))
    marks = {path: work / "clean" / fingerprint(root, path, entry) for path, entry in entries.items()}

    def check(path):
        found = problems_of(work, path, part)
        if not found:
            marks[path].touch()
        return path, found

    pending = [path for path, mark in marks.items() if not mark.exists()]
    problems = []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for path, found in pool.map(check, pending):
            if found:
                problems.append(str(path.relative_to(root)))
                print(found, flush=True)
    source.finish(problems, f"tidy {part} ({len(entries)} files, {len(pending)} looked at)")


main()
