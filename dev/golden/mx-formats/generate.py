"""
Regenerates `packages/mx-golden/golden/blocks.json` and `packages/mx-formats/test/golden/*.json` from the oracles:
ml_dtypes (element codes), torchao (scales, MX and NVFP4 blocks) and gfloat (roundings, INT8). Usage:

    python -m venv /tmp/mx-venv && /tmp/mx-venv/bin/pip install -r dev/golden/mx-formats/requirements.txt
    /tmp/mx-venv/bin/python dev/golden/mx-formats/generate.py

Where an oracle departs from the contract of `docs/mx-formats.md`, the departure is made explicit here, counted, and written to the file.
"""

import importlib.metadata as metadata
import json
import pathlib
import warnings

import gfloat
import gfloat.formats as gf
import ml_dtypes
import numpy as np
import torch
from torchao.prototype.mx_formats.config import ScaleCalculationMode
from torchao.prototype.mx_formats.constants import DTYPE_FP6_E2M3, DTYPE_FP6_E3M2
from torchao.prototype.mx_formats.mx_tensor import to_mx
from torchao.prototype.mx_formats.nvfp4_tensor import nvfp4_quantize, per_tensor_amax_to_scale
from torchao.prototype.mx_formats.utils import to_blocked

from inputs import U32, edges, hash_words, patterns, philox_words

warnings.filterwarnings("ignore", category=RuntimeWarning)
PACKAGES = pathlib.Path(__file__).resolve().parents[3] / "packages"
# The results that @lmd/conformance checks backends by, and those for the tests of @lmd/mx-formats alone.
SHARED = PACKAGES / "mx-golden" / "golden"
OWN = PACKAGES / "mx-formats" / "test" / "golden"
SEED, STREAM, STEP, SAMPLE = 2**40 + 12345, 7, 3, 1
GROUPS_A_CHUNK = 5

ELEMENTS = {
    "e5m2": (ml_dtypes.float8_e5m2, gf.format_info_ocp_e5m2),
    "e4m3": (ml_dtypes.float8_e4m3fn, gf.format_info_ocp_e4m3),
    "e3m2": (ml_dtypes.float6_e3m2fn, gf.format_info_ocp_e3m2),
    "e2m3": (ml_dtypes.float6_e2m3fn, gf.format_info_ocp_e2m3),
    "e2m1": (ml_dtypes.float4_e2m1fn, gf.format_info_ocp_e2m1),
    "int8": (None, gf.format_info_ocp_int8),
}
TORCHAO = {
    "e5m2": torch.float8_e5m2,
    "e4m3": torch.float8_e4m3fn,
    "e3m2": DTYPE_FP6_E3M2,
    "e2m3": DTYPE_FP6_E2M3,
    "e2m1": torch.float4_e2m1fn_x2,
}
BLOCK_NAMES = {
    "e5m2": "mxfp8_e5m2",
    "e4m3": "mxfp8_e4m3",
    "e3m2": "mxfp6_e3m2",
    "e2m3": "mxfp6_e2m3",
    "e2m1": "mxfp4_e2m1",
    "int8": "mxint8",
}
MODES = {
    "floor": ScaleCalculationMode.FLOOR,
    "ceil": ScaleCalculationMode.CEIL,
    "rceil": ScaleCalculationMode.RCEIL,
    "even": ScaleCalculationMode.EVEN,
}
ROUNDINGS = {
    "nearestEven": gfloat.RoundMode.TiesToEven,
    "nearestAway": gfloat.RoundMode.TiesToAway,
    "towardZero": gfloat.RoundMode.TowardZero,
    "stochastic": gfloat.RoundMode.Stochastic,
}


def floats(bits):
    return np.asarray(bits, dtype=U32).view(np.float32)


def bits_of(values):
    return np.ascontiguousarray(values, dtype=np.float32).view(U32)


