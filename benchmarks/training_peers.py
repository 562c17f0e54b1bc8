"""One of nunchi's peers trains a timm model in a process of its own: what benchmarks/training.py runs.

python benchmarks/training_peers.py eager|compile|lightning MODEL_FOLDER DATA_FOLDER fp32|bf16 STEPS

Prints the loss of every step and the pictures a second after the first steps as JSON. The batches are ready before the
clock runs. Needs torch and timm, and lightning for itself.
"""
import json
import pathlib
import sys
import time

import numpy
import torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from cases.absent_torchvision import import_timm  # noqa: E402
from check_training import make_optimizer  # noqa: E402

BATCH, WARM_STEPS = 128, 10
SMOOTHING, CLIP = 0.1, 1.0
ADAMW = {"kind": "adamw", "peak": 1e-3, "weight_decay": 0.05}


def read_batches(folder, steps):
    """Normalised pictures and labels, in order and around again."""
    files = [(path, label) for label, name in enumerate(sorted(folder.iterdir())) for path in sorted(name.iterdir())]
    files = (files * (steps * BATCH // len(files) + 1))[: steps * BATCH]
    pixels = torch.from_numpy(numpy.stack([numpy.array(Image.open(path).convert("RGB")) for path, _ in files]))
    pixels = (pixels.permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5
    return list(zip(pixels.contiguous().split(BATCH), torch.tensor([label for _, label in files]).split(BATCH)))


def make_model(folder):
    return import_timm().create_model(f"local-dir:{folder}", pretrained=True).train()


def train_plainly(model, batches, bf16, compiled):
    optimizer, losses, times = make_optimizer(model, ADAMW), [], []
    forward = torch.compile(model) if compiled else model
    for pixels, labels in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = torch.nn.functional.cross_entropy(forward(pixels), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(loss.item())
        times.append(time.perf_counter())
    return losses, times


def train_with_lightning(model, batches, bf16):
    import lightning
    losses, times = [], []

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = model

        def training_step(self, batch, _):
            return torch.nn.functional.cross_entropy(self.model(batch[0]), batch[1], label_smoothing=SMOOTHING)

        def configure_optimizers(self):
            return make_optimizer(self.model, ADAMW)

        def on_train_batch_end(self, outputs, *_):
            losses.append(outputs["loss"].item())
            times.append(time.perf_counter())

    trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", precision="bf16-mixed" if bf16 else "32-true",
                                gradient_clip_val=CLIP, logger=False, enable_checkpointing=False,
                                enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(Module(), torch.utils.data.DataLoader(batches, batch_size=None, shuffle=False))
    return losses, times


def main():
    kind, model_folder, data, precision, steps = sys.argv[1:]
    batches = read_batches(pathlib.Path(data) / "train", int(steps))
    model, bf16 = make_model(model_folder), precision == "bf16"
    if kind == "lightning":
        losses, times = train_with_lightning(model, batches, bf16)
    else:
        losses, times = train_plainly(model, batches, bf16, compiled=kind == "compile")
    timed = times[WARM_STEPS - 1:] if len(times) > WARM_STEPS else times
    print(json.dumps({"losses": losses, "rate": BATCH * (len(timed) - 1) / (timed[-1] - timed[0])}))


if __name__ == "__main__":
    main()
