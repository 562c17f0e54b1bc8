"""What the lint scripts share: the files of a checkout, their text without comments and strings, and the report."""
import argparse
import pathlib
import re
import subprocess
import sys

CODE = {".h", ".cpp"}


def checkout(description):
    """The checkout to look at: the argument, or the one this script lies in."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    return parser.parse_args().root.resolve()


def code_files(root, *folders):
    return sorted(p for folder in folders for p in (root / folder).rglob("*") if p.suffix in CODE)


def committed_files(root):
    """What git tracks or would add; every file where there is no git."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "-coz", "--exclude-standard"], capture_output=True)
    if listing.returncode == 0:
        names = {name for name in listing.stdout.decode().split("\0") if name}
        return sorted(p for p in (root / name for name in names) if p.is_file() and not p.is_symlink())
    return sorted(p for p in root.rglob("*") if p.is_file() and not {".git", ".deps", "build"} & set(p.parts))


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'
                   r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)


def without_comments(text, keep_strings=False):
    """Comments (and the insides of strings) blanked, line numbers kept."""
    def blank(match):
        found = match.group()
        if keep_strings and found[0] != "/":
            return found
        return (" " if found[0] == "/" else '""') + "\n" * found.count("\n")

    return TOKEN.sub(blank, text)


def includes(path):
    """(line number, '"' or '<', name) of every #include of a file."""
    text = without_comments(path.read_text(encoding="utf-8"), keep_strings=True)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', text, re.M):
        yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def finish(problems, what):
    """Prints the problems and ends the process: 0 when there are none, 1 otherwise."""
    for problem in problems:
        print(problem)
    print(f"{what}: {len(problems)} problems" if problems else f"{what}: clean")
    sys.exit(1 if problems else 0)
