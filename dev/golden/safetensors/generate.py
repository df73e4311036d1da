"""Writes the golden files of @lmd/safetensors with the original library; see README.md."""

import ctypes
import struct
from pathlib import Path

from safetensors import TensorSpec, serialize

from contents import DTYPES, FLOATS, data

PYTHON_NAMES = {
    "BOOL": "bool", "F4": "float4_e2m1fn_x2", "U8": "uint8", "I8": "int8", "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn", "F8_E8M0": "float8_e8m0fnu", "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz", "I16": "int16", "U16": "uint16", "F16": "float16", "BF16": "bfloat16",
    "I32": "int32", "U32": "uint32", "F32": "float32", "C64": "complex64", "F64": "float64", "I64": "int64",
    "U64": "uint64",
}  # fmt: skip

alive = []


def spec(dtype, shape, contents):
    buffer = ctypes.create_string_buffer(contents, max(1, len(contents)))
    alive.append(buffer)
    return TensorSpec(dtype=PYTHON_NAMES[dtype], shape=shape, data_ptr=ctypes.addressof(buffer), data_len=len(contents))


golden = Path(__file__).resolve().parents[3] / "packages" / "safetensors" / "test" / "golden"
tensors = {}
for dtype in DTYPES:
    # The binding has no name for the two types of 6 bits; its name for F4 counts pairs of elements.
    if dtype in PYTHON_NAMES:
        tensors[f"x.{dtype}"] = spec(dtype, [2, 4], data(dtype, 16 if dtype == "F4" else 8))
for name, (shape, value) in FLOATS.items():
    tensors[name] = spec("F32", shape, b"" if value is None else struct.pack("<f", value))
(golden / "every-dtype.safetensors").write_bytes(serialize(tensors, metadata={"format": "pt"}))
(golden / "empty.safetensors").write_bytes(serialize({}))
