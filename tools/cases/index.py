"""Writes the README of the cases folder: one row a case."""

import timm
import torchvision
import transformers

INTRODUCTION = """# Parity cases

Each folder is one small random-weight model as its publisher writes it (`model/`), one synthetic picture (`input.*`),
what the peer makes of them (`expected.safetensors`, float32) and `case.json`. `tools/make_cases.py` writes them all,
this table included; `tools/make_cases.py --check` shows that each can fail. The peers: transformers {transformers},
timm {timm}, torchvision {torchvision} and, for networks that no package holds, `tools/cases/reference_models.py`.

In `case.json`, `arch` is the class of transformers, the architecture's name of timm, or what `--arch` is given for a
bare state dict; `required` names the outputs that must match, `rtol` is relative to the **largest absolute value of
that output** and `atol` is added to it (the residual stream is kept near 1e-3: an absolute tolerance alone would say
nothing); `size`, where set, is the `--size` of `nunchi forward`: it replaces the processor's size, switches the crop
off and interpolates the positions. Names beyond `required` are there to find the first stage that differs.

| network | `hidden_state_0` | `hidden_state_k` | `last_hidden_state` |
|---|---|---|---|
| ViT and relatives | embeddings with positions and prefix tokens | after block k | after the last norm |
| Swin | patches after their norm | after the merging behind stage k, or the last stage | after the last norm |
| ResNet | stem with its max pooling | after stage k | the last map |
| ConvNeXt | stem with its norm | after stage k, which begins with its downsampling | the last map |
| MobileNetV2 | after the second bottleneck, `layer.0` of transformers | after `layer.k` | after the last convolution |
| `simple_cnn` | after the first max pooling | after the next ones | the last map |

Maps are in the order the peer has them: timm's and torchvision's Swin give [b, h, w, c], transformers' tokens, the
others [b, c, h, w]. timm's `last_hidden_state` is `forward_features` and its `pooler_output` is `forward_head` with
`pre_logits`; torchvision's `pooler_output` is what its last linear layer reads.

| case | class | picture | shows |
|---|---|---|---|
"""


def write_index(cases, folder):
    rows = [f"| {case.name} | {case.arch} | {_describe(case)} | {case.shows} |\n" for case in cases]
    (folder / "README.md").write_text(INTRODUCTION.format(**versions()) + "".join(rows))


def versions():
    return {"transformers": transformers.__version__, "timm": timm.__version__,
            "torchvision": torchvision.__version__.split("+")[0]}


def _describe(case):
    picture = f"{case.picture.width}x{case.picture.height} {case.picture.kind.replace('_', ' ')}"
    return picture + (f", size {case.size[0]}x{case.size[1]}" if case.size else "")
