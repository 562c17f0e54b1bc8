"""Writes the README of the cases folder: one row a case."""

import transformers

INTRODUCTION = """# Parity cases

Each folder is one small random-weight model as transformers {version} writes it (`model/`), one synthetic picture
(`input.*`), what the peer makes of them (`expected.safetensors`, float32) and `case.json`. `tools/make_cases.py`
writes them all, this table included; `tools/make_cases.py --check` shows that each can fail. In `case.json`,
`required` names the outputs that must match, `rtol` is relative to the **largest absolute value of that output** and
`atol` is added to it (the residual stream is kept near 1e-3, so an absolute tolerance alone would say nothing);
`size`, where set, is the `--size` of `nunchi forward`: it replaces the processor's size, switches the centre crop off
and interpolates the positions. Names beyond `required` are there to find the first stage that differs:
`hidden_state_k` is the peer's `hidden_states[k]`, 0 being the embeddings of a transformer. For MobileNetV2 the list
has no embedding entry: `hidden_state_0` is the output of `layer.0`, the first block after the stem, and
`hidden_state_1` that of `layer.1`.

| case | class | picture | shows |
|---|---|---|---|
"""


def write_index(cases, folder):
    rows = [f"| {case.name} | {case.arch} | {_describe(case)} | {case.shows} |\n" for case in cases]
    (folder / "README.md").write_text(INTRODUCTION.format(version=transformers.__version__) + "".join(rows))


def _describe(case):
    picture = f"{case.picture.width}x{case.picture.height} {case.picture.kind.replace('_', ' ')}"
    return picture + (f", size {case.size[0]}x{case.size[1]}" if case.size else "")
