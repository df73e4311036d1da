"""Writes what Pillow makes of JPEGs at 1/2, 1/4 and 1/8 of their size; see README.md."""

import base64
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

golden = Path(__file__).resolve().parents[3] / "packages" / "data" / "test" / "golden"
folder = golden / "reduced"
folder.mkdir(parents=True, exist_ok=True)

# Larger than those of pictures.py, of which 1/8 would not suffice for any input.
height, width = 45, 61
y, x = np.mgrid[0:height, 0:width]
waves = [128 + 90 * np.sin(x / 7 + phase) * np.cos(y / 5) + 30 * np.sin(x * y / 40) for phase in range(3)]
rgb = Image.fromarray(np.stack(waves, -1).clip(0, 255).astype("uint8"))
turned = Image.Exif()
turned[0x0112] = 8
rgb.save(folder / "420.jpg", quality=90, subsampling=2)
rgb.save(folder / "turned-8.jpg", quality=90, subsampling=2, exif=turned)
rgb.convert("CMYK").save(folder / "cmyk.jpg", quality=90)


def reduced(path, k):
    image = Image.open(path)
    size = tuple(side // k for side in image.size)
    image.draft(None, size)
    # Without the incomplete last row and column, which libvips leaves out.
    return ImageOps.exif_transpose(image.crop((0, 0, *size))).convert("RGB")


expected = {}
for path in sorted([*(golden / "pictures").glob("*.jpg"), *folder.glob("*.jpg")]):
    for k in (2, 4, 8):
        image = reduced(path, k)
        data = base64.b64encode(image.tobytes()).decode()
        expected.setdefault(path.relative_to(golden).as_posix(), {})[k] = {"size": list(image.size), "data": data}
(folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
print(len(expected), "pictures in", folder)