def runs(codes):
    """Run-length coding: [first index, code, first index, code, …]."""
    codes = np.asarray(codes)
    first = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    return np.stack([first, codes[first]], axis=1).reshape(-1).tolist()


def gfloat_round(element, values, rounding, words=None):
    """
    gfloat's rounding of float64 values, saturating. Its random bits count the other way round: it rounds away from zero when
    bits + fraction·2^24 reaches 2^24, we when bits < fraction·2^24.
    """
    info = ELEMENTS[element][1]
    random = {}
    if rounding == "stochastic":
        random = {"srbits": (2**24 - 1 - (words >> U32(8)).astype(np.int64)), "srnumbits": 24}
    rounded = gfloat.round_ndarray(info, values, ROUNDINGS[rounding], sat=True, **random)
    # gfloat saturates INT8 at −2, its most negative code; the contract is symmetric.
    return np.maximum(rounded, -127 / 64) if element == "int8" else rounded


def exact_scale(element, maximum, mode):
    """The scale bytes of the contract's definition, in integers: `maximum` holds float32 bits, none zero."""
    info = ELEMENTS[element][1]
    largest = -(-127 / 64) if element == "int8" else info.max
    emax = int(np.floor(np.log2(largest)))
    magnitude = floats(maximum).astype(np.float64)
    mantissa, exponent = np.frexp(magnitude)
    exponent = exponent - 1
    if mode == "ceil":
        exponent = exponent + (mantissa > 0.5)
    elif mode == "rceil":
        exponent = exponent + (mantissa * 2 > largest / 2.0**emax)
    elif mode == "even":
        m = 6 if element == "int8" else info.precision - 1
        exponent = exponent + (np.rint(mantissa * 2 * 2**m) == 2 ** (m + 1))
    return np.clip(exponent - emax, -127, 127) + 127


def torchao_blocks(element, blocks, mode):
    scales, codes = to_mx(torch.from_numpy(blocks), TORCHAO[element], blocks.shape[1], MODES[mode])
    return scales.view(torch.uint8).numpy().astype(np.int64), codes.contiguous().view(torch.uint8).numpy()


def write(name, document):
    path = (SHARED if name == "blocks.json" else OWN) / name
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(f"{name}: {path.stat().st_size:,} bytes")


def versions(*names):
    return {name: metadata.version(name) for name in names}


def element_golden():
    """Codes of every float32 of 12 leading mantissa bits, in order, and of the neighbours of every tie and power of two."""
    ordered = (np.arange(255 << 12, dtype=np.int64) << 11).astype(U32)
    document = {"oracles": versions("ml_dtypes", "gfloat"), "elements": {}}
    for name, (dtype, info) in ELEMENTS.items():
        entry = {}
        half = 2 ** (info.k - 1)
        if dtype is not None:
            codes = np.arange(2 * half, dtype=np.uint8)
            entry["decoded"] = bits_of(codes.view(dtype).astype(np.float32)).tolist()
            entry["mlDtypes"] = runs(floats(ordered).astype(dtype).view(np.uint8))
            entry["mlDtypesNegative"] = runs(floats(ordered | U32(0x80000000)).astype(dtype).view(np.uint8))
        else:
            entry["decoded"] = bits_of([gfloat.decode_float(info, code).fval for code in range(2 * half)]).tolist()
        finite = np.sort(np.unique(np.abs([v for v in floats(entry["decoded"]) if np.isfinite(v)]))).astype(np.float64)
        ties = ((finite[1:] + finite[:-1]) / 2).astype(np.float32)
        powers = (np.arange(1, 255, dtype=np.int64) << 23).astype(U32)
        centres = np.concatenate([bits_of(ties), bits_of(finite[1:].astype(np.float32)), powers]).astype(np.int64)
        near = (centres[:, None] + np.array([-2, -1, 0, 1, 2])).reshape(-1).astype(U32)
        both = np.stack([near, near | U32(0x80000000)], axis=1).reshape(-1)
        entry["neighbours"] = {"count": int(both.size), "inputs": hash_words(both)}
        if dtype is not None:
            entry["neighbours"]["mlDtypes"] = hash_words(floats(both).astype(dtype).view(np.uint8))
        for rounding in ("nearestEven", "nearestAway", "towardZero"):
            values = floats(both).astype(np.float64)
            entry["neighbours"][rounding] = hash_words(bits_of(gfloat_round(name, values, rounding)))
            ordered_values = gfloat_round(name, floats(ordered).astype(np.float64), rounding)
            entry[rounding] = hash_words(bits_of(ordered_values))
        document["elements"][name] = entry
    write("elements.json", document)


