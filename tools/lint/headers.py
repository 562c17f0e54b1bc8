#!/usr/bin/env python3
"""Headers that cost too much to compile are not included, and nothing below src/cli prints, exits or aborts."""
import re

import source

# Each pulls in all operators or the whole of autograd: 5 to 18 s a file. The per-operator headers (ATen/ops/*.h) do not.
THICK = re.compile(r"torch/(torch|all|extension|script|jit)\.h|torch/nn(/.*|\.h)|torch/csrc/api/.*|"
                   r"ATen/(ATen|Functions|NativeFunctions)\.h")
PRINTING = re.compile(
    r"(?<![\w.>])(?:std::)?(printf|vprintf|fprintf|puts|fputs|putchar|perror|exit|_exit|_Exit|quick_exit|abort|terminate)"
    r"\s*\(|\bstd::(cout|cerr|clog)\b|\b(fmt::print)\b")

FORKS = "src/core/child_process.cpp"  # a forked child has nowhere to return to: it leaves with _exit


def main():
    root = source.checkout(__doc__)
    problems = []
    for path in source.code_files(root, "src"):
        here = path.relative_to(root)
        below_cli = here.parts[1] != "cli"
        for line, _, name in source.includes(path):
            if THICK.fullmatch(name):
                problems.append(f"{here}:{line}: {name} is too slow to compile: include the operators' own headers")
            if below_cli and name in ("iostream", "print"):
                problems.append(f"{here}:{line}: <{name}> belongs to src/cli: core code returns, logs or throws")
        if below_cli:
            text = source.without_comments(path.read_text(encoding="utf-8"))
            for match in PRINTING.finditer(text):
                if str(here) == FORKS and match.group(1) == "_exit":
                    continue
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{here}:{line}: {match.group().strip(' (')} belongs to src/cli: return, log or throw")
    source.finish(problems, "headers")


main()
