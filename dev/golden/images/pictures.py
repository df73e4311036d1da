"""Writes small pictures of every kind that @lmd/data decodes, with what Pillow makes of them; see README.md."""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

folder = Path(__file__).resolve().parents[3] / "packages" / "data" / "test" / "golden" / "pictures"
folder.mkdir(parents=True, exist_ok=True)

height, width = 13, 17
y, x = np.mgrid[0:height, 0:width]
pixels = np.stack([30 + 12 * x, 225 - 15 * y, 128 + 60 * np.sin(x / 2.5) * np.cos(y / 3)], -1).clip(0, 255)
rgb = Image.fromarray(pixels.astype("uint8"))
grey = rgb.convert("L")
palette = rgb.quantize(16)
alpha = rgb.convert("RGBA")
alpha.putalpha(Image.fromarray((255 - 15 * x).clip(0, 255).astype("uint8")))
cmyk = rgb.convert("CMYK")
bilevel = rgb.convert("1")


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def oriented(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(array, depth, color, interlace=0, extra=b""):
    """A PNG of [height, width, channels], which Pillow cannot write: 16 bits, Adam7, single chunks."""

    def rows(part):
        return b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in part)

    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [array[top::down, left::right] for top, left, down, right in passes] if interlace else [array]
    body = b"".join(rows(part) for part in parts if part.size)
    head = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], depth, color, 0, 0, interlace)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    )


