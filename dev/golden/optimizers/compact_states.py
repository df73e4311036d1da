"""
Regenerates `packages/core/golden/compact-states.json`: AdamW with the compact states of FlashOptim (arXiv:2602.23349)
and the error feedback of ECO (arXiv:2601.22101), in float32, with codes that are stored as int8, uint8 and float16.
Usage:

    python -m venv /tmp/numpy-venv
    /tmp/numpy-venv/bin/pip install numpy==2.4.6
    /tmp/numpy-venv/bin/python dev/golden/optimizers/compact_states.py
"""

import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[3] / "packages" / "core" / "golden" / "compact-states.json"
STEPS = 12
GROUP = 32
F = np.float32


def grouped(x):
    return np.pad(x, (0, -len(x) % GROUP)).reshape(-1, GROUP)


def encode_moment(m):
    groups = grouped(m)
    scale = np.maximum(np.abs(groups).max(axis=1, keepdims=True), F(1e-12))
    x = groups / scale
    codes = np.floor(F(2) * x / (F(1) + np.abs(x)) * F(127) + F(0.5)).astype(np.int8)
    return codes, scale.astype(np.float16)


def decode_moment(codes, scales, size):
    z = codes.astype(F) / F(127)
    return (z / (F(2) - np.abs(z)) * scales.astype(F)).reshape(-1)[:size]


def encode_square(v):
    groups = np.sqrt(grouped(v))
    scale = np.maximum(groups.max(axis=1, keepdims=True), F(1e-12))
    codes = np.floor(groups / scale * F(255) + F(0.5)).astype(np.uint8)
    return codes, scale.astype(np.float16)


def decode_square(codes, scales, size):
    root = (codes.astype(F) / F(255) * scales.astype(F)).reshape(-1)[:size]
    return root * root


def to_bfloat16(x):
    """The upper 16 bits, rounded to nearest, ties to even."""
    bits = x.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bfloat16(bits):
    return (bits.astype(np.uint32) << 16).view(F)


def half_ulp(bits):
    exponent = np.maximum(((bits >> 7) & 0xFF).astype(int), 1) - 127
    return np.ldexp(1.0, exponent - 7 - 1)


def encode_split(x):
    bits = to_bfloat16(x)
    error = np.clip((x.astype(float) - from_bfloat16(bits)) / half_ulp(bits), -1, 1) * 127
    return bits, np.copysign(np.floor(np.abs(error) + 0.5), error).astype(np.int8)


def decode_split(bits, codes):
    correction = (codes.astype(F) / F(127)).astype(float) * half_ulp(bits)
    return (from_bfloat16(bits).astype(float) + correction).astype(F)


STORES = {
    "f32": (lambda x: (x,), lambda x: x),
    "bf16": (lambda x: (to_bfloat16(x),), from_bfloat16),
    "split24": (encode_split, decode_split),
}


def trained(weight, gradients, options):
    """The weights and moments that are decoded after the last step. BF16 is rounded to nearest."""
    a, beta1, beta2 = options["learningRate"], options["beta1"], options["beta2"]
    epsilon, decay = options["epsilon"], options["weightDecay"]
    encode, decode = STORES[options["weightFormat"]]
    size = len(weight)
    weights = encode(weight)
    first = encode_moment(np.zeros(size, F))
    second = encode_square(np.zeros(size, F))
    for t, g in enumerate(gradients, 1):
        w = decode(*weights)
        m = decode_moment(*first, size)
        v = decode_square(*second, size)
        m = F(beta1) * m + F(1 - beta1) * g
        v = F(beta2) * v + F(1 - beta2) * (g * g)
        deviation = np.sqrt(v) / F(np.sqrt(1 - beta2**t)) + F(epsilon)
        w = w * F(1 - a * decay) - m / deviation * F(a / (1 - beta1**t))
        weights = encode(w)
        if options.get("errorFeedback"):
            error = w - decode(*weights)
            m = m + F((1 - 1 / beta1) * (1 - beta1**t) / a) * (error * deviation)
        first, second = encode_moment(m), encode_square(v)
    return {
        "weight": numbers(decode(*weights)),
        "firstMoment": numbers(decode_moment(*first, size)),
        "secondMoment": numbers(decode_square(*second, size)),
    }


def numbers(x):
    """The shortest decimals that float32 reads as these numbers."""
    return [float(str(value)) for value in x.astype(F)]


def inputs(size, seed):
    """Numbers of many magnitudes, as moments of one group are."""
    random = np.random.default_rng(seed)
    return (random.standard_normal(size) * 10.0 ** random.uniform(-4, 1, size)).astype(F)


def rounding_cases():
    x = np.concatenate([inputs(75, 1), np.zeros(37, F), inputs(40, 2) * F(1e-6)])
    square = x * x
    # From the subnormals up, and around a power of two, below which the spacing of BF16 is half of that above.
    random = np.random.default_rng(3)
    spread = (random.uniform(-1, 1, 200) * 2.0 ** random.integers(-148, 127, 200)).astype(F)
    near = (F(1) + random.uniform(-1, 1, 100).astype(F) * F(2**-6)).astype(F)
    split = np.concatenate([spread, near, -near])
    half = np.abs(np.concatenate([spread, random.uniform(0, 1, 100) * 2.0 ** random.integers(-26, 17, 100)])).astype(F)
    with np.errstate(over="ignore"):
        rounded = half.astype(np.float16).astype(F)
    return {
        "firstMoment": {"given": numbers(x), "decoded": numbers(decode_moment(*encode_moment(x), len(x)))},
        "secondMoment": {"given": numbers(square), "decoded": numbers(decode_square(*encode_square(square), len(x)))},
        "split24": {"given": numbers(split), "decoded": numbers(decode_split(*encode_split(split)))},
        "float16": {"given": numbers(half), "decoded": [x if np.isfinite(x) else "Infinity" for x in numbers(rounded)]},
    }


def training_case(seed, **options):
    options = {"learningRate": 0.01, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weightDecay": 0.1, **options}
    size = 75
    weight = np.random.default_rng(seed).standard_normal(size).astype(F)
    gradients = [inputs(size, 100 * seed + step) for step in range(STEPS)]
    return {
        "options": {**options, "momentFormat": "companded8"},
        "weight": numbers(weight),
        "gradients": [numbers(gradient) for gradient in gradients],
        "end": trained(weight, gradients, options),
    }


def main():
    golden = {
        "about": "By dev/golden/optimizers/compact_states.py",
        "rounding": rounding_cases(),
        "adamw": [
            training_case(1, weightFormat="f32"),
            training_case(2, weightFormat="split24"),
            training_case(3, weightFormat="bf16", errorFeedback=True),
            training_case(4, weightFormat="split24", errorFeedback=True, learningRate=1e-3),
        ],
    }
    OUT.write_text(json.dumps(golden) + "\n")
    print(f"{OUT.relative_to(OUT.parents[3])}: {OUT.stat().st_size} bytes")


main()
