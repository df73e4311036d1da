"""Writes the golden files of @lmd/data with Pillow; see README.md."""

import base64
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

golden = Path(__file__).resolve().parents[3] / "packages" / "data" / "test" / "golden"
golden.mkdir(parents=True, exist_ok=True)

height, width = 13, 17
y, x = np.mgrid[0:height, 0:width]
smooth = [40 + 9 * x + 3 * y, 230 - 7 * x - 5 * y, 128 + 60 * np.sin(x / 2.5) * np.cos(y / 3)]
noise = np.random.default_rng(20260701).normal(0, 12, (height, width, 3))
image = Image.fromarray((np.stack(smooth, -1) + noise).clip(0, 255).astype("uint8"))


def encoded(result):
    return {"size": list(result.size), "data": base64.b64encode(result.tobytes()).decode()}


def affine(*matrix):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


operations = {
    "autoContrast": ImageOps.autocontrast(image),
    "equalize": ImageOps.equalize(image),
    **{f"solarize {t}": ImageOps.solarize(image, t) for t in (0, 100, 178.5, 255)},
    **{f"posterize {b}": ImageOps.posterize(image, b) for b in (4, 5, 7, 8)},
    **{f"brightness {f}": ImageEnhance.Brightness(image).enhance(f) for f in (0.1, 0.73, 1.27, 1.9)},
    **{f"contrast {f}": ImageEnhance.Contrast(image).enhance(f) for f in (0.1, 0.73, 1.27, 1.9)},
    **{f"saturation {f}": ImageEnhance.Color(image).enhance(f) for f in (0.1, 0.73, 1.27, 1.9)},
    **{f"sharpness {f}": ImageEnhance.Sharpness(image).enhance(f) for f in (0.1, 0.73, 1.27, 1.9)},
    # No angle with a sine of ½, at which points fall on the border of two pixels and the two round apart.
    **{f"rotate {a}": image.rotate(a) for a in (-29, -9, 4.5, 27)},
    **{f"shearX {f}": affine(1, f, 0, 0, 1, 0) for f in (-0.3, 0.09)},
    **{f"shearY {f}": affine(1, 0, 0, f, 1, 0) for f in (-0.3, 0.09)},
    **{f"translateX {d}": affine(1, 0, d, 0, 1, 0) for d in (-4, 3)},
    **{f"translateY {d}": affine(1, 0, 0, 0, 1, d) for d in (-4, 3)},
}
resized = [
    (name, [left, top, w, h], image.resize((to_w, to_h), method, box=(left, top, left + w, top + h)))
    for name, method in [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)]
    for (left, top, w, h), (to_w, to_h) in [
        ((0, 0, width, height), (8, 6)),
        ((0, 0, width, height), (5, 13)),
        ((0, 0, width, height), (40, 31)),
        ((2, 3, 11, 7), (4, 4)),
        ((5, 1, 6, 12), (9, 9)),
        ((4, 4, 1, 1), (3, 3)),
    ]
]
(golden / "pillow.json").write_text(
    json.dumps(
        {
            "image": encoded(image),
            "operations": {name: encoded(result) for name, result in operations.items()},
            "resized": [
                {"interpolation": name, "region": region, **encoded(result)} for name, region, result in resized
            ],
        },
        indent=1,
    )
    + "\n"
)
