#!/usr/bin/env python3
"""No file of code is longer than 600 lines, golden data stays under 20 MB, all under 60 MB."""
import source

FOLDERS = ("src", "tests", "tools", "examples", "benchmarks")
SUFFIXES = {".h", ".cpp", ".py", ".sh", ".cmake"}
LONGEST_FILE = 600
MEGABYTE = 1_000_000


def main():
    root = source.checkout(__doc__)
    problems, total, golden = [], 0, 0
    for path in source.committed_files(root):
        here, size = path.relative_to(root), path.stat().st_size
        total += size
        golden += size if here.parts[:2] == ("tests", "golden") else 0
        if here.parts[0] not in FOLDERS or path.suffix not in SUFFIXES:
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONGEST_FILE:
            problems.append(f"{here}: {len(lines)} lines, at most {LONGEST_FILE}: split it by what its parts do")
    if golden > 20 * MEGABYTE:
        problems.append(f"tests/golden: {golden / MEGABYTE:.1f} MB, at most 20")
    if total > 60 * MEGABYTE:
        problems.append(f"the repository: {total / MEGABYTE:.1f} MB, at most 60")
    source.finish(problems, "sizes")


main()
