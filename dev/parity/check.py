"""Loads what write.mjs wrote in transformers, timm and PEFT, and compares the logits. Exits with 1 if any differ.

    /tmp/parity-venv/bin/python dev/parity/check.py /tmp/exported
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer
from transformers import GPT2LMHeadModel, ViTForImageClassification

# In float32: sums of up to 192 products, three blocks deep, in another order.
BOUND = 2e-5


def load_transformers(kind):
    def load(folder: Path) -> torch.nn.Module:
        model, info = kind.from_pretrained(folder, output_loading_info=True)
        problems = {what: names for what, names in info.items() if names}
        if problems:
            raise SystemExit(f"{folder}: {problems}")
        return model

    return load


def load_timm(folder: Path) -> torch.nn.Module:
    config = json.loads((folder / "config.json").read_text())
    model = VisionTransformer(
        img_size=config["imageSize"],
        patch_size=config["patchSize"],
        in_chans=config["channels"],
        num_classes=config["classes"],
        embed_dim=config["width"],
        depth=config["depth"],
        num_heads=config["heads"],
        class_token=False,
        global_pool="avg",
        fc_norm=False,
    )
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
    return model


def difference(model: torch.nn.Module, folder: Path) -> tuple[float, list[int]]:
    """The largest difference of the logits from ours, relative to the largest of ours, and their shape."""
    expected = json.loads((folder / "expected.json").read_text())
    inputs = torch.tensor(expected["inputs"]["data"]).reshape(expected["inputs"]["shape"])
    inputs = inputs.long() if inputs.dim() == 2 else inputs.permute(0, 3, 1, 2)
    with torch.no_grad():
        outputs = model.eval()(inputs)
    logits = outputs if isinstance(outputs, torch.Tensor) else outputs.logits
    ours = torch.tensor(expected["logits"]["data"]).reshape(expected["logits"]["shape"])
    return ((logits - ours).abs().max() / ours.abs().max()).item(), list(ours.shape)


def main() -> None:
    failed = False
    for name, load in {
        "gpt2": load_transformers(GPT2LMHeadModel),
        "vit-transformers": load_transformers(ViTForImageClassification),
        "vit-timm": load_timm,
    }.items():
        folder = Path(sys.argv[1]) / name
        model = load(folder)
        for what, subject, at in [
            (name, lambda: model, folder),
            (f"{name} + adapters", lambda: PeftModel.from_pretrained(model, folder / "adapters"), folder / "adapters"),
        ]:
            error, shape = difference(subject(), at)
            failed |= not error < BOUND
            print(f"{what:28} logits {shape}: largest difference {error:.1e} of the largest logit")
    sys.exit(failed)


if __name__ == "__main__":
    main()
