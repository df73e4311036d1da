"""What the golden files hold, as formulas that the tests of @lmd/safetensors repeat."""

# In the order of the format's own list of element types, which is that of alignment.
DTYPES = [
    "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
    "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64",
]  # fmt: skip

BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "C64": 64}


def bits(dtype):
    if dtype in BITS:
        return BITS[dtype]
    digits = "".join(character for character in dtype.split("_")[0] if character.isdigit())
    return int(digits) if digits else 16 if dtype == "BF16" else 8


def data(dtype, elements=8):
    """Byte i of a tensor of the k-th type is (7k + 13i + 1) mod 251."""
    k = DTYPES.index(dtype)
    return bytes((7 * k + 13 * i + 1) % 251 for i in range(elements * bits(dtype) // 8))


FLOATS = {
    "a scalar": ([], 1.0),
    "empty": ([0, 4], None),
    'ünïcode "quoted" \n\t\u0001\u007f\u2028 \U0001f600': ([1], 2.0),
    "\uffee": ([1], 8.0),
    "\U0001f600": ([1], 32.0),
}
