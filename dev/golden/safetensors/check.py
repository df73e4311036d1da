"""Reads with the original library what @lmd/safetensors writes: the committed file and, if named, others; see README.md."""

import struct
import sys
from pathlib import Path

from safetensors import SafetensorError, deserialize, safe_open

from contents import DTYPES, FLOATS, bits, data

path = Path(__file__).resolve().parents[3] / "packages" / "safetensors" / "test" / "golden" / "written-here.safetensors"
found = dict(deserialize(path.read_bytes()))
for dtype in DTYPES:
    tensor = found.pop(f"y.{dtype}")
    assert tensor["dtype"] == dtype, (dtype, tensor["dtype"])
    assert tensor["shape"] == [2, 4], (dtype, tensor["shape"])
    assert bytes(tensor["data"]) == data(dtype), dtype
    assert len(tensor["data"]) == 8 * bits(dtype) // 8, dtype
for name, (shape, value) in FLOATS.items():
    tensor = found.pop(name)
    assert (tensor["dtype"], tensor["shape"]) == ("F32", shape), name
    assert bytes(tensor["data"]) == (b"" if value is None else struct.pack("<f", value)), name
assert not found, found
with safe_open(path, framework="numpy") as file:
    assert file.metadata() == {"format": "lmd", "note": 'quoted "value" \u2028'}, file.metadata()
print(f"{path.name}: every one of {len(DTYPES)} element types, names and metadata as written")

refused = 0
for other in sys.argv[1:]:
    try:
        deserialize(Path(other).read_bytes())
    except SafetensorError as error:
        refused += 1
        print(f"{other}: {error}")
if len(sys.argv) > 1:
    print(f"{len(sys.argv) - 1 - refused} of {len(sys.argv) - 1} other files accepted")
sys.exit(1 if refused else 0)
