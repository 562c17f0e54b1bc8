#!/usr/bin/env python3
"""nunchi and huggingface_hub at one hub and one cache: what one pulled the other finds without asking for data.

Usage: check_hub.py BUILD_FOLDER, in a Python with huggingface_hub (and transformers, for the last check). Builds nothing:
`ninja -C BUILD_FOLDER nunchi_program hub_server` comes first. Needs no network: the hub is the tests' own server.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ["config.json", "preprocessor_config.json", "model.safetensors"]
PULL = """
import sys
from huggingface_hub import hf_hub_download
for name in sys.argv[2:]:
    print(hf_hub_download(sys.argv[1], name))
"""
SNAPSHOT = """
import sys
from huggingface_hub import snapshot_download
print(snapshot_download(sys.argv[1], allow_patterns=sys.argv[2:]))
"""
SCAN = """
from huggingface_hub import scan_cache_dir
found = scan_cache_dir()
assert not found.warnings, found.warnings
print(sum(len(repo.revisions) for repo in found.repos))
"""
CLASSIFY = """
import sys, torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification
processor = AutoImageProcessor.from_pretrained(sys.argv[1])
model = AutoModelForImageClassification.from_pretrained(sys.argv[1])
with torch.no_grad():
    print(int(model(**processor(Image.open(sys.argv[2]), return_tensors="pt")).logits.argmax()))
"""


class Hub:
    """The tests' server, with the models under org/NAME."""

    def __init__(self, build, models):
        program = next(Path(build).rglob("hub_server"))
        names = [f"org/{name}={folder}" for name, folder in models.items()]
        self.process = subprocess.Popen([program, *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint = self.process.stdout.readline().strip()

    def requests(self):
        """All since the last call, as (method, "hub" or "storage", target)."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        lines = iter(self.process.stdout.readline, "\n")
        return [tuple(line.split()) for line in lines]

    def data_requests(self):
        return [r for r in self.requests() if r[0] == "GET" and (r[1] == "storage" or "/resolve/" in r[2])]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Check:
    def __init__(self, build, hub, cache, **environment):
        self.build, self.hub = build, hub
        own = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
        dropped = ("HF_", "HUGGING", "TRANSFORMERS_", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
        self.environment = kept | own | environment

    def start(self, words, **environment):
        return subprocess.Popen(words, env=self.environment | environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, cwd="/")

    def finish(self, process):
        out, err = process.communicate(timeout=300)
        if process.returncode != 0:
            sys.exit(f"{process.args} ended with {process.returncode}:\n{out}{err}")
        return out.split("\n")[-2] if out else ""

    def nunchi(self, *words, **environment):
        return self.finish(self.start([f"{self.build}/bin/nunchi", *words], **environment))

    def python(self, script, *words, **environment):
        return self.finish(self.start([sys.executable, "-c", script, *words], **environment))


def report(text, requests):
    print(f"{'ok  ' if not requests else 'FAIL'} {text}{'' if not requests else ': ' + str(requests)}")
    return not requests


def python_finds(check, name):
    check.nunchi("pull", f"org/{name}")
    check.hub.requests()
    check.python(PULL, f"org/{name}", *NEEDED)
    good = report(f"{name}: hf_hub_download finds what nunchi pulled", check.hub.data_requests())
    check.python(SNAPSHOT, f"org/{name}", *NEEDED)
    good &= report(f"{name}: snapshot_download finds what nunchi pulled", check.hub.data_requests())
    check.python(PULL, f"org/{name}", *NEEDED, HF_HUB_OFFLINE="1")
    good &= report(f"{name}: and offline", check.hub.requests())
    return good & report(f"{name}: scan_cache_dir has no warning", [] if check.python(SCAN) == "1" else ["revisions"])


def nunchi_finds(check, name, script):
    check.python(script, f"org/{name}", *NEEDED)
    check.hub.requests()
    check.nunchi("pull", f"org/{name}")
    good = report(f"{name}: nunchi finds what Python pulled", check.hub.data_requests())
    check.nunchi("info", f"org/{name}", HF_HUB_OFFLINE="1")
    good &= report(f"{name}: and offline", check.hub.requests())
    check.nunchi("cache", "verify")
    return good


def both_at_once(build, hub, name):
    for _ in range(10):
        with tempfile.TemporaryDirectory() as cache:
            check = Check(build, hub, cache)
            hub.requests()
            nunchi = [f"{build}/bin/nunchi", "pull", f"org/{name}"]
            python = [sys.executable, "-c", PULL, f"org/{name}", *NEEDED]
            for process in [check.start(words) for words in (python, nunchi, python, nunchi)]:
                check.finish(process)
            check.nunchi("cache", "verify")
            check.python(SCAN)
            seen = [r for r in hub.data_requests() if r[1] == "storage"]
            if len(seen) != 1:
                return report(f"{name}: two of each at once ask the storage once", seen)
    return report(f"{name}: two of each at once, ten times, ask the storage once", [])


def transformers_answers(check, name, picture):
    check.nunchi("pull", f"org/{name}")
    answer = json.loads(check.nunchi("classify", f"org/{name}", picture, "--json", HF_HUB_OFFLINE="1"))
    peer = check.python(CLASSIFY, f"org/{name}", picture, HF_HUB_OFFLINE="1")
    same = int(peer) == answer["predictions"][0]["id"]
    return report(f"{name}: transformers loads offline what nunchi pulled", [] if same else [peer, answer])


def main():
    build = Path(sys.argv[1]).resolve()
    cases = ROOT / "tests/golden/cases"
    models = {"vit": cases / "vit_classifier/model", "mobilenet": cases / "mobilenet_v2/model"}
    hub = Hub(build, models)
    good = True
    for links in ({}, {"HF_HUB_DISABLE_SYMLINKS": "1"}):
        print("without links:" if links else "with links:")
        for name in models:
            with tempfile.TemporaryDirectory() as cache:
                good &= python_finds(Check(build, hub, cache, **links), name)
            for script in (PULL, SNAPSHOT):
                with tempfile.TemporaryDirectory() as cache:
                    good &= nunchi_finds(Check(build, hub, cache, **links), name, script)
    good &= both_at_once(build, hub, "vit")
    with tempfile.TemporaryDirectory() as cache:
        good &= transformers_answers(Check(build, hub, cache), "vit", str(cases / "vit_classifier/input.png"))
    hub.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
