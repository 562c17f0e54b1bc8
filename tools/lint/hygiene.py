#!/usr/bin/env python3
"""No path of one machine, no host of a package registry, no secret and no unfinished note in what is committed."""
import re

import source

RULES = [
    (re.compile(r"(?<![\w.$})/-])/(?:work|root|home|opt|tmp|mnt|Users)/\w"), "a path of one machine"),
    (re.compile(r"\b(?:pypi\.org|pythonhosted\.org|deb\.debian\.org|download\.pytorch\.org|archive\.ubuntu\.com)\b"),
     "a registry's host: the user's own configuration decides"),
    (re.compile(r"\bhf_[A-Za-z0-9]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY"), "a secret"),
    (re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"), "an unfinished note"),
]
EXEMPT = {"LICENSE", "tools/lint/hygiene.py"}


def main():
    root = source.checkout(__doc__)
    problems = []
    for path in source.committed_files(root):
        here = str(path.relative_to(root))
        if here in EXEMPT or b"\0" in path.read_bytes()[:8000]:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            problems += [f"{here}:{number}: {what}: {match.group()}"
                         for pattern, what in RULES if (match := pattern.search(line))]
    source.finish(problems, "hygiene")


main()
