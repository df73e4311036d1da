"""Loads what write.mjs wrote in transformers, timm and PEFT, and compares logits, class names, the pixels that a picture
becomes, and tokens. Exits with 1 if any differ.

    /tmp/parity-venv/bin/python dev/parity/check.py /tmp/exported
"""

import json
import sys
from pathlib import Path

import numpy as np
import timm
import torch
from peft import PeftModel
from PIL import Image
from transformers import AutoImageProcessor, AutoTokenizer, GPT2LMHeadModel, ViTForImageClassification

# In float32: sums of up to 768 products, three blocks deep, in another order.
BOUND = 2e-5
# Means over all pixels, in 1/255: bytes are rounded after each axis of the resizing there, and not here. With a crop the
# whole image is resized to whole pixels first, by timm to fewer (54 instead of 54.86), so that it is scaled otherwise.
MEAN_BOUND = {"stretch-1": 0.5, "crop-1": 2.0, "crop-0.875": 3.0}


def load_transformers(kind):
    def load(folder: Path) -> torch.nn.Module:
        model, info = kind.from_pretrained(folder, output_loading_info=True)
        problems = {what: names for what, names in info.items() if names}
        if problems:
            raise SystemExit(f"{folder}: {problems}")
        return model

    return load


def load_timm(folder: Path) -> torch.nn.Module:
    return timm.create_model(f"local-dir:{folder}", pretrained=True)


def labels_and_pixels(model: torch.nn.Module, folder: Path, picture: Image.Image) -> tuple[list[str], np.ndarray]:
    """Names of the classes, and what the library makes of a picture."""
    if "timm" in folder.name:
        config = timm.data.resolve_model_data_config(model)
        transform = timm.data.create_transform(**config, is_training=False)
        return list(model.pretrained_cfg["label_names"]), transform(picture).numpy()
    processor = AutoImageProcessor.from_pretrained(folder)
    names = [model.config.id2label[label] for label in range(model.config.num_labels)]
    assert [model.config.label2id[name] for name in names] == list(range(len(names)))
    return names, np.asarray(processor(picture, return_tensors="pt")["pixel_values"][0])


def check_knowledge(model: torch.nn.Module, folder: Path) -> bool:
    expected = json.loads((folder / "expected.json").read_text())
    if "picture" not in expected:
        return True
    given = expected["picture"]
    picture = Image.fromarray(np.array(given["data"], np.uint8).reshape(given["shape"]))
    names, pixels = labels_and_pixels(model, folder, picture)
    ours = np.array(expected["pixels"], np.float32).reshape(48, 48, 3).transpose(2, 0, 1)
    std = np.array([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    error = np.abs(pixels - ours) * std * 255
    how = folder.name.split("-", 2)[2]
    print(f"{folder.name:28} pixels: mean difference {error.mean():.2f}, largest {error.max():.1f} of 255; {names}")
    return names == expected["classNames"] and bool(error.mean() < MEAN_BOUND[how])


def check_tokenizer(folder: Path) -> bool:
    given = json.loads((folder / "expected.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    same = tokenizer.eos_token_id == given["endOfText"] and tokenizer.model_max_length == 64
    for entry in given["expected"]:
        same &= tokenizer(entry["text"])["input_ids"] == entry["tokens"]
        same &= tokenizer.decode(entry["tokens"]) == entry["text"]
    print(f"{folder.name:28} {type(tokenizer).__name__}: {'the same tokens' if same else 'OTHER tokens'}")
    return same


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
    root = Path(sys.argv[1])
    failed = False
    for folder in sorted(path for path in root.iterdir() if (path / "config.json").exists()):
        name = folder.name
        kind = GPT2LMHeadModel if name == "gpt2" else ViTForImageClassification
        load = load_timm if "timm" in name else load_transformers(kind)
        model = load(folder)
        failed |= not check_knowledge(model, folder)
        if name == "gpt2":
            failed |= model.generation_config.eos_token_id != 60
        for what, subject, at in [
            (name, lambda: model, folder),
            (f"{name} + adapters", lambda: PeftModel.from_pretrained(model, folder / "adapters"), folder / "adapters"),
        ]:
            error, shape = difference(subject(), at)
            failed |= not error < BOUND
            print(f"{what:28} logits {shape}: largest difference {error:.1e} of the largest logit")
    for folder in sorted((root / "tokenizers").iterdir()):
        failed |= not check_tokenizer(folder)
    sys.exit(failed)


if __name__ == "__main__":
    main()
