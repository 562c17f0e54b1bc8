#!/usr/bin/env python3
"""Writes the parity cases of tests/golden/cases from the Python peers, and checks that each of them can fail.

    tools/make_cases.py                  write every case
    tools/make_cases.py vit_classifier   write these
    tools/make_cases.py --check [NAME]   break the peer on purpose, one part at a time, and see that the outputs move
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from cases.torchvision_without_operators import import_torchvision

import_torchvision()  # timm's transforms and torchvision's models need it; before the peers, which look for it

import torch
import transformers

from cases import check, index, writer
from cases import convnext, deit, dinov2, mobilenet_v2, relatives, resnet, swin, vit
from cases import timm_convolutional, timm_relatives, timm_swin, timm_vit
from cases import original
from cases import torchvision_convolutional, torchvision_swin, torchvision_vit

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden" / "cases"
FAMILIES = (vit, deit, dinov2, mobilenet_v2, swin, resnet, convnext, relatives,
            timm_vit, timm_swin, timm_convolutional, timm_relatives,
            torchvision_vit, torchvision_swin, torchvision_convolutional,
            original)
CASES = [case for family in FAMILIES for case in family.CASES]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="cases; all when left out")
    parser.add_argument("--check", action="store_true", help="check the cases on disk instead of writing them")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the cases")
    options = parser.parse_args()
    unknown = set(options.names) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)  # one order of summation, so that a second run writes the same bytes
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    chosen = [case for case in CASES if not options.names or case.name in options.names]
    if options.check:
        sys.exit(check.check_cases(chosen, options.out))
    for case in chosen:
        writer.write_case(case, options.out / case.name)
        print(case.name)
    index.write_index(CASES, options.out)


if __name__ == "__main__":
    main()