def tiff(array, photometric, sample_format=1):
    """An uncompressed TIFF of [height, width, samples], which Pillow cannot write: 16 bits, other photometrics."""
    rows, columns, samples = array.shape
    data, bits = array.tobytes(), struct.pack(f"<{samples}H", *[array.itemsize * 8] * samples)
    tags = {256: columns, 257: rows, 259: 1, 262: photometric, 277: samples, 278: rows, 279: len(data), 339: sample_format}
    end = 8 + 2 + 12 * (len(tags) + 2) + 4
    far = b"" if samples <= 2 else bits
    entries = {tag: (4, 1, struct.pack("<I", value)) for tag, value in tags.items()}
    entries[258] = (3, samples, struct.pack("<I", end) if far else bits.ljust(4, b"\0"))
    entries[273] = (4, 1, struct.pack("<I", end + len(far)))
    directory = b"".join(struct.pack("<HHI", tag, kind, n) + value for tag, (kind, n, value) in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + far + data


def without_adobe_marker(data):
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


bytes_rgb, bytes_grey = np.asarray(rgb), np.asarray(grey)[..., None]
words_rgb, words_grey = bytes_rgb.astype("u2") * 257 + 85, bytes_grey.astype("u2") * 257 + 85
best = {"quality": 95, "subsampling": 0}
files = {
    "444.jpg": saved(rgb, "JPEG", **best),
    "422.jpg": saved(rgb, "JPEG", quality=90, subsampling=1),
    "420.jpg": saved(rgb, "JPEG", quality=90, subsampling=2),
    "grey.jpg": saved(grey, "JPEG", quality=95),
    "progressive.jpg": saved(rgb, "JPEG", progressive=True, **best),
    "restart.jpg": saved(rgb, "JPEG", restart_marker_blocks=1, **best),
    "rgb-adobe.jpg": saved(rgb, "JPEG", keep_rgb=True, **best),
    "cmyk-adobe.jpg": saved(cmyk, "JPEG", **best),
    "cmyk-plain.jpg": without_adobe_marker(saved(cmyk, "JPEG", **best)),
    "trailing.jpg": saved(rgb, "JPEG", **best) + b"trailing bytes\n",
    **{f"turned-{n}.jpg": saved(rgb, "JPEG", exif=oriented(n), **best) for n in range(2, 9)},
    "rgb.png": saved(rgb, "PNG"),
    "grey.png": saved(grey, "PNG"),
    "bilevel.png": saved(bilevel, "PNG"),
    "palette.png": saved(palette, "PNG"),
    "palette-transparent.png": saved(palette, "PNG", transparency=3),
    "alpha.png": saved(alpha, "PNG"),
    "grey-alpha.png": saved(alpha.convert("LA"), "PNG"),
    "grey-transparent.png": png(bytes_grey, 8, 0, extra=chunk(b"tRNS", struct.pack(">H", int(bytes_grey[0, 0, 0])))),
    "rgb-transparent.png": png(bytes_rgb, 8, 2, extra=chunk(b"tRNS", struct.pack(">HHH", *map(int, bytes_rgb[0, 0])))),
    "rgb-16.png": png(words_rgb, 16, 2),
    "grey-16.png": png(words_grey, 16, 0),
    "interlaced.png": png(bytes_rgb, 8, 2, interlace=1),
    "gamma.png": png(bytes_rgb, 8, 2, extra=chunk(b"gAMA", struct.pack(">I", 100000))),
    "trailing.png": saved(rgb, "PNG") + b"\n",
    "turned-6.png": saved(rgb, "PNG", exif=oriented(6)),
    "lossy.webp": saved(rgb, "WEBP", quality=90),
    "lossless.webp": saved(rgb, "WEBP", lossless=True),
    "alpha.webp": saved(alpha, "WEBP", lossless=True, exact=True),
    "animated.webp": saved(rgb, "WEBP", save_all=True, append_images=[ImageOps.invert(rgb)], lossless=True),
    "turned-8.webp": saved(rgb, "WEBP", lossless=True, exif=oriented(8)),
    "rgb.gif": saved(palette, "GIF"),
    "interlaced.gif": saved(palette, "GIF", interlace=1),
    "animated.gif": saved(palette, "GIF", save_all=True, append_images=[ImageOps.invert(rgb).quantize(16)]),
    "rgb.avif": saved(rgb, "AVIF", quality=95, subsampling="4:4:4"),
    "420.avif": saved(rgb, "AVIF", quality=90, subsampling="4:2:0"),
    "alpha.avif": saved(alpha, "AVIF", quality=95, subsampling="4:4:4"),
    "turned-6.avif": saved(rgb, "AVIF", quality=95, subsampling="4:4:4", exif=oriented(6)),
    "raw.tif": saved(rgb, "TIFF"),
    "lzw.tif": saved(rgb, "TIFF", compression="tiff_lzw"),
    "deflate.tiff": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
    "grey.tif": saved(grey, "TIFF"),
    "bilevel.tif": saved(bilevel, "TIFF", compression="group4"),
    "palette.tif": saved(palette, "TIFF"),
    "alpha.tif": saved(alpha, "TIFF"),
    "cmyk.tif": saved(cmyk, "TIFF"),
    "pages.tif": saved(rgb, "TIFF", save_all=True, append_images=[ImageOps.invert(rgb)]),
    "turned-3.tif": saved(rgb, "TIFF", exif=oriented(3)),
    "grey-16.tif": saved(Image.fromarray(words_grey[..., 0]), "TIFF"),
    "rgb-16.tif": tiff(words_rgb, 2),
    "cmyk-16.tif": tiff(np.asarray(cmyk).astype("u2") * 257, 5),
    "min-is-white.tif": tiff(bytes_grey, 0),
}
# What is refused, by the word that the message must have.
refused = {
    "bitmap.bmp": ("BMP", saved(rgb, "BMP")),
    "float.tif": ("float", saved(Image.fromarray(pixels[..., 0].astype("f4")), "TIFF")),
    "jpeg-2000.jp2": ("JPEG 2000", saved(rgb, "JPEG2000")),
    "drawing.svg": ("SVG", b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'),
}


def to_rgb(image):
    """As convert('RGB'), but 16-bit grey to its high byte, as Pillow has 16-bit colours; convert clips it at 255."""
    upright = ImageOps.exif_transpose(image)
    if image.mode == "I;16":
        upright = Image.fromarray((np.asarray(upright) >> 8).astype("uint8"))
    return upright.convert("RGB")


expected = {}
for name, data in files.items():
    (folder / name).write_bytes(data)
    image = Image.open(folder / name)
    result = to_rgb(image)
    expected[name] = {"size": list(result.size), "mode": image.mode, "data": base64.b64encode(result.tobytes()).decode()}
for name, (word, data) in refused.items():
    (folder / name).write_bytes(data)
    expected[name] = {"refused": word}
(folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
print(len(expected), "pictures in", folder)
