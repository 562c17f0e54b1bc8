#!/usr/bin/env python3
"""Writes assets/models/published.json: what public checkpoints answer about COCO's picture 000000039769.

The figures are those of transformers' own integration tests (Apache-2.0), collected in expected_values.json outside of
the repository; this takes the ones of models that nunchi reads. Usage: make_published_figures.py expected_values.json
"""
import json
import sys
from pathlib import Path

# The test, its figure among those of the test, and where in the output it stands. dino-vits8 is run at 480 pixels.
WANTED = [
    ("vit", "test_inference_image_classification_head", 0, "logits", [0], None),
    ("vit", "test_inference_interpolate_pos_encoding", 0, "last_hidden_state", [0], [480, 480]),
    ("deit", "test_inference_image_classification_head", 0, "logits", [0], None),
    ("beit", "test_inference_image_classification_head_imagenet_1k", 0, "logits", [0], None),
    ("beit", "test_inference_image_classification_head_imagenet_22k", 0, "logits", [0], None),
    ("dinov2", "test_inference_no_head", 0, "last_hidden_state", [0], None),
    ("dinov2_with_registers", "test_inference_no_head", 0, "last_hidden_state", [0], None),
    ("dinov3_vit", "test_inference_no_head", 0, "last_hidden_state", [0, 0], None),
    ("dinov3_vit", "test_inference_no_head", 1, "last_hidden_state", [0, 5], None),  # behind four registers
    ("swin", "test_inference_image_classification_head", 0, "logits", [0], None),
    ("swinv2", "test_inference_image_classification_head", 0, "logits", [0], None),
    ("resnet", "test_inference_image_classification_head", 0, "logits", [0], None),
    ("timm_wrapper", "test_inference_image_classification_head", 0, "logits", [0], None),
    ("convnext", "test_inference_image_classification_head", 0, "logits", [0], None),
    ("mobilenet_v2", "test_inference_image_classification_head", 0, "logits", [0], None),
]


def tolerance(entry):
    text = next(a["text"] for a in reversed(entry["asserts"]) if "assert_close" in a["text"])
    return float(text.split("rtol=")[1].split(",")[0].rstrip(")"))


def main():
    data = json.loads(Path(sys.argv[1]).read_text())
    figures = []
    for model, test, index, output, at, size in WANTED:
        entry = next(e for e in data["entries"] if e["file"].split("/")[2] == model and e["test"] == test)
        value = entry["values"][index]["value"]
        if isinstance(value, dict):
            value = value["(None, None)"]
        figure = {"checkpoint": entry["checkpoints"][0], "output": output, "at": at, "values": value,
                  "tolerance": tolerance(entry)}
        figures.append(figure | ({"size": size} if size else {}))
    lines = ",\n  ".join(json.dumps(figure) for figure in figures)
    source = "integration tests of transformers 4.57.3 (Apache-2.0)"
    target = Path(__file__).parents[1] / "assets/models/published.json"
    target.write_text(f'{{"source": "{source}",\n "image": "000000039769.png",\n "figures": [\n  {lines}\n]}}\n')


if __name__ == "__main__":
    main()
