"""
Regenerates `packages/core/golden/optimizers.json` from `torch.optim.Muon` and `torch.optim.AdamW`. Usage:

    python -m venv /tmp/optimizers-venv
    /tmp/optimizers-venv/bin/pip install -r dev/golden/optimizers/requirements.txt
    /tmp/optimizers-venv/bin/python dev/golden/optimizers/generate.py

Weights and gradients are float32 numbers, and every optimizer computes with them in float64. Muon orthogonalizes in BF16, as PyTorch has it
("bf16"), and once more in float64 ("f64"). Matrices are written as [inputs, outputs]; PyTorch's are [outputs, inputs].
"""

import json
import pathlib

import torch
import torch.optim._muon as muon_module

OUT = pathlib.Path(__file__).resolve().parents[3] / "packages" / "core" / "golden" / "optimizers.json"
STEPS = 12


class WithoutRounding:
    """The module torch, in which BF16 is float64."""

    bfloat16 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


def inputs(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(shape, generator=generator)
    # Gradients with a common part and of sizes that differ by row, so that singular values are spread.
    common = torch.randn(shape, generator=generator)
    rows = 10 ** torch.linspace(-1, 1, shape[0])[:, None]
    gradients = [rows * (common + torch.randn(shape, generator=generator)) for _ in range(STEPS)]
    return weight, gradients


def trained(create, weight, gradients, transposed):
    turned = (lambda x: x.T.contiguous()) if transposed else (lambda x: x)
    parameter = torch.nn.Parameter(turned(weight).double())
    optimizer = create([parameter])
    for gradient in gradients:
        parameter.grad = turned(gradient).double()
        optimizer.step()
    return turned(parameter.detach())


def numbers(tensor):
    return [float(value) for value in tensor.flatten()]


def muon_case(shape, seed, options, adjust):
    weight, gradients = inputs(shape, seed)
    create = lambda parameters: torch.optim.Muon(  # noqa: E731
        parameters,
        lr=options["learningRate"],
        weight_decay=options["weightDecay"],
        momentum=options["momentum"],
        nesterov=options["nesterov"],
        ns_steps=options["iterations"],
        adjust_lr_fn=adjust,
    )
    rounded = trained(create, weight, gradients, True)
    muon_module.torch = WithoutRounding()
    exact = trained(create, weight, gradients, True)
    muon_module.torch = torch
    return {
        "shape": shape,
        "options": options,
        "weight": numbers(weight),
        "gradients": [numbers(gradient) for gradient in gradients],
        "bf16": numbers(rounded),
        "f64": numbers(exact),
    }


def adamw_case(shape, seed, options):
    weight, gradients = inputs(shape, seed)
    create = lambda parameters: torch.optim.AdamW(  # noqa: E731
        parameters,
        lr=options["learningRate"],
        betas=(options["beta1"], options["beta2"]),
        eps=options["epsilon"],
        weight_decay=options["weightDecay"],
    )
    return {
        "shape": shape,
        "options": options,
        "weight": numbers(weight),
        "gradients": [numbers(gradient) for gradient in gradients],
        "f64": numbers(trained(create, weight, gradients, False)),
    }


def muon_options(**changes):
    options = {"learningRate": 0.02, "weightDecay": 0.1, "momentum": 0.95, "nesterov": True, "iterations": 5}
    return {**options, "scale": "matchRms", **changes}


ADJUST = {"matchRms": "match_rms_adamw", "spectral": "original"}
MUON = [
    ([4, 6], muon_options()),
    ([6, 4], muon_options(scale="spectral", learningRate=0.1)),
    ([4, 8], muon_options(scale="spectral", nesterov=False, weightDecay=0, momentum=0.8)),
    ([5, 5], muon_options(iterations=3, momentum=0)),
]
ADAMW = [
    ([4, 6], {"learningRate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.01}),
    ([3, 3], {"learningRate": 0.05, "beta1": 0.5, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": 0.3}),
]


def main():
    golden = {
        "about": "By dev/golden/optimizers/generate.py",
        "torch": torch.__version__.split("+")[0],
        "muon": [muon_case(shape, seed, options, ADJUST[options["scale"]]) for seed, (shape, options) in enumerate(MUON)],
        "adamw": [adamw_case(shape, 10 + seed, options) for seed, (shape, options) in enumerate(ADAMW)],
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(golden) + "\n")
    print(f"{OUT.relative_to(OUT.parents[3])}: {OUT.stat().st_size} bytes")


main()