def block_golden():
    """Scale bytes and values of every format, scale mode and rounding, hashed by chunks of five binades."""
    datasets = {"patterns": patterns(), "edges": edges()}
    document = {
        "oracles": versions("torchao", "torch", "gfloat"),
        "key": {"seed": SEED, "stream": STREAM, "step": STEP, "sample": SAMPLE},
        "groupsAChunk": GROUPS_A_CHUNK,
        "inputs": {name: hash_words(bits) for name, bits in datasets.items()},
        "torchaoDepartures": {},
        "cases": [],
    }
    for dataset, bits in datasets.items():
        values = floats(bits)
        blocks = values.reshape(-1, 32)
        chunk = bits.size // 255 * GROUPS_A_CHUNK
        words = philox_words(bits.size, SEED, STREAM, STEP, SAMPLE)
        maximum = np.max(bits.reshape(-1, 32) & U32(0x7FFFFFFF), axis=1)
        for element in ELEMENTS:
            for mode in MODES:
                scales = np.where(maximum == 0, 0, exact_scale(element, np.maximum(maximum, 1), mode))
                if element in TORCHAO:
                    theirs, codes = torchao_blocks(element, blocks, mode)
                    wrong = theirs.reshape(-1) != scales
                    if wrong.any():
                        # Only `rceil`, by a floating-point logarithm, just above a power of two.
                        assert mode == "rceil", (element, mode)
                        quotient = floats(maximum[wrong]).astype(np.float64) / ELEMENTS[element][1].max
                        above = quotient / 2.0 ** np.floor(np.log2(quotient))
                        assert (above < 1 + 2**-16).all(), (element, above.max())
                        document["torchaoDepartures"][f"{dataset} {BLOCK_NAMES[element]} {mode}"] = int(wrong.sum())
                scale = 2.0 ** (scales - 127)[:, None]
                case = {"dataset": dataset, "format": BLOCK_NAMES[element], "scaleMode": mode}
                case["scales"] = [hash_words(part) for part in scales.reshape(51, -1).astype(U32)]
                if element in TORCHAO and mode != "rceil":
                    case["torchaoCodes"] = [hash_words(part) for part in codes.reshape(51, -1)]
                for rounding in ROUNDINGS:
                    scaled = (blocks.astype(np.float64) / scale).reshape(-1)
                    rounded = gfloat_round(element, scaled, rounding, words).reshape(blocks.shape) * scale
                    result = bits_of(rounded.astype(np.float32)).reshape(-1, chunk)
                    case[rounding] = [hash_words(part) for part in result]
                document["cases"].append(case)
    write("blocks.json", document)


