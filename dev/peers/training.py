"""Training steps of a Vision Transformer, a GPT-2 or a score network in eager PyTorch, the same mathematics, weights and data as @lmd's: python training.py FOLDER.

FOLDER holds task.json and data.bin as dev/bench/training/task-folder.mjs writes them. Prints JSON: the losses of the first steps, whose
noise is 0, the milliseconds of the timed ones, and the largest resident memory of the process; or that memory did not suffice.

AdamW in FP32 is torch.optim.AdamW with torch's own kernels (scaled_dot_product_attention, layer_norm, cross_entropy). LMD under a block format
quantizes with torchao's to_mx and back, products straight-through with BF16 gradients, and updates as chains of tensor operations.
With recomputation each block is run again in the backward pass, by torch.utils.checkpoint.
"""

import json
import math
import re
import resource
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

folder = Path(sys.argv[1])
task = json.loads((folder / "task.json").read_text())
torch.set_num_threads(task["threads"])
config, rule = task["config"], task["rule"]
is_gpt2 = task["model"] == "gpt2"


def stored(data, entry):
    kind = torch.float32 if entry["dtype"] == "f32" else torch.int32
    array = torch.empty(entry["shape"], dtype=kind)
    data.seek(entry["offset"])
    data.readinto(array.numpy())
    return array


with (folder / "data.bin").open("rb") as data:
    arrays = {name: stored(data, entry) for name, entry in task["arrays"].items()}
inputs, labels, times = (arrays.pop(name, None) for name in ("inputs", "labels", "times"))

if task["format"] != "fp32":
    from torchao.prototype.mx_formats.constants import DTYPE_FP6_E2M3, DTYPE_FP6_E3M2
    from torchao.prototype.mx_formats.mx_tensor import to_dtype, to_mx

    element = {
        "mxfp8_e4m3": torch.float8_e4m3fn,
        "mxfp6_e3m2": DTYPE_FP6_E3M2,
        "mxfp6_e2m3": DTYPE_FP6_E2M3,
        "mxfp4_e2m1": torch.float4_e2m1fn_x2,
    }[task["format"]]


def fake_quantize(x):
    """Along the last axis, in blocks of 32; a short last block is padded with zeros."""
    length = x.shape[-1]
    padded = F.pad(x, (0, -length % 32)).contiguous()
    rows = padded.reshape(-1, padded.shape[-1])
    scales, codes = to_mx(rows, element, 32)
    return to_dtype(codes, scales, element, 32, torch.float32).reshape(padded.shape)[..., :length]


class QuantizedProduct(torch.autograd.Function):
    """x [..., m, k] · w [..., k, n], both rounded along k; the gradient is straight-through, with dy in BF16."""

    @staticmethod
    def forward(ctx, x, w):
        x = fake_quantize(x)
        w = fake_quantize(w.transpose(-1, -2)).transpose(-1, -2)
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        dy = dy.bfloat16().float()
        dx = dy @ w.transpose(-1, -2)
        if w.dim() == 2:
            return dx, x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])
        return dx, x.transpose(-1, -2) @ dy


def product(x, w):
    return x @ w if task["format"] == "fp32" else QuantizedProduct.apply(x, w)


def linear(x, weights, name):
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    # One fused operation, a tenth faster than a product and a sum.
    return F.linear(x, weight.T, bias) if task["format"] == "fp32" else product(x, weight) + bias


def norm(x, weights, name):
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.gain"], weights[f"{name}.bias"], config["layerNormEpsilon"])


def attention(x, weights, name):
    batch, length, width = x.shape
    heads = config["heads"]
    qkv = linear(x, weights, f"{name}.qkv").reshape(batch, length, 3, heads, width // heads)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    if task["format"] == "fp32":
        heard = F.scaled_dot_product_attention(q, k, v, is_causal=is_gpt2)
    else:
        scores = product(q / math.sqrt(width // heads), k.transpose(-1, -2))
        if is_gpt2:
            scores = scores.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), -math.inf)
        heard = product(torch.softmax(scores, -1), v)
    return linear(heard.transpose(1, 2).reshape(batch, length, width), weights, f"{name}.projection")


def block(x, weights, i):
    x = x + attention(norm(x, weights, f"blocks.{i}.norm1"), weights, f"blocks.{i}.attention")
    up = linear(norm(x, weights, f"blocks.{i}.norm2"), weights, f"blocks.{i}.mlp.up")
    return x + linear(F.gelu(up, approximate=config["gelu"]), weights, f"blocks.{i}.mlp.down")


def patches_of(pictures):
    """[batch, size, size, channels] to [batch, patches, patch * patch * channels]."""
    size = config["patchSize"]
    batch, height, _, channels = pictures.shape
    count = height // size
    return pictures.reshape(batch, count, size, count, size, channels).transpose(2, 3).reshape(batch, count * count, -1)


def score(weights, xt, t):
    """x times the score, [batch, size, size, 1]: the network of apps/examples/dale-langevin/src/score-network.ts."""
    process, mean, spread = config["process"], config["logMean"], config["logDeviation"]
    size, count = config["patchSize"], config["imageSize"] // config["patchSize"]
    noise = process["volatility"] * t.sqrt()
    variance = noise * noise + spread**2
    deviation = variance.sqrt()
    centered = xt.log() - (t * (process["drift"] - process["volatility"] ** 2 / 2) + mean)
    centres = -4.7 + 0.2 * torch.arange(32)
    bumps = torch.exp(-0.5 * ((noise.log().reshape(-1, 1, 1) - centres) / 0.2) ** 2)
    embedded = linear(F.gelu(linear(bumps, weights, "time.up")), weights, "time.down")
    x = linear(patches_of(centered / deviation), weights, "patchEmbedding") + weights["positionEmbedding"]
    for i in range(config["depth"]):
        x = block(x + embedded, weights, i)
    x = linear(norm(x, weights, "norm"), weights, "head")
    x = x.reshape(-1, count, count, size, size).transpose(2, 3).reshape(xt.shape)
    return x * (spread / (noise * deviation)) - centered / variance - 1


def score_loss(weights):
    process = config["process"]
    t = times.reshape(-1, 1, 1, 1)
    squared = process["volatility"] ** 2
    residual = squared * t * score(weights, inputs, t) + torch.log(inputs / labels) + t * (1.5 * squared - process["drift"])
    return (residual * residual / (squared * t + config["logDeviation"] ** 2)).mean()


def forward(weights):
    if is_gpt2:
        x = weights["tokenEmbedding.weight"][inputs.long()] + weights["positionEmbedding"][: inputs.shape[1]]
    else:
        x = linear(patches_of(inputs), weights, "patchEmbedding")
        if config["pooling"] == "classToken":
            x = torch.cat([weights["classToken"].expand(len(x), 1, -1), x], 1)
        x = x + weights["positionEmbedding"]
    for i in range(config["depth"]):
        if task["recomputation"]:
            x = checkpoint(block, x, weights, i, use_reentrant=False, preserve_rng_state=False)
        else:
            x = block(x, weights, i)
    if is_gpt2:
        return product(norm(x, weights, "norm"), weights["tokenEmbedding.weight"].T)
    pooled = norm(x, weights, "norm").mean(1) if config["pooling"] == "mean" else norm(x[:, 0], weights, "norm")
    return linear(pooled, weights, "head")


def loss_of(weights):
    if task["model"] == "score":
        return score_loss(weights)
    logits = forward(weights)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1).long())


