"""The inputs of the golden files, from formulas that `packages/mx-golden/src/index.ts` implements as well."""

import numpy as np

U32 = np.uint32


def mix(x):
    """A 32-bit mixing function (lowbias32, by Chris Wellons)."""
    x = np.asarray(x, dtype=U32).copy()
    x ^= x >> U32(16)
    x *= U32(0x7FEB352D)
    x ^= x >> U32(15)
    x *= U32(0x846CA68B)
    x ^= x >> U32(16)
    return x


def hash_words(words):
    """Sum over i of mix(word_i + i·0x9e3779b9), modulo 2^32: sensitive to every bit and to the order."""
    words = np.asarray(words, dtype=U32)
    i = np.arange(words.size, dtype=U32)
    return int(mix(words + i * U32(0x9E3779B9)).sum(dtype=np.uint64) & 0xFFFFFFFF)


def patterns():
    """
    Every finite float32 of 12 leading mantissa bits, each once: 255 groups of 256 blocks of 32. Group e holds every pattern of sign
    and mantissa; element j of a block takes exponent field (e − j mod 8) mod 255, so that a block spans eight binades.
    """
    e = np.arange(255, dtype=np.int64)[:, None]
    p = np.arange(8192, dtype=np.int64)[None, :]
    exponent = (e - p % 8) % 255
    return ((p & 1) << 31 | exponent << 23 | (p >> 1) << 11).astype(U32).reshape(-1)


def edges():
    """
    255 groups of 16 blocks of 32 around group e's binade: values of 0 to 7 leading mantissa bits with or without the next one (ties
    of every element format), moved by −1, 0 or +1 units in the last place, spread over 24 binades below e.
    """
    i = np.arange(255 * 512, dtype=np.int64)
    h = mix(i).astype(np.int64)
    g = mix(i + 0x10000000).astype(np.int64)
    e = i // 512
    down = np.where(i % 32 == 0, 0, h % 24)
    exponent = np.maximum(e - down, 0)
    kept = (h >> 5) % 8
    mantissa = (g & 0x7FFFFF) >> (23 - kept) << (23 - kept)
    tie = np.where((h >> 8) % 4 != 0, 1 << (22 - kept), 0)
    magnitude = (exponent << 23 | mantissa | tie) + (h >> 10) % 3 - 1
    magnitude = np.clip(magnitude, 0, 0x7F7FFFFF)
    return ((h >> 12 & 1) << 31 | magnitude).astype(U32)


def philox_words(count, seed, stream, step, sample):
    """Philox4x32-10: element i has lane i mod 4 of counter (stream, step, sample, ⌊i / 4⌋), key (seed low, seed high)."""
    groups = (count + 3) // 4
    c = [np.full(groups, v, dtype=np.uint64) for v in (stream, step, sample)] + [np.arange(groups, dtype=np.uint64)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0),
            p1 & low,
            (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1),
            p0 & low,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1).reshape(-1)[:count].astype(U32)
