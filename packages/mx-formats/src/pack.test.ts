import { describe, expect, it } from 'vitest';
import { randomBits } from '../test/values.js';
import { MxFormatError, pack, packedLength, unpack } from './index.js';

/** Bit by bit. */
function naivePack(codes: Uint8Array, bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((codes.length * bits) / 8));
  codes.forEach((code, i) => {
    for (let b = 0; b < bits; b++) {
      const at = i * bits + b;
      out[at >> 3]! |= ((code >> b) & 1) << (at & 7);
    }
  });
  return out;
}

describe('pack', () => {
  it('is the dense little-endian bit stream, for every width and length, and unpack undoes it', () => {
    const next = randomBits(21);
    for (let bits = 1; bits <= 8; bits++) {
      for (let count = 0; count < 40; count++) {
        const codes = Uint8Array.from({ length: count }, () => next() % (1 << bits));
        const packed = pack(codes, bits);
        expect(packed).toEqual(naivePack(codes, bits));
        expect(packed).toHaveLength(packedLength(count, bits));
        expect(unpack(packed, bits, count)).toEqual(codes);
      }
    }
  });

  it('puts four 6-bit codes in 3 bytes, and 4-bit codes low nibble first', () => {
    expect(Array.from(pack(Uint8Array.of(0b000001, 0b000010, 0b000011, 0b100000), 6))).toEqual([
      0b10000001, 0b00110000, 0b10000000,
    ]);
    expect(Array.from(pack(Uint8Array.of(1, 2, 3), 4))).toEqual([0x21, 0x03]);
  });

  const refusals: [string, () => unknown, string, string][] = [
    ['a code that is too wide', () => pack(Uint8Array.of(1, 2, 16, 3), 4), 'INVALID_ARGUMENT', '16 at 2'],
    ['a wide code in a tail', () => pack(Uint8Array.of(1, 2, 3, 4, 64), 6), 'INVALID_ARGUMENT', '64 at 4'],
    ['no bits', () => pack(Uint8Array.of(0), 0), 'INVALID_ARGUMENT', '0 bits'],
    ['nine bits', () => unpack(Uint8Array.of(0, 0), 9, 1), 'INVALID_ARGUMENT', '9 bits'],
    ['too few bytes', () => unpack(new Uint8Array(5), 6, 8), 'SHAPE_MISMATCH', '6 bytes'],
    ['too many bytes', () => unpack(new Uint8Array(7), 6, 8), 'SHAPE_MISMATCH', '6 bytes'],
    ['a negative count', () => unpack(new Uint8Array(0), 6, -1), 'SHAPE_MISMATCH', '-1'],
    ['bits after the last code', () => unpack(Uint8Array.of(0xf1), 4, 1), 'DATA_CORRUPT', '241'],
  ];
  it.each(refusals)('refuses %s', (_, act, code, mention) => {
    let error: unknown;
    try {
      act();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MxFormatError);
    expect([(error as MxFormatError).code, (error as MxFormatError).message]).toEqual([
      code,
      expect.stringContaining(mention),
    ]);
  });
});