class Lmd:
    """Log-Normal Multiplicative Dynamics of the matrices; the noise of the draw is kept for the update, the quicker way."""

    def __init__(self, weights):
        noise, floor = rule["noise"], rule["priorMedianFloor"]
        self.names = list(weights)
        self.state = {}
        for name, w in weights.items():
            base = floor * w.square().mean().sqrt()
            shift = -noise * noise / 2
            halves = [torch.log(w.clamp(min=0) + base) + shift, torch.log((-w).clamp(min=0) + base) + shift]
            prior = float(torch.log(base)) + shift
            self.state[name] = [halves, [torch.zeros_like(w), torch.zeros_like(w)], prior]
        self.generator = torch.Generator().manual_seed(0)

    def draw(self, noise):
        self.thetas, drawn = {}, {}
        for name, (halves, _, _) in self.state.items():
            thetas = [
                torch.exp(log + noise * torch.randn(log.shape, generator=self.generator)) if noise else torch.exp(log)
                for log in halves
            ]
            self.thetas[name] = thetas
            drawn[name] = (thetas[0] - thetas[1]).requires_grad_()
        return drawn

    def update(self, drawn):
        rate, beta1, beta2, pull = rule["learningRate"], rule["beta1"], rule["beta2"], rule["regularization"]
        for name, (halves, momenta, prior) in self.state.items():
            gradient = drawn[name].grad
            for half, sign in ((0, 1.0), (1, -1.0)):
                scaled = self.thetas[name][half] * gradient * sign
                temporary = beta1 * momenta[half] + (1 - beta1) * scaled
                momenta[half] = beta2 * momenta[half] + (1 - beta2) * scaled
                halves[half] = halves[half] - rate * (torch.sign(temporary) + pull * (halves[half] - prior))


def is_matrix(name, w):
    return w.dim() >= 2 and name.endswith(".weight")


matrices = {name: w for name, w in arrays.items() if rule["name"] == "lmd" and is_matrix(name, w)}
others = {name: w.requires_grad_() for name, w in arrays.items() if name not in matrices}
rest = rule["rest"]
adamw = torch.optim.AdamW(
    others.values(),
    lr=rest["learningRate"],
    betas=(rest["beta1"], rest["beta2"]),
    eps=rest["epsilon"],
    weight_decay=rest["weightDecay"],
)
lmd = Lmd(matrices) if rule["name"] == "lmd" else None
del arrays, matrices


def step(noise):
    adamw.zero_grad(set_to_none=True)
    if lmd is None:
        loss = loss_of(others)
        loss.backward()
    else:
        with torch.no_grad():
            drawn = lmd.draw(noise)
        loss = loss_of({**others, **drawn})
        loss.backward()
        with torch.no_grad():
            lmd.update(drawn)
    adamw.step()
    return loss.item()


def peak_bytes():
    """Of this program by itself: Linux starts ru_maxrss at what the program held that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def write_gradients():
    """One after another in the order of the names, as dev/bench/training/task-folder.mjs reads them."""
    loss_of(others).backward()
    with (folder / "gradients-torch.bin").open("wb") as file:
        for name in sorted(others):
            file.write(others[name].grad.contiguous().numpy().tobytes())


def measure():
    if task.get("comparesGradients"):
        write_gradients()
    losses = [step(0) for _ in range(task["checkedSteps"])]
    milliseconds = []
    for _ in range(task["timedSteps"]):
        start = time.perf_counter()
        step(rule.get("noise", 0))
        milliseconds.append((time.perf_counter() - start) * 1000)
    runtime = f"PyTorch {torch.__version__.split('+')[0]}, {torch.get_num_threads()} threads"
    return {"losses": losses, "milliseconds": milliseconds, "peakBytes": peak_bytes(), "runtime": runtime}


try:
    result = measure()
except (MemoryError, RuntimeError) as error:
    if not isinstance(error, MemoryError) and "allocate memory" not in str(error):
        raise
    result = {"outOfMemory": str(error)}
print(json.dumps(result))
