"""Writes packages/models/test/golden: small GPT-2 and ViT models of transformers and timm with random weights, and what they
compute: logits, loss and every gradient, in float64. The tests of @lmd/models compare with these files and need no Python.

    python -m venv /tmp/parity-venv && /tmp/parity-venv/bin/pip install -r dev/parity/requirements.txt
    /tmp/parity-venv/bin/python dev/parity/generate.py
"""

import copy
import json
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from transformers import GPT2Config, GPT2LMHeadModel, ViTConfig, ViTForImageClassification

GOLDEN = Path(__file__).resolve().parents[2] / "packages" / "models" / "test" / "golden"


def stir(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Weights far enough from the initial ones that no part of the model is near zero or linear; exact in float32."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model.float().eval()


def gradients_of(model: torch.nn.Module) -> torch.nn.Module:
    """A model of the same kind whose weights are the gradients, so that the libraries name them as they name weights."""
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for mine, theirs in zip(twin.parameters(), model.parameters(), strict=True):
            mine.copy_(theirs.grad)
    return twin.float()


def save_transformers(model: torch.nn.Module, folder: Path, shard: str) -> None:
    model.save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink(missing_ok=True)


def save_timm(model: torch.nn.Module, folder: Path, _shard: str) -> None:
    folder.mkdir(parents=True)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def write(name: str, model: torch.nn.Module, inputs: torch.Tensor, labels: torch.Tensor, save, shard="1GB") -> None:
    """<name>/: the model as its library writes it; gradients/: the gradients likewise; golden.json: inputs and results."""
    folder = GOLDEN / name
    save(model, folder, shard)
    exact = copy.deepcopy(model).double()
    exact.zero_grad()
    outputs = exact(inputs.double() if inputs.is_floating_point() else inputs)
    logits = outputs if isinstance(outputs, torch.Tensor) else outputs.logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, -2), labels.flatten())
    loss.backward()
    save(gradients_of(exact), folder / "gradients", "1GB")
    (folder / "gradients" / "config.json").unlink(missing_ok=True)
    golden = {
        "inputs": {"shape": list(inputs.shape), "data": inputs.flatten().tolist()},
        "labels": {"shape": list(labels.shape), "data": labels.flatten().tolist()},
        "logits": {"shape": list(logits.shape), "data": logits.flatten().tolist()},
        "loss": loss.item(),
    }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


def write_adapters(name: str, base: torch.nn.Module, inputs: torch.Tensor, config: LoraConfig, seed: int) -> None:
    """<name>/: adapters on a model that has a folder already, as PEFT writes them; golden.json: inputs and logits with them."""
    folder = GOLDEN / name
    model = get_peft_model(copy.deepcopy(base), config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    model.eval().save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    outputs = model.double()(inputs.double() if inputs.is_floating_point() else inputs)
    golden = {
        "inputs": {"shape": list(inputs.shape), "data": inputs.flatten().tolist()},
        "logits": {"shape": list(outputs.logits.shape), "data": outputs.logits.flatten().tolist()},
    }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


def main() -> None:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    torch.manual_seed(1)
    tokens = torch.randint(0, 29, (2, 10))
    gpt2 = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=29,
            n_positions=12,
            n_embd=16,
            n_layer=2,
            n_head=2,
            bos_token_id=0,
            eos_token_id=0,
            attn_implementation="eager",
        )
    )
    # Next tokens: the last position's label is any.
    write("gpt2", stir(gpt2, 2), tokens, torch.roll(tokens, -1, 1), save_transformers, shard="20KB")

    # Pixels are [batch, channel, row, column] there; exact in float32 so that JSON holds them shortly.
    pixels = (torch.randn(3, 2, 8, 8) * 16).round() / 16
    labels = torch.tensor([2, 0, 1])
    vit = ViTForImageClassification(
        ViTConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=40,
            image_size=8,
            patch_size=4,
            num_channels=2,
            num_labels=3,
            # The eager one takes its softmax in float32, whatever the weights are.
            attn_implementation="sdpa",
        )
    )
    write("vit-transformers", stir(vit, 3), pixels, labels, save_transformers)

    size = dict(img_size=8, patch_size=4, in_chans=2, num_classes=3, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2.5)
    write("vit-timm-class-token", stir(VisionTransformer(**size), 4), pixels, labels, save_timm)
    # The norm before the mean, as in Beyer et al. 2022 and in @lmd/models; timm's own default is the other way round.
    mean = VisionTransformer(**size, class_token=False, global_pool="avg", fc_norm=False)
    write("vit-timm-mean", stir(mean, 5), pixels, labels, save_timm)

    every = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"]
    causal = LoraConfig(task_type="CAUSAL_LM", r=3, lora_alpha=4, target_modules=every, fan_in_fan_out=True)
    write_adapters("gpt2-peft", gpt2, tokens, causal, 6)
    # Queries and values alone, as is usual, and a new head; another scale.
    some = LoraConfig(
        r=2, lora_alpha=3, target_modules=["q_proj", "v_proj"], modules_to_save=["classifier"], use_rslora=True
    )
    write_adapters("vit-peft", vit, pixels, some, 7)


if __name__ == "__main__":
    main()