def nvfp4_golden():
    """torchao's NVFP4, with the tensor scale it would calibrate and with none, on blocks of 16 of ordinary magnitudes."""
    bits = edges()[512 * 110 : 512 * 140]
    values = floats(bits)
    document = {"oracles": versions("torchao", "torch"), "firstGroup": 110, "groups": 30, "inputs": hash_words(bits), "cases": []}
    for two_level in (True, False):
        tensor = torch.from_numpy(values.copy()).reshape(-1, 64)
        scale = per_tensor_amax_to_scale(tensor.abs().max()) if two_level else None
        scales, codes = nvfp4_quantize(tensor, 16, scale)
        decoded = floats(bits_of(scales.to(torch.float32).numpy()))
        total = decoded * np.float32(1 if scale is None else scale.item())
        magnitudes = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], dtype=np.float32)
        packed = codes.numpy().reshape(-1)
        unpacked = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)
        signed = np.where(unpacked >> 3, -magnitudes[unpacked & 7], magnitudes[unpacked & 7])
        result = (signed.reshape(-1, 16) * total.reshape(-1, 1)).astype(np.float32)
        document["cases"].append(
            {
                "tensorScale": None if scale is None else int(bits_of([scale.item()])[0]),
                "scales": hash_words(scales.view(torch.uint8).numpy().reshape(-1)),
                "codes": hash_words(packed),
                "values": hash_words(bits_of(result).reshape(-1)),
            }
        )
    write("nvfp4.json", document)


def half_golden():
    """BF16 and FP16 roundings of every float32 of 12 leading mantissa bits and of the edges, NaN apart."""
    bits = np.concatenate([patterns(), edges(), np.array([0x7F800000, 0xFF800000], dtype=U32)])
    values = floats(bits)
    document = {
        "oracles": versions("ml_dtypes", "numpy"),
        "bfloat16": hash_words(bits_of(values.astype(ml_dtypes.bfloat16).astype(np.float32))),
        "float16": hash_words(bits_of(values.astype(np.float16).astype(np.float32))),
    }
    write("halves.json", document)


def layout_golden():
    """torchao's blocked layout of scales: matrices of bytes i mod 251."""
    cases = []
    for rows, columns in ((1, 1), (128, 4), (130, 6), (257, 9), (384, 32)):
        scales = (np.arange(rows * columns) % 251).astype(np.uint8)
        blocked = to_blocked(torch.from_numpy(scales.reshape(rows, columns)))
        cases.append({"rows": rows, "columns": columns, "blocked": hash_words(blocked.numpy())})
    write("layouts.json", {"oracles": versions("torchao"), "cases": cases})


def special_golden():
    """What each oracle does where they differ: raw outputs, for the table of `docs/mx-formats.md`."""
    inputs = {
        "NaN": 0x7FC00000,
        "Infinity": 0x7F800000,
        "negative zero": 0x80000000,
        "beyond the largest": 0x49742400,  # 1e6
        "smallest subnormal": 0x00000001,
    }
    elements = {}
    for name, (dtype, info) in ELEMENTS.items():
        entry = {}
        for label, word in inputs.items():
            value = floats([word])
            row = {}
            if dtype is not None:
                row["mlDtypes"] = int(value.astype(dtype).view(np.uint8)[0])
            for saturate in (True, False):
                try:
                    rounded = gfloat.round_float(info, float(value[0]), sat=saturate)
                    row["gfloatSaturating" if saturate else "gfloat"] = int(gfloat.encode_float(info, rounded))
                except ValueError:
                    row["gfloatSaturating" if saturate else "gfloat"] = "error"
            entry[label] = row
        elements[name] = entry
    blocks = {}
    for label, first in {**inputs, "all zero": 0, "2^-126": 0x00800000, "largest float32": 0x7F7FFFFF}.items():
        block = np.zeros((1, 32), dtype=U32)
        block[0, :2] = [first, 0 if label == "all zero" else 0x3F800000 if label in ("NaN", "Infinity") else 0]
        blocks[label] = {}
        for mode in MODES:
            scales, codes = torchao_blocks("e4m3", floats(block), mode)
            blocks[label][mode] = {"scale": int(scales[0, 0]), "codes": codes[0, :2].tolist()}
    write("specials.json", {"oracles": versions("ml_dtypes", "gfloat", "torchao"), "elements": elements, "torchaoE4m3Blocks": blocks})


if __name__ == "__main__":
    element_golden()
    block_golden()
    nvfp4_golden()
    half_golden()
    layout_golden()
    special_golden()
