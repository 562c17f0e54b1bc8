#!/usr/bin/env python3
"""Opens the report of `nunchi demo` in headless Chromium, on a telephone's and on a desk's width, light and dark.

    report_test.py NUNCHI MODEL [--keep FOLDER]     FOLDER: where the report and the screenshots stay

Nothing may be logged as an error, every picture must be decoded, nothing may stand out to the right, no large number
may be broken, and the page may ask the network for nothing. Without Chromium the test is skipped (exit 77).
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

from browser import SIZES, Browser, Page, chromium


def problems_of(browser, file, name, scheme, keep):
    page = Page(browser, file, SIZES[name], scheme)
    facts, problems = page.layout_problems()
    if keep:
        page.screenshot(keep / f"{name}_{scheme}.png")
    problems += page.problems()
    if facts["pictures"] < 10:
        problems.append(f"only {facts['pictures']} pictures")
    page.close()
    return facts, [f"{name}, {scheme}: {problem}" for problem in problems]


def check(program, file, keep):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        found = {(name, scheme): problems_of(browser, file, name, scheme, keep)
                 for name in SIZES for scheme in ("light", "dark")}
        browser.close()
    problems = [problem for _, each in found.values() for problem in each]
    if found["desk", "light"][0]["background"] == found["desk", "dark"][0]["background"]:
        problems.append("light and dark look the same")
    return problems, found["desk", "light"][0]["pictures"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nunchi")
    parser.add_argument("model")
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    program = chromium()
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(arguments.keep.resolve() if arguments.keep else folder) / "demo.html"
        subprocess.run([arguments.nunchi, "demo", "--no-network", "-m", arguments.model, "-o", str(page)], check=True,
                       stdout=subprocess.DEVNULL)
        problems, pictures = check(program, page, arguments.keep)
    print("\n".join(problems) or f"{pictures} pictures, {len(SIZES)} widths, light and dark: all in order")
    sys.exit(1 if problems else 0)


main()
