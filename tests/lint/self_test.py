#!/usr/bin/env python3
"""Every lint of tools/lint can fail: each is run on a small tree that it must accept and on trees it must refuse.

    tests/lint/self_test.py CHECKOUT      77 where clang-format-14, clang-tidy-14 or clangd-14 is missing (the rest has run)
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

GOOD = {
    "src/core/a.h": "#pragma once\n#include <vector>\nint total(const std::vector<int>& values);  // never abort() here\n",
    "src/ops/b.h": '#pragma once\n#include <ATen/core/Tensor.h>\n\n#include "core/a.h"\n',
    "src/models/c.cpp": '#include "core/a.h"\n#include "ops/b.h"\n',
    "src/cli/main.cpp": '#include <iostream>\n\n#include "core/a.h"\n\nint main() { std::cout << "printf(\\n"; }\n',
}

# lint: the files that make it fail, and a part of what it must say
BAD = {
    "layers.py": [
        ({"src/core/up.cpp": '#include "ops/b.h"\n'}, "core must not include ops"),
        ({"src/formats/side.cpp": '#include "image/x.h"\n', "src/image/x.h": ""}, "formats must not include image"),
        ({"src/formats/t.cpp": "#include <ATen/core/Tensor.h>\n"}, "must not include LibTorch"),
        ({"src/cli/main.cpp": '#include "ops/b.h"\n'}, "free of LibTorch but includes ops/b.h -> ATen/core/Tensor.h"),
        ({"src/core/a.cpp": '#include "a.h"\n'}, "is no file of src/"),
        ({"src/misc/a.h": ""}, "not in tools/lint/layers.txt"),
    ],
    "headers.py": [
        ({"src/nn/a.cpp": "#include <torch/torch.h>\n"}, "torch/torch.h is too slow"),
        ({"src/nn/a.cpp": "#  include <torch/nn/module.h>\n"}, "torch/nn/module.h is too slow"),
        ({"src/nn/a.cpp": '#include "ATen/Functions.h"\n'}, "ATen/Functions.h is too slow"),
        ({"src/core/a.cpp": "#include <iostream>\n"}, "<iostream> belongs to src/cli"),
        ({"src/core/a.cpp": 'void f() { std::printf("x"); }\n'}, "a.cpp:1: std::printf belongs to src/cli"),
        ({"src/core/a.cpp": '/* two\nlines */ const char* s = "\\"";\nvoid f() { exit(1); }\n'}, "a.cpp:3: exit belongs"),
    ],
    "sizes.py": [
        ({"src/core/long.cpp": "int x;\n" * 601}, "601 lines"),
        ({"tests/golden/big.bin": "x" * 20_000_001}, "tests/golden: 20.0 MB"),
    ],
    "hygiene.py": [
        ({"tools/a.sh": "cd /ho" "me/somebody/nunchi\n"}, "a path of one machine"),
        ({"docs/a.md": "see py" "pi.org\n"}, "a registry's host"),
        ({"src/core/a.cpp": "// TO" "DO: later\n"}, "an unfinished note"),
    ],
    "format.sh": [({"src/core/a.cpp": "int   x;\n"}, "src/core/a.cpp")],
    "tidy.py": [
        ({"src/core/bad.cpp": "int WrongName() { return 0; }\n"}, "invalid case style for function 'WrongName'"),
        ({"src/core/bad.cpp": "#include <string>\nvoid f(std::string s) {\n  auto t = std::move(s);\n  s.size();\n"
                              "  (void)t;\n}\n"}, "used after it was moved"),
    ],
    "tidy.py libtorch": [
        ({"src/core/bad.cpp": "int WrongName() { return 0; }\n"}, "bad.cpp:1: invalid case style for function"),
        ({"src/core/bad.h": "#pragma once\ninline int WrongName() { return 0; }\n",
          "src/core/good.cpp": '#include "core/bad.h"\n'}, "bad.h:2: invalid case style for function"),
        ({"src/core/bad.cpp": "#include <string>\nvoid f(std::string s) {\n  auto t = std::move(s);\n  s.size();\n"
                              "  (void)t;\n}\n"}, "used after it was moved"),
        ({"src/core/bad.cpp": "int f() { return missing; }\n"}, "bad.cpp:1: use of undeclared identifier"),
    ],
}


def tree(checkout, folder, files):
    shutil.copytree(checkout / "tools/lint", folder / "tools/lint", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(checkout / name, folder)
    for name, text in {**GOOD, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run(lint, folder):
    script, *part = lint.split()
    command = [folder / "tools/lint" / script]
    if script == "tidy.py":
        build = folder / "build"
        build.mkdir()
        flags = f"-std=c++20 -I{folder}/src" + (" -DAT_PER_OPERATOR_HEADERS" if part else "")
        entries = [{"directory": str(folder), "file": str(path), "command": f"c++ {flags} -c {path}"}
                   for path in (folder / "src/core").glob("*.cpp")]
        (build / "compile_commands.json").write_text(json.dumps(entries))
        command += [build, *part]
    return subprocess.run(command, capture_output=True, text=True)


def main():
    checkout = pathlib.Path(sys.argv[1]).resolve()
    failures, skipped = [], []
    for lint, cases in BAD.items():
        for files, message in [({}, None), *cases]:
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name) / "nunchi"
                tree(checkout, folder, files)
                result = run(lint, folder)
            if result.returncode == 77:
                skipped.append(lint)
                break
            refused = result.returncode == 1 and message and message in result.stdout
            if not refused if message else result.returncode != 0:
                failures.append(f"{lint}: expected {message or 'no problem'} for {list(files)}; exit "
                                f"{result.returncode}:\n{result.stdout}{result.stderr}")
    print("\n".join(failures) or f"{len(BAD) - len(skipped)} lints can fail; skipped: {', '.join(skipped) or 'none'}")
    sys.exit(1 if failures else 77 if skipped else 0)


main()
