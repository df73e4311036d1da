"""Writes what tiktoken says of every code point, for @lmd/data:

- packages/data/src/text/gpt2-classes.ts: the letters and the numbers of GPT-2's pattern, as tiktoken has them.
- packages/data/test/golden/gpt2-code-points.json: tokens of every code point alone, between letters and after spaces.

    npm run setup
    python -m venv /tmp/tokens-venv && /tmp/tokens-venv/bin/pip install -r tools/tokens/requirements.txt
    /tmp/tokens-venv/bin/python tools/tokens/generate.py

The vocabulary comes from js-tiktoken, so nothing is downloaded.
"""

import base64
import hashlib
import json
import random
import struct
from pathlib import Path

import tiktoken
from tiktoken_ext.openai_public import r50k_pat_str

ROOT = Path(__file__).resolve().parents[2]
RANKS = ROOT / "packages/data/node_modules/js-tiktoken/dist/ranks/gpt2.js"
BLOCK = 4096
# White space in Unicode or elsewhere, joiners and marks without width, letters of Unicode 17, ends of planes.
SPECIAL = [
    *[0x00, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x7F, 0x85, 0xA0, 0xAD, 0x1680, 0x180E],
    *range(0x2000, 0x2010),
    *[0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF],
    *[0xB2, 0xBD, 0x2167, 0x3007, 0x88F, 0xC5C, 0x1F600, 0x20000, 0xE0001, 0x10FFFD, 0x10FFFF],
]


def mergeable_ranks() -> dict[bytes, int]:
    source = RANKS.read_text()
    described = json.loads(source[source.index("{") : source.rindex("}") + 1])
    ranks: dict[bytes, int] = {}
    for line in described["bpe_ranks"].split("\n"):
        _, first, *tokens = line.split(" ")
        for i, token in enumerate(tokens):
            ranks[base64.b64decode(token)] = int(first) + i
    return ranks


def points(start: int, end: int) -> list[int]:
    return [point for point in range(start, end) if not 0xD800 <= point < 0xE000]


def ranges_of(members: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for point in members:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1] = (ranges[-1][0], point)
        else:
            ranges.append((point, point))
    return ranges


def base36(value: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[value] if value < 36 else base36(value // 36) + digits[value % 36]


def encoded(members: list[int]) -> str:
    """Gaps and lengths by turns, in base 36."""
    numbers: list[str] = []
    at = 0
    for first, last in ranges_of(members):
        numbers += [base36(first - at), base36(last - first)]
        at = last
    return ",".join(numbers)


def members_of(pattern: str) -> list[int]:
    """The code points that a class has: what the pattern does not match gives no token."""
    bytes_alone = {bytes([i]): i for i in range(256)}
    encoding = tiktoken.Encoding("class", pat_str=pattern, mergeable_ranks=bytes_alone, special_tokens={})
    return [point for point in points(0, 0x110000) if encoding.encode_ordinary(chr(point))]


def lines_of(text: str) -> str:
    parts = [text[i : i + 112] for i in range(0, len(text), 112)]
    return " +\n".join(f"  '{part}'" for part in parts)


def context(character: str) -> str:
    return f"{character} a{character}b  {character}\n"


def tokens_hash(tokens: list[int]) -> str:
    return hashlib.sha256(struct.pack(f"<{len(tokens)}H", *tokens)).hexdigest()[:16]


def main() -> None:
    gpt2 = tiktoken.Encoding(
        "gpt2", pat_str=r50k_pat_str, mergeable_ranks=mergeable_ranks(), special_tokens={"<|endoftext|>": 50256}
    )
    encode = gpt2.encode_ordinary
    letters, numbers, space = members_of(r"\p{L}"), members_of(r"\p{N}"), members_of(r"\s")
    (ROOT / "packages/data/src/text/gpt2-classes.ts").write_text(
        f"""// Written by tools/tokens/generate.py from tiktoken {tiktoken.__version__}; not to be edited.

/** The letters (general category L) of tiktoken's Unicode: gaps and lengths of ranges by turns, in base 36. */
export const letters =
{lines_of(encoded(letters))};

/** The numbers (general category N), likewise. */
export const numbers =
{lines_of(encoded(numbers))};

/** White space (the property White_Space), likewise. */
export const whiteSpace =
{lines_of(encoded(space))};
"""
    )
    generator = random.Random(1)
    alphabet = [*map(chr, [*SPECIAL, *space]), *" \n\t'", *"abzéß東한𐍈", *"019²", *"!?-_.😀", "'s", "'ll", "'S"]
    texts = ["".join(generator.choices(alphabet, k=generator.randint(1, 12))) for _ in range(500)]
    golden = {
        "tiktoken": tiktoken.__version__,
        "block": BLOCK,
        "hashes": [
            tokens_hash(encode("".join(context(chr(point)) for point in points(start, start + BLOCK))))
            for start in range(0, 0x110000, BLOCK)
        ],
        "contexts": {f"{point:04X}": encode(context(chr(point))) for point in sorted({*SPECIAL, *space})},
        "texts": [{"text": text, "tokens": encode(text)} for text in texts],
    }
    lines = [
        "{",
        f'"tiktoken": {json.dumps(golden["tiktoken"])}, "block": {BLOCK},',
        f'"hashes": {json.dumps(golden["hashes"], separators=(",", ":"))},',
        '"contexts": {',
        ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in golden["contexts"].items()),
        "},",
        '"texts": [',
        ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in golden["texts"]),
        "]}",
        "",
    ]
    (ROOT / "packages/data/test/golden").mkdir(parents=True, exist_ok=True)
    (ROOT / "packages/data/test/golden/gpt2-code-points.json").write_text("\n".join(lines))


main()
